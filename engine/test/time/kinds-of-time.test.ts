// Event, ingestion and processing time: the clock of a record's time, of a watermark, of a timer
// and of a window.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { count, type Stream, tumbling } from '../../index.ts';
import { runScript } from '../../testing/index.ts';
import { side } from './side-by-side.ts';

const began = 1_000_000;

test('without a timestamp a record has happened when it arrived at its source', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  try {
    const path = join(directory, 'rows.jsonl');
    writeFileSync(path, '{"at":5}\n{"at":6}\n');
    const run = side(({ from, file, generate }) => [
      from([{ at: 5 }, { at: 6 }]),
      file<{ at: number }>(path),
      generate({ rate: 1 }, ({ n }) => ({ at: n })),
    ]);
    assert.deepEqual(run.times(0), [began, began]);
    assert.deepEqual(run.times(1), [began, began]);
    run.advance(began + 3_500);
    // The timestamp of a generated record is its due time, so that a late reader sees the same
    // times.
    assert.deepEqual(run.times(2), [began, began + 1000, began + 2000, began + 3000]);
    run.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('time of arrival moves on with what arrives, a millisecond behind, every 200 ms', async () => {
  let give = (): void => {};
  async function* arriving() {
    for (let n = 0; ; n++) {
      await new Promise<void>((resolve) => (give = resolve));
      yield n;
    }
  }
  const run = side(({ from }) => [from(arriving())]);
  const arrive = async (at: number): Promise<void> => {
    run.advance(at);
    give();
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    run.settle();
  };
  await arrive(began + 50);
  await arrive(began + 70);
  assert.deepEqual(run.times(0), [began + 50, began + 70]);
  assert.deepEqual(run.readers[0]!.watermarks, []);
  run.advance(began + 200);
  assert.deepEqual(run.readers[0]!.watermarks, [began + 69]);
  run.advance(began + 10_000);
  assert.deepEqual(run.readers[0]!.watermarks, [began + 69], 'where nothing arrives, time stands still');
  run.close();
});

test('processing time is the clock of the task: neither timestamps nor watermarks move it', () => {
  runScript(
    (items: Stream<{ k: string }>) =>
      items
        .keyBy('k')
        .window(tumbling('10s', { time: 'processing' }))
        .aggregate({ n: count() }),
    `
    >: k
    <: k window n
    > 05:00 a
    | 10:00               event time
    @ 00:05
    > -01:00 a            late for nobody
    @ 00:09.999
    < a [00:00, 00:10) 2
    @ 00:10
    > 05:00 a
    | end
    @ 00:20
    < a [00:10, 00:20) 1
    `,
  );
});

test('the three do not mix: one stream, a timer of each clock', () => {
  runScript(
    (items: Stream<{ k: string }>) =>
      items.keyBy('k').process({
        onElement(_item, { timers, timestamp }) {
          timers.eventTime(timestamp + 1000);
          timers.processingTime(5000);
        },
        *onTimer(at, { domain, timestamp, watermark }) {
          yield { at, domain, timestamp, watermark };
        },
      }),
    `
    >: k
    <: at domain timestamp watermark
    > 00:01 a
    | 00:02
    < 2000 event 2000 2000
    @ 00:05
    < 5000 processing 5000 2000
    `,
  );
});
