// Random joins with random records, out of order by no more than the grace period, one case a line: what KafkaJoins.java records. `node random-kafka-joins.ts <seed> <cases>`.
//
// Kafka gives a record that comes out of order at once, alone, when its window is over but for the grace period, and again with a partner that comes within it: about one case in
// a hundred, and none of seed 20.
//
// A case is { join, lower, upper, grace, ops }. An op is [side, key, timestamp, id]. The last record is of a key of its own, and far enough to close everything.
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
  // No bound is 0: a store of Kafka's forgets what is exactly as old as it must keep.
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
