// The queries for all engines, as comparisons: ours beside the loop written by hand, Flink at
// parallelism 1, and RxJS.
import { type Comparison, measured, type Side } from '../comparison.ts';
import { flinkSide, rxjsSide } from './other-engines.ts';
import { type QueryName, queryNames } from './rules.ts';

interface About {
  readonly title: string;
  readonly millions: number;
  readonly expected?: Comparison['expected'];
  /** The query has the goal to be faster than Flink. */
  readonly beatsFlink?: true;
  /** There is a program for RxJS. */
  readonly rxjs?: true;
}
const about: Readonly<Record<QueryName, About>> = {
  gen: { title: 'every event', millions: 20, rxjs: true },
  q0: {
    title: 'every bid',
    millions: 20,
    expected: { results: 18_400_000, checksum: 1_257_884_216 },
    rxjs: true,
  },
  q1: {
    title: 'bids in another currency',
    millions: 20,
    expected: { results: 18_400_000, checksum: 4_231_625_959 },
    rxjs: true,
  },
  q2: {
    title: 'bids on some auctions',
    millions: 20,
    expected: { results: 151_518, checksum: 2_388_558_277 },
    rxjs: true,
  },
  q3: {
    title: 'people of three states with their auctions of a category, as they come',
    millions: 20,
    expected: { results: 119_542, checksum: 2_117_138_166 },
  },
  q5: {
    title: 'auctions with the most bids in sliding windows of 10 s / 2 s',
    millions: 5,
    expected: { results: 265, checksum: 3_494_387_245 },
    beatsFlink: true,
  },
  q7: {
    title: 'the highest bid of each 10 s',
    millions: 10,
    expected: { results: 100, checksum: 585_061_841 },
    beatsFlink: true,
    rxjs: true,
  },
  q8: {
    title: 'people with the auctions they open in the same 10 s',
    millions: 10,
    expected: { results: 563_136, checksum: 1_050_544_889 },
    beatsFlink: true,
  },
  wc: {
    title: 'count, sum and maximum of the bids per auction and 10 s',
    millions: 10,
    expected: { results: 607_803, checksum: 3_147_223_026 },
    beatsFlink: true,
    rxjs: true,
  },
};

export const peerComparisons: readonly Comparison[] = queryNames.map((name) => {
  const { title, millions, expected, beatsFlink, rxjs } = about[name];
  const sized = (scale: number): number => Math.max(1, Math.floor((millions * 1e6) / scale));
  const others: Side[] = [flinkSide(name, sized, beatsFlink ? 1 : undefined), ...(rxjs ? [rxjsSide(name, sized)] : [])];
  return {
    name,
    title: `${title}; ${millions} M events, generated as they go`,
    ...(expected && { expected }),
    // Compilation counts, as for the other engines.
    warmUps: 0,
    async sluice(scale) {
      const { runQuery } = await import('./queries.ts');
      return measured(sized(scale), () => runQuery(name, sized(scale)));
    },
    limit: {
      name: 'plain-alloc',
      goal: 0.4,
      // The engine is not loaded for this side.
      async run(scale) {
        const { loops } = await import('./loops.ts');
        return measured(sized(scale), () => loops[name](sized(scale)));
      },
    },
    others,
  };
});
