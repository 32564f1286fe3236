// The query `wc` of the comparison with other engines: count, sum and maximum of the bids per auction and ten seconds, over ten million events.
import { count, Environment, max, sum, tumbling } from '../index.ts';
import { Checksum } from './checksum.ts';
import { type Comparison, measured } from './comparison.ts';
import { countBidsByHand, hashOfBids } from './hand-loops.ts';
import { windowMillis } from './orders.ts';
import { type Bid, bidKind, type PeerEvent, peerEvent } from './peers-generator.ts';

const events = 10_000_000;

async function countBids(): Promise<Checksum> {
  const checksum = new Checksum();
  const environment = new Environment();
  environment
    .generate<PeerEvent>({ limit: events, timestamp: 'dateTime' }, ({ n }) => peerEvent(n))
    .filter((event): event is Bid => event.kind === bidKind)
    .keyBy('auction')
    .window(tumbling(`${windowMillis}ms`))
    .aggregate({ n: count(), sum: sum('price'), max: max('price') })
    .sink((row) => checksum.add(hashOfBids(row.auction, row.windowStart.getTime(), row.n, row.sum, row.max)));
  const job = await environment.execute('window-count');
  await job.finished;
  return checksum;
}

export const windowCount: Comparison = {
  name: 'window-count',
  title: 'bids per auction and 10 s (count, sum, max), 10,000,000 Nexmark events, generated as they go',
  goal: 0.4,
  expected: { results: 607_803, checksum: 3_147_223_026 },
  warmUps: 0,
  sluice: () => measured(events, countBids),
  limit: () => measured(events, () => countBidsByHand(events)),
};
