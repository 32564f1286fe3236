// A cell that holds more memory than the session may: its thread ends and nothing else does.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isAlive } from '../../client/registry.ts';
import type { SessionView } from '../../protocol/messages.ts';
import { code, Kernels, until, watch } from './kernels.ts';

const beat = `import { generate } from 'sluice';
const beat = generate({ rate: 50 }, ({ n }) => ({ n }));
beat.show();`;
const hogs = {
  'objects of an evaluation': `const all = []; for (;;) all.push({ n: all.length, text: 'x' + all.length });`,
  'numbers of an evaluation': `const all = []; for (let n = 0; ; n++) all.push(n + 0.5);`,
  'buffers of an operator': `const all = []; beat.map((row) => { all.push(Buffer.alloc(20e6, 1)); return row.n; }).show();`,
};

for (const [what, hog] of Object.entries(hogs))
  test(`${what}: the cell fails with the figures, the others go on`, { timeout: 60_000 }, async (t) => {
    process.env['SLUICE_MEMORY'] = '200';
    t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
    const kernels = new Kernels(t);
    const session = await kernels.connect(kernels.notebook());
    let state: SessionView | undefined;
    session.on('state', (view) => (state = view));
    await session.request('sync', { cells: code({ beat, hog }) });
    await session.request('run', { cells: ['beat'] });
    const view = watch(session, 'beat');
    const [result] = await session.request('run', { cells: ['hog'] });
    const failed = (): string | undefined =>
      result?.error?.message ?? state?.cells.find(({ id }) => id === 'hog')?.errors[0]?.message;
    await until(() => failed() !== undefined, 'the failure of the cell');
    const expected =
      /^Cell "hog" needed more memory than the session may hold \(sluice\.memory: 200 MB; .* held ([\d,]+) MB/;
    assert.match(failed()!, expected);
    assert.ok(Number(expected.exec(failed()!)![1]!.replaceAll(',', '')) > 200);
    assert.ok(isAlive(session.entry.pid), 'the kernel lives');
    const seen = view.messages.length;
    await until(() => view.messages.length > seen + 3, 'more rows of the other cell');
    await until(() => state?.cells.find(({ id }) => id === 'beat')?.phase === 'live', 'the other cell to be live');
  });
