// `sluice run --json` gives the rows that a session gives, line by line in the exact form, wherever the cells stand in the file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { files, runAll, shown, texts } from '../live/file-notebook.ts';
import { seeded } from '../live/seeded.ts';
import { Folder, sluice } from './sluice.ts';

for (const seed of [1, 2, 3])
  test(`texts ${seed}: sluice run --json prints what Run All shows`, { timeout: 60_000 }, async (t) => {
    const chance = seeded(seed);
    const choice = Object.fromEntries(Object.keys(texts).map((id) => [id, chance.pick([0, 1])]));
    const inAnyOrder = Object.keys(texts)
      .map((id) => ({ id, place: chance.next() }))
      .sort((a, b) => a.place - b.place);
    const folder = new Folder(t);
    for (const [name, text] of Object.entries(files)) folder.write(name, text);
    const notebook = folder.write(
      'any.sluice.ts',
      inAnyOrder.map(({ id }) => `// %% id=${id}\n${texts[id]![choice[id]!]!}\n`).join('\n'),
    );
    const expected = await runAll(choice);
    const { code, out, err } = await sluice('run', notebook, '--json');
    assert.deepEqual([code, err], [0, '']);
    const lines = out.trimEnd().split('\n');
    assert.match(lines.pop()!, /^\{"metrics":\{"operators":\[.*\]\}\}$/);
    const wanted = shown.flatMap((id) => expected[id]!.map((row) => `{"cell":"${id}","row":${row}}`));
    assert.ok(wanted.length > 100);
    assert.deepEqual(lines.toSorted(), wanted.toSorted(), JSON.stringify(choice));
  });
