// The schema files of a job: their texts are in the job, with the files that they import, and what
// cannot be inside is named.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { readSchemaFile } from '../../../engine/formats/schema-file.ts';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { exportability, type Exportability } from '../../export/exportability.ts';
import { embeddedModules } from '../../job/embedded-modules.ts';
import type { JobData } from '../../job/job-data.ts';

const root = mkdtempSync(join(tmpdir(), 'sluice-schemas-'));
const folder = join(root, 'notebooks');
const notebook = join(folder, 'n.sluice.ts');
const service = new NotebookLanguageService({ notebook });
afterAll(() => {
  service.dispose();
  rmSync(root, { recursive: true, force: true });
});
const files: Readonly<Record<string, string>> = {
  'notebooks/total.avsc': '"long"',
  'notebooks/key.json': '"string"',
  'schemas/order.proto': 'syntax = "proto3"; import "common/money.proto"; message Order { common.Money price = 1; }',
  'schemas/common/money.proto': 'syntax = "proto3"; package common; message Money { int64 cents = 1; }',
  'notebooks/sinks.ts': `import type { Stream } from 'sluice';
export const write = (rows: Stream<number>) => rows.to('totals', { format: 'avro', schemaFile: 'total.avsc' });
`,
};
for (const [name, text] of Object.entries(files)) {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), text);
}
function checked(text: string): Exportability {
  service.update([{ id: 'out', kind: 'code', text }]);
  return exportability(notebook, 'node', service.typed());
}

test('a job has the texts of its schema files, and needs no disk for them', () => {
  const { schemas, problems } = checked(`import { kafka } from 'sluice';
import { write } from './sinks.ts';
const format = { keyFormat: 'avro', keySchemaFile: 'key.json' } as const;
const orders = kafka('orders', { format: 'protobuf', schemaFile: '../schemas/order.proto', ...format });
write(orders.map(() => 1));
`);
  assert.deepEqual(problems, []);
  assert.deepEqual(Object.keys(schemas), [
    '../schemas/common/money.proto',
    '../schemas/order.proto',
    'key.json',
    'total.avsc',
  ]);
  const data: JobData = {
    ...{ name: 'n', build: '1', notebook: 'n.sluice.ts', cells: [], modules: [], resolved: {}, packages: [], schemas },
    ...{ connections: [], registries: { names: [], isUsed: false }, paramDefaults: {} },
  };
  const { schemaText } = embeddedModules('/elsewhere/job/n.sluice.ts', data, () => Promise.reject(new Error('none')));
  const inJob = readSchemaFile('/elsewhere/schemas/order.proto', 'protobuf', undefined, schemaText);
  assert.deepEqual(inJob, readSchemaFile(join(root, 'schemas/order.proto'), 'protobuf'));
  assert.equal(inJob.references.length, 1);
});

test('a schema file that is missing is an error at the call, and a computed name is a warning', () => {
  const { problems } = checked(`import { kafka, param } from 'sluice';
kafka('a', { format: 'avro', schemaFile: 'gone.avsc' }).toFile('a.jsonl');
kafka('b', { format: 'avro', schemaFile: param('schema', 'total.avsc') }).toFile('b.jsonl');
`);
  const found = problems.map(({ line, column, severity, code, message }) => [line, column, severity, code, message]);
  assert.deepEqual(found, [
    [
      ...[2, 1, 'error', 'schema-file'],
      `The schema file cannot be read: ENOENT: no such file or directory, stat '${join(folder, 'gone.avsc')}'.`,
    ],
    [
      ...[3, 1, 'warning', 'schema-file-unknown'],
      'The schemaFile of this kafka() is computed, so the job does not have the file inside: it reads it from SLUICE_DATA_DIR. Write its name as a text.',
    ],
  ]);
});
