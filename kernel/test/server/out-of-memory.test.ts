// A cell that holds more memory than the session may: its thread ends and nothing else does. The
// cell is found by what it holds, so that a busy neighbour is not taken for it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isAlive } from '../../client/registry.ts';
import type { SessionView } from '../../protocol/messages.ts';
import { code, Kernels, until, watch } from './kernels.ts';

const beat = `import { generate } from 'sluice';
const beat = generate({ rate: 50 }, ({ n }) => ({ n }));
beat.show();`;
/** At work most of the time, in a timer and in an operator. Keeps nothing. */
const busy = `const spin = (millis) => { const until = Date.now() + millis; let text = ''; while (Date.now() < until) text = JSON.stringify({ text: text.length }); return text; };
setInterval(() => spin(20), 30);
beat.map(({ n }) => ({ n, text: spin(5) })).show();`;
const cells = { beat, busy };

/** Another cell makes the rows. No code of the hog is on the stack when they come. */
const kept = {
  'rows of toArray': `const all = await many.toArray(); all.length`,
  'elements in state': `many.keyBy('n').process({ state: { last: valueState() }, *onElement(row, { state }) { state.last.set(row); } }).show();`,
};
for (const [what, hog] of Object.entries(kept))
  test(`${what}: the cell that keeps them fails, and not the one that makes them`, { timeout: 300_000 }, async (t) => {
    process.env['SLUICE_MEMORY'] = '200';
    t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
    const kernels = new Kernels(t);
    const session = await kernels.connect(kernels.notebook());
    let state: SessionView | undefined;
    session.on('state', (view) => (state = view));
    const many = `import { generate, valueState } from 'sluice';
const many = generate({ rate: 300_000, limit: 20_000_000 }, ({ n }) => ({ n, text: 'x' + n, list: [n, n + 1] }));`;
    await session.request('sync', { cells: code({ many, hog }) });
    await session.request('run', { cells: ['many'] });
    void session.request('run', { cells: ['hog'] });
    const errors = () =>
      state?.cells.flatMap(({ id, errors: all }) => all.map(({ message }) => ({ id, message }))) ?? [];
    await until(() => errors().length > 0, 'the failure of a cell');
    assert.deepEqual(
      errors().map(({ id }) => id),
      ['hog'],
    );
    assert.match(
      errors()[0]!.message,
      /^Cell "hog" needed more memory .* by far the (?:most|largest): (?:up to )?[\d,]+ /,
    );
  });

const hogs = {
  'objects of an evaluation': `const all = []; for (;;) all.push({ n: all.length, text: 'x' + all.length });`,
  'numbers of an evaluation': `const all = []; for (let n = 0; ; n++) all.push(n + 0.5);`,
  'objects behind an await': `await new Promise((done) => setTimeout(done, 100)); const all = []; for (;;) all.push({ n: all.length, text: 'x' + all.length });`,
  'objects of a loop that awaits': `const all = []; for (;;) { await new Promise((done) => setTimeout(done, 5)); for (let n = 0; n < 20_000; n++) all.push({ n, text: 'x' + n }); }`,
  'buffers of an operator': `const all = []; beat.map((row) => { all.push(Buffer.alloc(20e6, 1)); return row.n; }).show();`,
  'objects of an operator': `const all = []; beat.map((row) => { for (let n = 0; n < 20_000; n++) all.push({ n, text: 'x' + n }); return row.n; }).show();`,
  'objects of one timer': `const all = []; setTimeout(() => { for (;;) all.push({ n: all.length, text: 'x' + all.length }); }, 500);`,
  'objects of many timers': `const all = []; setInterval(() => { for (let n = 0; n < 20_000; n++) all.push({ n, text: 'x' + n }); }, 5);`,
  'buffers of many timers': `const all = []; setInterval(() => all.push(Buffer.alloc(1e6, 1)), 10);`,
  'objects of a promise that nobody awaits': `const all = []; const fill = async () => { for (;;) { await new Promise((done) => setImmediate(done)); for (let n = 0; n < 20_000; n++) all.push({ n, text: 'x' + n }); } }; void fill();`,
  'texts of a callback of Node': `import { readFile } from 'node:fs'; const all = []; const again = () => readFile('/dev/null', () => { for (let n = 0; n < 2000; n++) all.push(('x' + n).repeat(50).split('')); again(); }); again();`,
};

for (const [what, hog] of Object.entries(hogs))
  test(`${what}: the cell fails with the figures, the others go on`, { timeout: 300_000 }, async (t) => {
    process.env['SLUICE_MEMORY'] = '200';
    t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
    const kernels = new Kernels(t);
    const session = await kernels.connect(kernels.notebook());
    let state: SessionView | undefined;
    session.on('state', (view) => (state = view));
    await session.request('sync', { cells: code({ ...cells, hog }) });
    await session.request('run', { cells: ['beat', 'busy'] });
    const view = watch(session, 'beat');
    const [result] = await session.request('run', { cells: ['hog'] });
    const failed = (): string | undefined =>
      result?.error?.message ?? state?.cells.find(({ id }) => id === 'hog')?.errors[0]?.message;
    await until(() => failed() !== undefined, 'the failure of the cell');
    // One that fills the memory between two looks is known only as the one at work.
    const expected =
      /^Cell "hog" (?:needed more memory|was at work when the session held more memory) than .* \(sluice\.memory: 200 MB; .* held ([\d,]+) MB/;
    assert.match(failed()!, expected);
    assert.ok(Number(expected.exec(failed()!)![1]!.replaceAll(',', '')) > 200);
    assert.ok(isAlive(session.entry.pid), 'the kernel lives');
    const seen = view.messages.length;
    await until(() => view.messages.length > seen + 3, 'more rows of the other cell');
    for (const cell of Object.keys(cells)) {
      const shown = () => state?.cells.find(({ id }) => id === cell);
      await until(() => shown()?.phase === 'live', `the cell ${cell} to be live`);
      assert.deepEqual(shown()?.errors, [], cell);
    }
  });
