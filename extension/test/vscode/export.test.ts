// "Export as Job…" in a real VS Code: the preview of what goes and what stays, problems as they are
// typed, and a folder with the bytes of the command's. No Node and no native esbuild is installed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';

const skip = whyNoEditor() !== undefined;
const text = `// %% id=orders
import { count, generate, sum, tumbling } from 'sluice';
import { scale } from 'scale';
import { words } from 'words';
const orders = generate({ limit: 100, timestamp: 'at' }, ({ n }) => ({ customer: \`c\${n % 3}\`, amount: n, at: n * 100 }));
orders.show();

// %% id=totals
const rates = new Map([['c0', 2]]);
const seen: number[] = [];
const totals = orders
  .filter((o) => o.amount > (rates.get(o.customer) ?? 0))
  .keyBy('customer')
  .window(tumbling('1s'))
  .aggregate({ total: sum((o) => scale(o.amount)), n: count() });
totals.chart({ x: 'windowStart', y: 'total' });

// %% id=out
totals.sink((row) => { seen.push(row.n + words.length); });
export {};
`;
const corrected = text
  .replace("import { words } from 'words';\n", '')
  .replace('totals.sink((row) => { seen.push(row.n + words.length); });', "totals.toFile('totals.jsonl');");

let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  editor = await startEditor({ settings: { 'sluice.exportTarget': 'node' } });
  editor.write(
    'node_modules/scale/package.json',
    '{"name":"scale","version":"1.0.0","main":"index.js","types":"index.d.ts"}',
  );
  editor.write('node_modules/scale/index.js', 'exports.scale = (n) => n * 10;\n');
  editor.write('node_modules/scale/index.d.ts', 'export declare function scale(n: number): number;\n');
  // It reads a file beside its own, and no lock file names its version.
  editor.write('node_modules/words/package.json', '{"name":"words","version":"1.0.0","types":"index.d.ts"}');
  editor.write(
    'node_modules/words/index.js',
    "exports.words = require('node:fs').readFileSync(__dirname + '/words.txt', 'utf8');\n",
  );
  editor.write('node_modules/words/index.d.ts', 'export declare const words: string;\n');
  editor.write('node_modules/words/words.txt', 'ann');
  editor.write('orders.sluice.ts', text);
  window = await editor.open('orders.sluice.ts');
});
afterAll(async () => {
  await editor?.close();
});

const page = (): FrameLocator => window.page.frameLocator('iframe.webview').last().frameLocator('#active-frame');

test('with a target set, what keeps the notebook from being a job is shown in its cell', { skip }, async () => {
  await window.codeCell(2).locator('.squiggly-warning').first().waitFor();
  // esbuild in WebAssembly has looked into the packages.
  await window.codeCell(0).locator('.squiggly-warning').first().waitFor();
  assert.equal(await window.notebook.locator('.squiggly-error').count(), 0);
});

test('the preview shows what goes and what stays, follows the text, and leads to a folder', { skip }, async () => {
  await window.command('Sluice: Export as Job…');
  await window.pick('Node');
  const preview = page();
  await preview.getByText('2 errors. Correct the errors, and this page follows.').waitFor();
  await preview.getByText(/"words" cannot be bundled: words\/index\.js:1 looks for files beside itself/).waitFor();
  await preview.getByText(/This function changes seen of cell "totals"/).waitFor();
  assert.ok(await preview.getByRole('button', { name: 'Choose a Folder and Export' }).isDisabled());
  await window.screenshot('export-preview-error');

  editor.write('orders.sluice.ts', corrected);
  await preview.getByText('No problems.').waitFor();
  await preview.getByRole('row', { name: 'orders.show(); a display' }).waitFor();
  await preview.getByRole('row', { name: /totals\.chart\(.* a display/ }).waitFor();
  await preview.getByRole('row', { name: /const seen: .* no sink reaches it/ }).waitFor();
  await preview.getByRole('row', { name: /totals\.toFile\(.* a sink/ }).waitFor();
  await preview.getByRole('row', { name: /^rates cell totals its value at the export/ }).waitFor();
  await window.screenshot('export-preview');

  const out = join(editor.folder, 'orders-job');
  await preview.getByRole('button', { name: 'Choose a Folder and Export' }).click();
  await window.answer(out);
  await until(
    'the job',
    () => Promise.resolve(existsSync(join(out, 'package.json'))),
    (there) => there,
  );
  await window.page
    .getByText(/The job is in .*orders-job/)
    .first()
    .waitFor();
  await window.screenshot('export-done');

  const scratch = mkdtempSync(join(tmpdir(), 'sluice-export-'));
  try {
    const other = join(scratch, 'job');
    const cli = join(import.meta.dirname, '../../../dist/cli.js');
    const command = ['export', join(editor.folder, 'orders.sluice.ts'), '--target', 'node', '--out', other];
    const code = await new Promise((resolve) =>
      spawn(process.execPath, [cli, ...command], { stdio: 'ignore' }).on('close', resolve),
    );
    assert.equal(code, 0);
    const names = filesIn(other);
    assert.ok(names.includes('job.cjs') && names.includes('package-lock.json'));
    assert.deepEqual(filesIn(out), names);
    for (const name of names) assert.ok(readFileSync(join(out, name)).equals(readFileSync(join(other, name))), name);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}
