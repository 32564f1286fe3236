// The program that `bundled.test.ts` runs. It prints a row of every operator that compiles loops at
// run time.
import {
  avg,
  count,
  countWindow,
  Environment,
  max,
  session,
  sliding,
  sum,
  topN,
  tumbling,
  type Stream,
} from '../../index.ts';

interface Bid {
  readonly n: number;
  readonly who: string;
  readonly price: number;
  readonly at: number;
}
const start = 1_700_000_000_000;

async function print(
  name: string,
  build: (bids: Stream<Bid>, environment: Environment) => Stream<unknown>,
): Promise<void> {
  const environment = new Environment();
  const bids = environment.generate<Bid>(
    { limit: 3000, seed: 5, timestamp: 'at', watermark: { outOfOrderness: '1s' } },
    (g) => ({
      n: g.n,
      who: `w${g.n % 7}`,
      price: Math.floor(g.random() * 100),
      at: start + g.n * 20 - (g.n % 5) * 100,
    }),
  );
  for (const row of await build(bids, environment).toArray()) console.log(name, JSON.stringify(row));
}
const unknown = (row: object): unknown => row;

await print('map', (bids) => bids.map((bid) => bid.price * 2).map((price): unknown => price));
await print('tumbling', (bids) =>
  bids
    .keyBy('who')
    .window(tumbling('1s'))
    .aggregate({ n: count(), total: sum('price'), most: max('price') })
    .map(unknown),
);
await print('sliding', (bids) =>
  bids
    .keyBy('who')
    .window(sliding('10s', '1s'))
    .aggregate({ mean: avg('price'), best: topN(2, 'price') })
    .map(unknown),
);
await print('unsliced', (bids) =>
  bids
    .keyBy('who')
    .window(sliding('3s', '1s'))
    .reduce((a, b) => (a.price > b.price ? a : b))
    .map(unknown),
);
await print('session', (bids) =>
  bids
    .filter(({ price }) => price > 80)
    .keyBy('who')
    .window(session('300ms'))
    .aggregate({ n: count() })
    .map(unknown),
);
await print('counted', (bids) =>
  bids
    .keyBy('who')
    .window(countWindow(10))
    .aggregate({ total: sum('price') })
    .map(unknown),
);
await print('rolling', (bids) =>
  bids
    .keyBy(({ who, n }) => [who, n % 2])
    .aggregate({ n: count() })
    .map(unknown),
);
await print('joined', (bids, environment) =>
  bids
    .keyBy('who')
    .join(
      environment
        .from(
          [
            { who: 'w1', at: start + 1000 },
            { who: 'w2', at: start + 2000 },
          ],
          { timestamp: 'at' },
        )
        .keyBy('who'),
    )
    .window(tumbling('5s'))
    .select((bid, other): unknown => [bid?.n, other?.at]),
);
await print('near', (bids) =>
  bids
    .keyBy('who')
    .intervalJoin(bids.keyBy('who'))
    .between('-200ms', '0ms')
    .select((a, b): unknown => [a.n, b.n]),
);
