// A slow reader. Its unread rows stay in the iterator, in the window's state or in the source,
// where they cost nothing.
// Each case is watched for 10 s. No bound is a time by the clock, so that other programs on the
// machine cannot fail it: a frame, a row and a run may cost so much CPU.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Observer } from '../../server/observer.ts';
import { readNotebook } from '../../terminal/notebook.ts';
import { LiveSession } from './live-session.ts';

const megabyte = 2 ** 20;
const watchMillis = 6_000;
/** The executor's own heap, after a collection. */
const probe = `import v8 from 'node:v8'; import vm from 'node:vm';
v8.setFlagsFromString('--expose-gc'); vm.runInNewContext('gc')(); process.memoryUsage().heapUsed`;

async function heapOf(session: LiveSession): Promise<number> {
  session.edit('probe', `${probe} + ${Math.random()}`);
  await session.ran('probe');
  const value = session.parts('probe').find((part) => part.kind === 'value');
  return Number(value?.kind === 'value' ? value.text : NaN);
}

/** CPU of the executor's thread so far. */
async function cpuMillisOf(session: LiveSession): Promise<number> {
  const used = `const { user, system } = process.threadCpuUsage(); (user + system) / 1000`;
  session.edit('cpu', `${used} // ${Math.random()}`);
  await session.ran('cpu');
  const value = session.parts('cpu').find((part) => part.kind === 'value');
  return Number(value?.kind === 'value' ? value.text : NaN);
}

/**
 * The other chart gets so many for each second of CPU at least. It gets four frames and a hundred
 * rows when the slow cell uses all of the time, and none when the slow cell leaves it no turn.
 */
const framesPerSecond = 1;
const rowsPerSecond = 30;

const other = `import { count, from, generate, sum, tumbling } from 'sluice';
const ticks = generate({ rate: 100, timestamp: 'at' }, ({ n, now }) => ({ n, at: now }));
ticks.chart({ x: 'at', y: 'n' });`;
const spin = `const spin = (millis: number) => { const until = performance.now() + millis; while (performance.now() < until); };`;

const writers = {
  'flatMap to 10⁶ rows': `const rows = ticks.take(1).flatMap(function* () { for (let i = 0; i < 1_000_000; i++) yield i; });`,
  'a watermark that closes the windows of 10⁶ keys': `const rows = generate({ limit: 1_000_000, timestamp: 'at' }, ({ n }) => ({ n, at: 0 })).keyBy('n').window(tumbling('1s')).aggregate({ n2: count() }).map((row) => row.n);`,
  // No window closes before the end: the bound is longer than the twelve days of the million
  // seconds.
  'a watermark that closes 10⁶ windows one after the other': `const rows = generate({ limit: 1_000_000, timestamp: 'at', watermark: { outOfOrderness: '20d' } }, ({ n }) => ({ n, key: n % 100, at: n * 1000 })).keyBy('key').window(tumbling('1s')).aggregate({ n2: count() }).map((row) => row.n2);`,
} as const;
const readers = {
  'a for await that waits 1 ms a row': `for await (const row of rows) await new Promise((resolve) => setTimeout(resolve, 1));`,
  'a map that spins 1 ms': `const slow = rows.map((row) => { spin(1); return row; }); slow.show();`,
} as const;

for (const [writer, writes] of Object.entries(writers))
  for (const [reader, reads] of Object.entries(readers))
    test(
      `${writer} before ${reader}: memory stays, and other charts go on, also after its deletion`,
      { timeout: 300_000 },
      async () => {
        const sent = { frames: 0, rows: 0 };
        const countRows: NonNullable<Observer['rows']> = ({ display, rows }) => {
          if (display !== 'ticks/0' || rows.length === 0) return undefined;
          sent.frames++;
          sent.rows += rows.length;
          return undefined;
        };
        await using session = new LiveSession({ observer: { rows: countRows } });
        session.edit('ticks', other);
        await session.ran('ticks');
        await session.until(
          () => session.total('ticks'),
          (total) => total > 10,
          'rows of the other cell',
        );
        const isWindow = writer.includes('windows');
        const before = await heapOf(session);
        session.edit('slow', `${spin}\n${writes}\n${reads}`);
        const running = session.run('slow');
        // The state of 10⁶ windows is the state's own business: it is counted once it is full.
        if (isWindow)
          await session.until(
            () =>
              session.operators().find((one) => one.kind === 'windowAggregate')?.finished === false &&
              session.operators().find((one) => one.kind === 'windowAggregate')!.recordsIn >= 1_000_000,
            Boolean,
            'all windows to be open',
          );
        const start = isWindow ? await heapOf(session) : before;
        const deadline = Date.now() + watchMillis;
        const cpuAtStart = await cpuMillisOf(session);
        const watched = session.watch('ticks');
        const atStart = { ...sent };
        let highest = 0;
        for (let look = 0; Date.now() < deadline; look++) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          if (look % 60 === 0) highest = Math.max(highest, await heapOf(session));
        }
        const seconds = watchMillis / 1000;
        await session.until(
          () => ({ frames: sent.frames - atStart.frames, rows: sent.rows - atStart.rows }),
          ({ frames, rows }) => frames >= framesPerSecond * seconds && rows >= rowsPerSecond * seconds,
          'the other chart to go on',
        );
        const cpuAtEnd = await cpuMillisOf(session);
        const cpuSeconds = (cpuAtEnd - cpuAtStart) / 1000;
        const [frames, rows] = [sent.frames - atStart.frames, sent.rows - atStart.rows];
        const seen = `${frames} frames and ${rows} rows of the other chart in ${cpuSeconds.toFixed(1)} s of CPU`;
        assert.ok(frames >= framesPerSecond * cpuSeconds && rows >= rowsPerSecond * cpuSeconds, seen);
        await session.until(
          () => watched.rows,
          (reached) => reached >= rows,
          'all rows at the client of the other chart',
        );
        // The first snapshot of 10⁶ windows notes the key groups of each: 95 MB were measured.
        const most = (isWindow ? 130 : 50) * megabyte;
        assert.ok(highest - start < most, `heap grew by ${((highest - start) / megabyte).toFixed(1)} MB`);
        const used = process.cpuUsage();
        session.delete('slow');
        await running;
        const total = session.total('ticks');
        await session.until(
          () => session.total('ticks'),
          (now) => now > total + 20,
          'rows after the deletion',
        );
        // CPU of all threads.
        const { user, system } = process.cpuUsage(used);
        assert.ok(user + system < 6_000_000, `the deletion took ${(user + system) / 1000} ms of CPU`);
      },
    );

test(
  'a cell joins sample 03 with less than a second of CPU while its slow cell runs',
  { timeout: 300_000 },
  async () => {
    await using session = new LiveSession();
    const code = readNotebook(join(import.meta.dirname, '../../../samples/03-backpressure.sluice.ts')).cells.filter(
      ({ kind }) => kind === 'code',
    );
    for (const { id, text } of code) session.edit(id, text);
    await session.ran(...code.map(({ id }) => id));
    const named = (cell: string) => session.operators().find((one) => one.cell === cell && one.kind !== 'display');
    await session.until(
      () => named('readings')?.backpressured ?? 0,
      (share) => share > 0.5,
      'backpressure at the source',
    );
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      const before = named('calibrated')!.recordsIn;
      // The new cells read from the input and from the output of the slow cell. Both barriers pass
      // the slow cell.
      session.edit('late', `readings.map((reading) => reading.n * ${i + 2}).show();`);
      session.edit('below', `calibrated.map((reading) => reading.celsius + ${i}).show();`);
      const used = process.cpuUsage();
      await session.ran('late', 'below');
      const { user, system } = process.cpuUsage(used);
      times.push((user + system) / 1000);
      // 20 records are 100 ms of its work. It spins by the wall clock, and a busy machine gives it
      // less CPU a record, so more fit. A channel that does not follow its reader holds 4,096.
      await session.until(
        () => named('readings')!.recordsOut - named('calibrated')!.recordsIn,
        (waiting) => waiting <= 2000,
        'few records to wait before the slow cell',
      );
      await session.until(
        () => named('calibrated')!.recordsIn,
        (now) => now > before,
        'the slow cell to go on',
      );
    }
    // CPU of all threads for both cells, the best of three. The slow cell uses one thread
    // meanwhile.
    assert.ok(Math.min(...times) < 2000, `joined with ${times.join(', ')} ms of CPU`);
    const perSecond = named('calibrated')!.inPerSecond;
    assert.ok(perSecond > 0 && perSecond <= 600, `the slow cell takes about 5 ms a record: ${perSecond}/s`);
  },
);
