// Law: `sluice run --json` prints the rows that a session gives, in the exact form, for any order
// of the cells in the file.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { choices, files, runAll, shown, texts } from '../session-live/file-notebook.ts';
import { Folder, sluice } from './sluice.ts';

test('sluice run --json prints what Run All shows, whatever the texts and the order of the cells', async (t) => {
  const ids = Object.keys(texts);
  const order = fc.shuffledSubarray(ids, { minLength: ids.length });
  const law = fc.asyncProperty(choices, order, async (choice, inAnyOrder) => {
    const folder = new Folder(t);
    for (const [name, text] of Object.entries(files)) folder.write(name, text);
    const cells = inAnyOrder.map((id) => `// %% id=${id}\n${texts[id]![choice[id]!]!}\n`);
    const notebook = folder.write('any.sluice.ts', cells.join('\n'));
    const expected = await runAll(choice);
    const { code, out, err } = await sluice('run', notebook, '--json');
    assert.deepEqual([code, err], [0, '']);
    const lines = out.trimEnd().split('\n');
    assert.match(lines.pop()!, /^\{"metrics":\{"operators":\[.*\]\}\}$/);
    const wanted = shown.flatMap((id) => expected[id]!.map((row) => `{"cell":"${id}","row":${row}}`));
    assert.ok(wanted.length > 100);
    assert.deepEqual(lines.toSorted(), wanted.toSorted());
  });
  const numRuns = Number(process.env['SLUICE_SCHEDULES'] ?? 4);
  await fc.assert(law, { numRuns, interruptAfterTimeLimit: numRuns > 4 ? undefined : 45_000 });
});
