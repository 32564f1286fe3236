// What a slow reader does not take stays where it costs nothing: in the iterator, in the window's state, in the source. Each case is watched for 20 s.
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  'a watermark that closes 10⁶ windows': `const rows = generate({ limit: 1_000_000, timestamp: 'at' }, ({ n }) => ({ n, at: 0 })).keyBy('n').window(tumbling('1s')).aggregate({ n2: count() }).map((row) => row.n);`,
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
              session.operators().find((one) => one.kind === 'window-aggregate')?.finished === false &&
              session.operators().find((one) => one.kind === 'window-aggregate')!.recordsIn >= 1_000_000,
            Boolean,
            'all windows to be open',
            60_000,
          );
        const start = isWindow ? await heapOf(session) : before;
        const deadline = Date.now() + watchMillis;
        let frames = 0;
        let seen = session.total('ticks');
        let highest = 0;
        while (Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          const now = session.total('ticks');
          if (now > seen) frames++;
          seen = now;
          if (frames % 20 === 0) highest = Math.max(highest, await heapOf(session));
        }
        assert.ok(
          frames / (watchMillis / 1000) >= 3,
          `the other chart has ${(frames / (watchMillis / 1000)).toFixed(1)} frames/s`,
        );
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

test(
  'a cell joins in under a second while a slow cell reads the same source, whose channel holds little work',
  { timeout: 60_000 },
  async () => {
    await using session = new LiveSession();
    session.edit('ticks', other.replace('rate: 100', 'rate: 2000'));
    session.edit('slow', `${spin}\nconst slow = ticks.map((tick) => { spin(5); return tick; }); slow.show();`);
    session.edit('late', `ticks.map((tick) => tick.n * 2).show();`);
    await session.ran('ticks', 'slow');
    await session.until(
      () => session.operators().find((one) => one.kind === 'generate')?.backpressured ?? 0,
      (share) => share > 0.5,
      'backpressure',
    );
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      session.edit('late', `ticks.map((tick) => tick.n * ${i + 2}).show();`);
      const [result] = await session.run('late');
      assert.ok(result!.ok, result!.error?.message);
      times.push(result!.millis);
    }
    assert.ok(Math.min(...times) < 1000, `joined in ${times.join(', ')} ms`);
  },
);
