// Generates random changes of a table, one case per line, for KafkaGroupedTables.java. Rows move
// between groups, change in a group, leave and come back, with times out of order. Run it with
// `node random-grouped-tables.ts <seed> <cases>`.
//
// A case is { ops }. An op is [key, group, value, timestamp]. Without a group the row is deleted.
import { seeded } from '../../joins/recorder/random-interval-joins.ts';

export interface Case {
  readonly ops: readonly (readonly [key: string, group: string | null, value: number, timestamp: number])[];
}

function randomCase(random: () => number): Case {
  const int = (below: number): number => Math.floor(random() * below);
  const ops = Array.from({ length: 40 }, (_, at): Case['ops'][number] => [
    'abcde'[int(5)]!,
    random() < 0.2 ? null : 'xyz'[int(3)]!,
    int(4),
    100 + at * 5 - int(20),
  ]);
  return { ops };
}

if (import.meta.main) {
  const [seed, cases] = process.argv.slice(2).map(Number);
  const random = seeded(seed!);
  for (let n = 0; n < cases!; n++) console.log(JSON.stringify(randomCase(random)));
}
