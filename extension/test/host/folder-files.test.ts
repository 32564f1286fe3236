// "Set Up This Folder" makes `import 'sluice'` known to a plain tsc in a folder without npm, and
// overwrites no file of the user.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { ambientDeclarations } from '../../../.ci/build/declarations.ts';
import { folderFiles } from '../../commands/folder-files.ts';

const root = join(import.meta.dirname, '../../..');
const declarations = ambientDeclarations(
  readFileSync(join(root, 'engine/api/surface.ts'), 'utf8'),
  readFileSync(join(root, 'engine/testing/surface.ts'), 'utf8'),
);

test('tsc --strict passes over a notebook, and finds its errors', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-folder-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { files, advice } = folderFiles({ hasTsconfig: false, packageJson: undefined }, declarations);
  assert.deepEqual(advice, []);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  cpSync(join(root, 'samples/01-first-chart.sluice.ts'), join(folder, 'first.sluice.ts'));
  writeFileSync(
    join(folder, 'own.sluice.ts'),
    `import { generate, kafka } from 'sluice';
declare module 'sluice' {
  interface Topics { orders: { id: string; amount: number } }
}
const orders = kafka('orders');
const [row] = await orders.take(1).toArray();
export const amount: number = row!.amount;
// @ts-expect-error no such field
orders.keyBy('custmer');
// @ts-expect-error nothing but the public names
import type { FieldOf } from 'sluice';
generate({ rate: 1 }, ({ n }) => ({ n })).show();
`,
  );
  writeFileSync(
    join(folder, 'own.test.ts'),
    "import { harness } from 'sluice/testing';\nexport const made: typeof harness = harness;\n",
  );
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
});

test('files of the user are not changed, and the advice names what they lack', () => {
  const { files, advice } = folderFiles({ hasTsconfig: true, packageJson: '{ "name": "mine" }' }, declarations);
  assert.deepEqual(Object.keys(files), ['.sluice/sluice.d.ts']);
  assert.equal(advice.length, 2);
  assert.deepEqual(
    folderFiles({ hasTsconfig: true, packageJson: '{ "type": "module" }' }, declarations).advice.length,
    1,
  );
});
