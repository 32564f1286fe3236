// A slow reader. Its unread rows stay in the iterator, in the window's state or in the source,
// where they cost nothing.
// Each case is watched for 20 s.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import { readNotebook } from '../../terminal/notebook.ts';
import { LiveSession } from './live-session.ts';

const megabyte = 2 ** 20;
const watchMillis = 20_000;
/** The executor's own heap, after a collection. */
const probe = `import v8 from 'node:v8'; import vm from 'node:vm';
v8.setFlagsFromString('--expose-gc'); vm.runInNewContext('gc')(); process.memoryUsage().heapUsed`;

async function heapOf(session: LiveSession): Promise<number> {
  session.edit('probe', `${probe} + ${Math.random()}`);
  await session.ran('probe');
  const value = session.parts('probe').find((part) => part.kind === 'value');
  return Number(value?.kind === 'value' ? value.text : NaN);
}

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
      `${writer} before ${reader}: memory stays, other charts go on, deleting the cell ends it`,
      { timeout: 120_000 },
      async () => {
        await using session = new LiveSession();
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
            60_000,
          );
        const start = isWindow ? await heapOf(session) : before;
        const deadline = Date.now() + watchMillis;
        const ticks = session.watch('ticks');
        let highest = 0;
        for (let look = 0; Date.now() < deadline; look++) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          if (look % 60 === 0) highest = Math.max(highest, await heapOf(session));
        }
        const perSecond = ticks.frames / (watchMillis / 1000);
        assert.ok(perSecond >= 3, `the other chart has ${perSecond.toFixed(1)} frames/s`);
        assert.ok(ticks.rows > 90 * (watchMillis / 1000), `${ticks.rows} rows of the other chart`);
        assert.ok(highest - start < 50 * megabyte, `heap grew by ${((highest - start) / megabyte).toFixed(1)} MB`);
        const deletedAt = Date.now();
        session.delete('slow');
        await running;
        const total = session.total('ticks');
        await session.until(
          () => session.total('ticks'),
          (now) => now > total + 20,
          'rows after the deletion',
        );
        assert.ok(Date.now() - deletedAt < 3000, `deleted in ${Date.now() - deletedAt} ms`);
      },
    );

test('a cell joins sample 03 in under a second while its slow cell runs', { timeout: 90_000 }, async () => {
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
    30_000,
  );
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = named('calibrated')!.recordsIn;
    // The new cells read from the input and from the output of the slow cell. Both barriers pass
    // the slow cell.
    session.edit('late', `readings.map((reading) => reading.n * ${i + 2}).show();`);
    session.edit('below', `calibrated.map((reading) => reading.celsius + ${i}).show();`);
    const results = await session.run('late', 'below');
    for (const { ok, error, millis } of results) {
      assert.ok(ok, error?.message);
      times.push(millis);
    }
    const waiting = named('readings')!.recordsOut - named('calibrated')!.recordsIn;
    assert.ok(waiting <= 100, `${waiting} records wait before the slow cell: more than 100 ms of work`);
    await session.until(
      () => named('calibrated')!.recordsIn,
      (now) => now > before,
      'the slow cell to go on',
    );
  }
  // Each cell's best of three: other programs may have the machine for a moment.
  for (const cell of [0, 1]) {
    const own = times.filter((_, index) => index % 2 === cell);
    assert.ok(Math.min(...own) < 1000, `joined in ${own.join(', ')} ms`);
  }
  const perSecond = named('calibrated')!.inPerSecond;
  assert.ok(perSecond > 20 && perSecond <= 220, `the slow cell takes about 5 ms a record: ${perSecond}/s`);
});
