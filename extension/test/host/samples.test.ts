// The samples of "Open a Sample": each has a title and a sentence, and is copied with the files
// that it reads.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import { filesOf, listSamples } from '../../commands/sample-files.ts';

const folder = join(import.meta.dirname, '../../../samples');

test('every sample has a title and a sentence', async () => {
  const samples = await listSamples(folder);
  assert.ok(samples.length >= 3);
  for (const { file, title, summary } of samples) {
    assert.match(file, /^\d\d-[\w-]+\.sluice\.ts$/);
    assert.notEqual(title, file.replace('.sluice.ts', ''));
    assert.match(summary, /\.$/);
  }
});

test('the first sample comes with its data', async () => {
  assert.deepEqual(await filesOf(folder, '01-first-chart.sluice.ts'), ['data/earthquakes.jsonl']);
});
