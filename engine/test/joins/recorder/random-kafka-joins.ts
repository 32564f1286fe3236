// Generates random joins with random records, one case per line, for KafkaJoins.java.
// Records are out of order by at most the grace period. Run it with `node random-kafka-joins.ts
// <seed> <cases>`.
//
// Kafka has a special case: a record out of order whose window has ended, but not its grace period.
// Kafka emits it at once without a partner, and again with a partner that comes within the grace
// period. About one case in a hundred has such a record. Seed 20 has none.
//
// A case is { join, lower, upper, grace, ops }. An op is [side, key, timestamp, id]. The last
// record has a key of its own and a time that closes all windows.
import { seeded } from './random-interval-joins.ts';

export interface Case {
  readonly join: 'inner' | 'left' | 'outer';
  readonly lower: number;
  readonly upper: number;
  readonly grace: number;
  readonly ops: readonly (readonly [side: 'l' | 'r', key: string, timestamp: number, id: number])[];
}

function randomCase(random: () => number): Case {
  const int = (below: number): number => Math.floor(random() * below);
  const join = (['inner', 'left', 'outer'] as const)[int(3)]!;
  // No bound is 0, because a store of Kafka forgets records that have exactly the maximum age.
  const [lower, upper, grace] = [-1 - int(11), 1 + int(11), int(6)];
  const ops: Case['ops'][number][] = [];
  let time = 100;
  for (let id = 1; id <= 30; id++) {
    time += int(5);
    ops.push([random() < 0.5 ? 'l' : 'r', random() < 0.7 ? 'a' : 'b', time - int(grace + 1), id]);
  }
  ops.push(['l', 'end', time + 1000, 31]);
  return { join, lower, upper, grace, ops };
}

if (import.meta.main) {
  const [seed, cases] = process.argv.slice(2).map(Number);
  const random = seeded(seed!);
  for (let n = 0; n < cases!; n++) console.log(JSON.stringify(randomCase(random)));
}
