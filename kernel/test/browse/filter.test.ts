// A peek's filter: one TypeScript expression, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { compileFilter, FilterProblem } from '../../browse/filter.ts';

const record = (value: unknown, key: unknown = undefined) => ({
  record: value,
  key,
  meta: { topic: 'orders', partition: 3, offset: 7, timestamp: 0, headers: { source: 'shop' } },
});

test('an expression sees the record, its key, and its place and headers', async () => {
  const matches = async (text: string, ...values: unknown[]): Promise<readonly boolean[]> =>
    (await compileFilter(text))(values.map((value) => record(value, 'k'))).matches;
  assert.deepEqual(await matches('(record as { a: number }).a > 1', { a: 1 }, { a: 2 }), [false, true]);
  assert.deepEqual(await matches("key === 'k' && meta.partition === 3 && meta.headers['source'] === 'shop'", 1), [
    true,
  ]);
  assert.deepEqual(await matches('record.list?.some((n: number) => n > 2) // with a comment', { list: [3] }, {}), [
    true,
    false,
  ]);
  assert.deepEqual(await matches('record', 0, '', {}), [false, false, true]);
});

test('what is no single expression is refused, with the reason', async () => {
  const texts = ['record.a >', '1); (2', 'x; y', 'const a = 3', '', 'await 3', 'import("fs")['];
  for (const text of texts)
    await assert.rejects(compileFilter(text), (error: Error) => {
      assert.ok(error instanceof FilterProblem, text);
      assert.match(
        error.message,
        /^The filter is no TypeScript expression: .*\. Write one such as record\.amount > 100\.$/,
        text,
      );
      return true;
    });
});

test('a record at which it throws does not match, and the first one is named', async () => {
  const filter = await compileFilter('record.a.b > 0');
  const { matches, failed } = filter([record({ a: { b: 1 } }), record({}), record(null)]);
  assert.deepEqual(matches, [true, false, false]);
  assert.deepEqual(failed?.at, 1);
  assert.match(failed.reason, /undefined/);
});

test('a loop without end is stopped, and the filter works for other records', async () => {
  const filter = await compileFilter('record === 1 ? (() => { for (;;) {} })() : true');
  assert.throws(() => filter([record(1)]), /took more than 1 s for 1 records/);
  assert.deepEqual(filter([record(2)]).matches, [true]);
});
