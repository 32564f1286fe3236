// The bounds of memory that a user can set: the setting sluice.memory, and Node's own option for
// the kernel's process. A cell that goes beyond either of them ends the thread of the cells and
// nothing else: the cell fails, the others go on with their state, and so do other sessions.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import type { Connection } from '../../client/connect.ts';
import { isAlive } from '../../client/registry.ts';
import type { SessionView } from '../../protocol/messages.ts';
import { fromWire } from '../../protocol/values.ts';
import { code, Kernels, until, watch } from './kernels.ts';

const timeout = { timeout: 300_000 };
const cells = {
  beat: `import { count, generate } from 'sluice';
const beat = generate({ rate: 50 }, ({ n }) => ({ n, k: 'a' }));
beat.show();`,
  counts: "beat.keyBy('k').aggregate({ c: count() }).show();",
};
const hogs = {
  'objects of an evaluation': "const all = []; for (;;) all.push({ n: all.length, text: 'x' + all.length });",
  'texts of an evaluation':
    "const all = []; for (let n = 0; ; n++) all.push(('x' + n).repeat(1000).split('').join('-'));",
  'objects of an operator':
    "const all = []; beat.map((row) => { for (let n = 0; n < 50_000; n++) all.push({ n, text: 'x' + n }); return row.n; }).show();",
  'buffers of an operator':
    'const all = []; beat.map((row) => { all.push(Buffer.alloc(20e6, 1)); return row.n; }).show();',
  'objects of a timer':
    "const all = []; setTimeout(() => { for (;;) all.push({ n: all.length, text: 'x' + all.length }); }, 500);",
};

/** The kernel, with an option of Node for its process. */
function nodeWith(kernels: Kernels, option: string): string {
  const path = join(kernels.folder, 'node-with-option');
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' ${option} "$@"\n`);
  chmodSync(path, 0o700);
  return path;
}
const bounds = {
  'the smallest setting': (_: Kernels, t: TestContext) => {
    process.env['SLUICE_MEMORY'] = '64';
    t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
    return {};
  },
  '--max-old-space-size': (kernels: Kernels) => ({ execPath: nodeWith(kernels, '--max-old-space-size=200') }),
  'a large setting and --max-old-space-size': (kernels: Kernels, t: TestContext) => {
    process.env['SLUICE_MEMORY'] = '8000';
    t.onTestFinished(() => void delete process.env['SLUICE_MEMORY']);
    return { execPath: nodeWith(kernels, '--max-old-space-size=200') };
  },
};

/** A session whose cells run. */
async function running(connection: Connection) {
  const seen: { state?: SessionView } = {};
  connection.on('state', (view) => (seen.state = view));
  await connection.request('sync', { cells: code(cells) });
  for (const { ok, error } of await connection.request('run', { cells: Object.keys(cells) }))
    assert.ok(ok, error?.message);
  const view = watch(connection, 'counts');
  const counted = (): number => {
    const part = view.parts.find(({ kind }) => kind === 'table');
    const last = part?.kind === 'table' ? part.rows.at(-1) : undefined;
    return last ? (fromWire(last.value) as { c: number }).c : 0;
  };
  await until(() => counted() > 0, 'the first count');
  return { shown: (cell: string) => seen.state?.cells.find(({ id }) => id === cell), counted };
}

for (const [bound, options] of Object.entries(bounds))
  for (const [what, hog] of Object.entries(hogs))
    test(`${what}, with ${bound}`, timeout, async (t) => {
      const kernels = new Kernels(t);
      const session = await kernels.connect(kernels.notebook(), options(kernels, t));
      const other = await kernels.connect(kernels.notebook('other.sluice.ts'));
      const { shown, counted } = await running(session);
      const neighbour = await running(other);
      await until(() => counted() > 100, 'counted rows');

      await session.request('sync', { cells: code({ ...cells, hog }) });
      const [result] = await session.request('run', { cells: ['hog'] });
      const failure = (): string | undefined => result?.error?.message ?? shown('hog')?.errors[0]?.message;
      await until(() => failure() !== undefined, 'the failure of the cell');
      const expected =
        /^Cell "hog" (?:needed more memory|was at work when the session held more memory) than .* \(sluice\.memory: (\d+) MB; .* held ([\d,]+) MB/;
      const [, limit, held] = expected.exec(failure()!) ?? assert.fail(failure());
      assert.ok(Number(limit) <= 256, failure());
      assert.ok(Number(held!.replaceAll(',', '')) > 0);

      assert.ok(isAlive(session.entry.pid), 'the kernel lives');
      for (const cell of Object.keys(cells)) {
        await until(() => shown(cell)?.phase === 'live', `the cell ${cell} to be live`);
        assert.deepEqual(shown(cell)?.errors, [], cell);
      }
      const before = counted();
      assert.ok(before > 50, `the state of the others is kept: ${before}`);
      await until(() => counted() > before, 'more counted rows');
      const [theirs] = [neighbour.counted()];
      await until(() => neighbour.counted() > theirs, 'rows of the other session');
      assert.deepEqual(neighbour.shown('counts')?.errors, []);
    });
