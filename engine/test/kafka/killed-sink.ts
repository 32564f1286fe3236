// A process with one exactly-once sink, which a test kills. It takes eight checkpoints of five rows
// each, keeps the last one in a file, and goes on from it when it is started again.
//
//     node killed-sink.ts TOPIC FILE FIRST OPTIONS     FIRST: the number of its first row
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import type { TaskSnapshot } from '../../runtime/snapshot.ts';
import { SinkDriver } from './sink-driver.ts';

export const checkpoints = 8;
export const rowsOfEach = 5;

interface Stored {
  readonly checkpoint: number;
  readonly state: TaskSnapshot;
}

if (import.meta.main) {
  const [topic = '', file = '', first = '0', options = '{}'] = process.argv.slice(2);
  const more = JSON.parse(options) as object;
  const driver = new SinkDriver({ topic, format: 'json', delivery: 'exactly-once', ...more });
  let done = 0;
  if (existsSync(file)) {
    const { checkpoint, state } = deserialize(readFileSync(file)) as Stored;
    driver.restore(state);
    driver.sink.complete!(checkpoint);
    done = checkpoint;
  }
  for (let checkpoint = done + 1; checkpoint <= checkpoints; checkpoint++) {
    await driver.write(
      Array.from({ length: rowsOfEach }, (_, i) => ({
        value: { n: Number(first) + (checkpoint - 1) * rowsOfEach + i },
        timestamp: 1_700_000_000_000,
      })),
    );
    await driver.preCommit(checkpoint);
    const stored: Stored = { checkpoint, state: driver.snapshot() };
    writeFileSync(`${file}.new`, serialize(stored));
    renameSync(`${file}.new`, file);
    driver.sink.complete!(checkpoint);
  }
  await driver.until(() => driver.sink.hasUncommitted === false);
  driver.sink.close!();
}
