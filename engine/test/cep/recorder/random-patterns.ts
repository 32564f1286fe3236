// Generates random patterns with random events and watermarks, one case per line, for
// FlinkPatterns.java.
// Run it with `node random-patterns.ts <seed> <cases>`.
//
// A case is { pattern: { stages, within?, skip? }, ops }. A condition is a conjunction. `in`: the
// name of the element is one of these letters. `ge`: its value is at least this. `above`: its value
// is above the values of all elements of the stage. `sumBelow`: its value plus those of the stage
// `of` is less than this.
// An op is ['e', key, name, value, timestamp, id] or ['w', watermark | 'max'].

export interface Condition {
  readonly in?: string;
  readonly ge?: number;
  readonly above?: string;
  readonly sumBelow?: number;
  readonly of?: string;
}
export type Verb = readonly [verb: string, ...rest: readonly (number | Condition)[]];
export interface Case {
  readonly pattern: {
    readonly stages: readonly {
      readonly name: string;
      readonly how: string;
      readonly where: readonly Condition[];
      readonly verbs: readonly Verb[];
    }[];
    readonly within?: number;
    readonly skip?: string | { readonly toFirst: string } | { readonly toLast: string };
  };
  readonly ops: readonly (
    | readonly ['e', key: string, name: string, value: number, timestamp: number, id: number]
    | readonly ['w', watermark: number | 'max']
  )[];
}

const letters = ['a', 'b', 'c', 'd'];

export function randomCase(random: () => number): Case {
  const int = (below: number): number => Math.floor(random() * below);
  const pick = <V>(values: readonly V[]): V => values[int(values.length)]!;
  const chance = (share: number): boolean => random() < share;

  const names: string[] = [];
  const condition = (name: string): Condition[] => {
    const where: Condition[] = [];
    if (chance(0.9)) where.push({ in: chance(0.7) ? pick(letters) : pick(letters) + pick(letters) });
    if (chance(0.15)) where.push({ ge: int(4) });
    const earlier = pick([...names, name]);
    if (chance(0.12)) where.push(chance(0.5) ? { above: earlier } : { sumBelow: 3 + int(8), of: earlier });
    return where;
  };
  const quantifier = (): Verb[] => {
    const verbs: Verb[] = [];
    if (chance(0.5)) {
      const from = int(3);
      const verb = pick<Verb>([
        ['times', from + 1],
        ['times', from, Math.max(1, from) + int(3)],
        ['oneOrMore'],
        ['timesOrMore', from + 1],
      ]);
      verbs.push(verb);
      if (chance(0.3)) verbs.push([pick(['consecutive', 'allowCombinations'])]);
      if (chance(0.3)) verbs.push(['greedy']);
      if (verb[0].endsWith('OrMore') && chance(0.3)) verbs.push(['until', { in: pick(letters) }]);
    }
    if (chance(0.25)) verbs.push(['optional']);
    return verbs;
  };
  const stages = Array.from({ length: 1 + int(4) }, (_, at) => {
    const name = `s${at}`;
    const how =
      at === 0
        ? 'begin'
        : pick(['next', 'followedBy', 'followedBy', 'followedByAny', 'followedByAny', 'notNext', 'notFollowedBy']);
    const stage = {
      name,
      how,
      where: condition(name),
      verbs: how.startsWith('not') && chance(0.98) ? [] : quantifier(),
    };
    names.push(name);
    return stage;
  });
  const within = chance(0.5) ? { within: 2 + int(10) } : {};
  const skip = chance(0.45)
    ? { skip: pick(['to-next', 'past-last-event', { toFirst: pick(names) }, { toLast: pick(names) }]) }
    : {};

  const ops: Case['ops'][number][] = [];
  const keys = chance(0.2) ? ['k', 'l'] : ['k'];
  let time = int(3);
  let watermark = -1000;
  const events = 4 + int(9);
  for (let id = 1; id <= events; id++) {
    time += pick([0, 1, 1, 1, 2, 3]);
    // Not below 0: against the greatest watermark Flink's subtraction overflows there.
    const timestamp = chance(0.15) ? Math.max(0, time - int(6)) : time;
    ops.push(['e', pick(keys), pick(letters), int(6), timestamp, id]);
    if (!chance(0.25)) continue;
    watermark = Math.max(watermark, time - int(4));
    ops.push(['w', watermark]);
  }
  if (chance(0.8)) ops.push(['w', time + int(15)]);
  if (chance(0.4)) ops.push(['w', 'max']);
  return { pattern: { stages, ...within, ...skip }, ops };
}

/** mulberry32 */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  const [seed = '1', cases = '1000'] = process.argv.slice(2);
  const random = seeded(Number(seed));
  for (let n = 0; n < Number(cases); n++) console.log(JSON.stringify(randomCase(random)));
}
