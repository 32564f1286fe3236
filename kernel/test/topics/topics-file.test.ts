// The file with the types of topics: what is written, what stays, and that writing twice changes
// nothing.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test, type TestContext } from 'vitest';
import { plain, type RowType } from '../../topics/row-type.ts';
import { topicsIn, withTopic, writeTopics } from '../../topics/topics-file.ts';

function fileOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-topics-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, '.sluice', 'topics.d.ts');
}
const row = (name: string): RowType => ({
  kind: 'object',
  fields: [{ name, type: plain('number'), isOptional: false }],
});
const typed = (name: string, about = 'JSON, inferred from records') => ({ type: row(name), about });

test('topics are written in the order of their names, and quoted if need be', (t) => {
  const path = fileOf(t);
  writeTopics(
    path,
    new Map([
      ['orders', typed('id')],
      ['eu.orders-1', typed('id', 'Avro, schema 7')],
      ['a', typed('id')],
    ]),
  );
  assert.equal(
    readFileSync(path, 'utf8'),
    `// Row types by topic. \`sluice types\` and "Type This Topic" add topics here and replace them.
export {};
declare module 'sluice' {
  interface Topics {
    /** JSON, inferred from records. */
    a: {
      id: number;
    };
    /** Avro, schema 7. */
    "eu.orders-1": {
      id: number;
    };
    /** JSON, inferred from records. */
    orders: {
      id: number;
    };
  }
}
`,
  );
  assert.deepEqual(topicsIn(path), ['a', 'eu.orders-1', 'orders']);
  assert.deepEqual(readdirSync(join(path, '..')), ['topics.d.ts'], 'no other file is left');
});

test('what the user wrote stays: other topics, comments, types and line ends', (t) => {
  const path = fileOf(t);
  const before = `// mine
import type { Money } from '../money';
declare module 'sluice' {
  interface Other { a: 1 }
  interface Topics {
    // by hand
    orders: { price: Money };
    zebra: string; // a remark
  }
}
type Own = 1;
`;
  const after = withTopic(before, path, 'payments', typed('id'));
  assert.equal(
    after,
    before.replace(
      '    zebra',
      '    /** JSON, inferred from records. */\n    payments: {\n      id: number;\n    };\n    zebra',
    ),
  );
  const replaced = withTopic(after, path, 'orders', typed('n'));
  assert.ok(
    replaced.includes('// by hand\n    /** JSON, inferred from records. */\n    orders: {\n      n: number;\n    };\n'),
  );
  assert.ok(replaced.includes('import type { Money }') && replaced.includes('zebra: string; // a remark'));
});

test('a file that cannot be understood is refused and stays as it is', (t) => {
  const path = fileOf(t);
  writeTopics(path, new Map([['a', typed('id')]]));
  for (const [text, message] of [
    ['export {};\n', /has no interface Topics of the module sluice/],
    ["declare module 'sluice' { interface Topics { a: ", /has a syntax error/],
  ] as const) {
    writeFileSync(path, text);
    assert.throws(() => writeTopics(path, new Map([['b', typed('id')]])), { code: 'topics-file', message });
    assert.equal(readFileSync(path, 'utf8'), text);
  }
  writeFileSync(path, '');
  assert.ok(writeTopics(path, new Map([['b', typed('id')]])), 'an empty file is begun anew');
});

test('law: writing topics in any order gives the same file, and writing again changes nothing', (t) => {
  const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      names.chain((topics) => fc.tuple(fc.constant(topics), fc.shuffledSubarray(topics, { minLength: topics.length }))),
      ([topics, other]) => {
        const path = fileOf(t);
        assert.ok(writeTopics(path, new Map(topics.map((topic) => [topic, typed('id')]))));
        const first = readFileSync(path, 'utf8');
        assert.deepEqual(topicsIn(path), topics.toSorted());
        assert.equal(writeTopics(path, new Map(other.map((topic) => [topic, typed('id')]))), false);
        rmSync(path);
        for (const topic of other) writeTopics(path, new Map([[topic, typed('id')]]));
        assert.equal(readFileSync(path, 'utf8'), first);
      },
    ),
    { numRuns: 40 },
  );
});
