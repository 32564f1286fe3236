// The connections, registries and parameters that a job needs, found in cells and helper modules.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { exportability, type Exportability } from '../../export/exportability.ts';
import { identify } from '../../protocol/cell-identity.ts';
import { parseNotebook } from '../../protocol/notebook-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-connections-'));
const notebook = join(folder, 'n.sluice.ts');
const service = new NotebookLanguageService({ notebook });
afterAll(() => {
  service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

interface Checked {
  readonly exported: Exportability;
  readonly problems: readonly string[];
}
function checked(text: string, files: Readonly<Record<string, string>> = {}): Checked {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const parsed = parseNotebook(text);
  const identities = identify(parsed);
  service.update(parsed.map(({ kind, text: cell }, i) => ({ id: identities[i]!.id, kind, text: cell })));
  const exported = exportability(notebook, 'node', service.typed());
  const problems = exported.problems.map(
    ({ cell, line, column, severity, code, message }) => `${cell} ${line}:${column} ${severity} ${code} ${message}`,
  );
  return { exported, problems };
}

test('connections of helper modules and of variables are those of the job', () => {
  const files = {
    'clusters.ts': `import { kafka, type Stream } from 'sluice';
export const audit = (topic: string) => kafka(topic, { connection: 'audit' });
export const either = (connection: 'a' | 'b') => kafka('either', { connection });
export const unused = () => kafka('t', { connection: 'unused' });
export function write(rows: Stream<any>) { return rows.to('out', { connection: 'sink' }); }
`,
  };
  const { problems, exported } = checked(
    `// %% id=out
import { kafka, table } from 'sluice';
import { audit, either, write } from './clusters.ts';
const connection = 'named';
const options = { connection: 'object' };
const base = { ...options, format: 'json' as const };
const read = kafka;
kafka('t', { connection }).toFile('1');
kafka('t', base).toFile('2');
kafka('t', { ...base, connection: 'over', registry: 'staging' }).toFile('3');
read('t', { connection: 'alias' }).toFile('4');
audit('t').toFile('5');
either('a').toFile('6');
write(kafka('t', { connection: base.connection, format: 'json' }));
`,
    files,
  );
  assert.deepEqual(problems, []);
  assert.deepEqual(exported.connections, ['a', 'alias', 'audit', 'b', 'named', 'object', 'over', 'sink']);
  assert.deepEqual(exported.registries, { names: ['staging'], isUsed: true });
});

test('a connection that is computed is an error, in a cell and in a helper module', () => {
  const files = {
    'any.ts': `import { kafka } from 'sluice';
export const any = (connection: string) => kafka('t', { connection });
`,
  };
  const { problems, exported } = checked(
    `// %% id=out
import { kafka, param } from 'sluice';
import { any } from './any.ts';
const connection = param('cluster', 'prod');
kafka('t', { connection, format: 'json' }).toFile('1');
kafka('t', { connection: connection as 'prod' | 'test', format: 'json' }).toFile('2');
any('prod').toFile('3');
`,
    files,
  );
  const why =
    "The connection of this kafka() is computed, so the job could not check it when it starts. Write its name as a text, or give it a type of the possible names: 'prod' | 'test'.";
  assert.deepEqual(problems, [
    `out 4:1 error connection-unknown ${why}`,
    `out 6:1 error connection-unknown any.ts:2: ${why}`,
  ]);
  assert.deepEqual(exported.connections, ['prod', 'test']);
});

test('a registry is used where records may have a schema id, and defaults of parameters are known', () => {
  const of = (text: string): Exportability =>
    checked(`// %% id=out\nimport { kafka, param } from 'sluice';\n${text}`).exported;
  const isUsed = (text: string): boolean => of(text).registries.isUsed;
  assert.equal(isUsed("kafka('t').toFile('1');"), true);
  assert.equal(isUsed("kafka('t', { format: 'json' }).toFile('1');"), false);
  assert.equal(isUsed("kafka('t', { format: 'avro', schemaFile: 'a.avsc' }).toFile('1');"), false);
  assert.equal(isUsed("kafka<any>('t', { format: 'json' }).to('u', { format: 'avro', schemaFile: 'a.avsc' });"), true);
  const limits = `const least = param('least', 5), most = param('most', least * 2), all = param('all', false);
const mixed = [param('mixed', 1), param('mixed', 'a')];
kafka<any>('t').filter(() => all || least < most).sink(() => void [mixed, param('name', 'x')]);`;
  assert.deepEqual(of(limits).paramDefaults, {
    all: { type: 'boolean', text: 'false' },
    least: { type: 'number', text: '5' },
    most: { type: 'number' },
    name: { type: 'string', text: 'x' },
  });
});
