// A cell that ends the thread of the executor again and again: it is not restored a third time. It
// fails with the reason, and the other cells go on.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { isAlive } from '../../client/registry.ts';
import type { SessionView } from '../../protocol/messages.ts';
import { code, Kernels, until, watch } from './kernels.ts';

const timeout = { timeout: 300_000 };
const beat = `import { generate } from 'sluice';
const beat = generate({ rate: 50 }, ({ n }) => ({ n }));
beat.show();`;
const busy = 'beat.map(({ n }) => n * 2).show();';
const end = '(process as unknown as { reallyExit(code: number): void }).reallyExit(7)';

const ends = {
  'an operator that ends it': `beat.map(({ n }) => { ${end}; return n; }).show();`,
  'an operator in windows that ends it': `import { tumbling } from 'sluice';
beat.keyBy(({ n }) => n % 2).window(tumbling('200ms', { time: 'processing' })).reduce((a, b) => { ${end}; return a; }).show();`,
  'a callback of mapAsync that ends it': `beat.mapAsync(async ({ n }) => { await null; ${end}; return n; }).show();`,
  'a timer that ends it': `setTimeout(() => ${end}, 300);`,
  'a promise that ends it': `void new Promise((done) => setTimeout(done, 300)).then(() => ${end});`,
  'a timer that throws, when nobody hears it': `setTimeout(() => { process.removeAllListeners('uncaughtException'); throw new Error('bare'); }, 300);`,
};

for (const [what, text] of Object.entries(ends))
  test(`${what}: the cell fails, the others go on`, timeout, async (t) => {
    const kernels = new Kernels(t);
    const session = await kernels.connect(kernels.notebook());
    let state: SessionView | undefined;
    session.on('state', (view) => (state = view));
    await session.request('sync', { cells: code({ beat, busy, bad: text }) });
    await session.request('run', { cells: ['beat', 'busy'] });
    const view = watch(session, 'busy');
    await session.request('run', { cells: ['bad'] });
    const shown = (cell: string) => state?.cells.find(({ id }) => id === cell);
    await until(() => shown('bad')?.phase === 'failed', 'the failure');
    assert.match(shown('bad')!.errors[0]!.message, /was at work each of 3 times that the executor ended/);
    assert.ok(isAlive(session.entry.pid), 'the kernel lives');
    const seen = view.messages.length;
    await until(() => view.messages.length > seen + 3, 'more rows of the other cell');
    for (const cell of ['beat', 'busy']) {
      await until(() => shown(cell)?.phase === 'live', `the cell ${cell} to be live`);
      assert.deepEqual(shown(cell)?.errors, [], cell);
    }
  });
