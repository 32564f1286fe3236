// The default for the idleness of sources: 10 s in a notebook, none in a job. A job gives the same
// rows at any pace of reading.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { diskModules } from '../../cells/disk-modules.ts';
import { Evaluator } from '../../executor/evaluation.ts';
import { TestNotebook } from '../cells/cells-of.ts';

const sources = {
  silent: `import { kafka } from 'sluice';\nkafka('orders').show();`,
  given: `import { kafka } from 'sluice';\nkafka('orders', { watermark: { idleness: '3s' } }).show();`,
};
const expected = [
  { isJob: false, silent: 10_000, given: 3_000 },
  { isJob: true, silent: undefined, given: 3_000 },
];

for (const { isJob, ...idleness } of expected)
  test(`the default idleness of ${isJob ? 'a job' : 'a notebook'} is ${idleness.silent ?? 'none'}`, async (t) => {
    const notebook = new TestNotebook(t, sources);
    const host = {
      openPull: () => assert.fail('The cell pulls nothing.'),
      lookup: () => undefined,
    };
    const evaluator = new Evaluator(
      { notebook: `${notebook.folder}/test.sluice.ts`, params: {}, isJob, modules: diskModules(notebook.folder) },
      host,
    );
    for (const cell of ['silent', 'given'] as const) {
      const { code } = notebook.compile(cell);
      const command = { kind: 'evaluate', run: 1, cell, version: 1, code, declares: [], uses: [] } as const;
      const { fragment } = await evaluator.begin(command).run();
      const source = fragment.nodes.find((node) => node.kind === 'kafka');
      assert.ok(source?.kind === 'kafka');
      assert.equal(source.parameters.watermark?.idlenessMillis, idleness[cell]);
    }
  });
