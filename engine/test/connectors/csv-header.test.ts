// The header of a CSV file: what is refused, and where it ends.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { openRows } from '../../connectors/file-rows.ts';

function read(t: TestContext, name: string, text: string): unknown[] {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-csv-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, name), text);
  const rows = openRows(join(folder, name), 'csv');
  const values: unknown[] = [];
  for (let row = rows.next(); row !== undefined; row = rows.next()) values.push(row.value);
  rows.close();
  return values;
}

test('a header with a quote out of place is refused by name, as a record with one is', (t) => {
  for (const [text, problem] of [
    ['a,b"c\n1,2\n', /It is not CSV: Invalid Opening Quote/],
    ['a,"b"c\n1,2\n', /It is not CSV: Invalid Closing Quote/],
    ['a,"b\n1,2\n', /It is not CSV: Quote Not Closed/],
  ] as const)
    assert.throws(
      () => read(t, 'quotes.csv', text),
      (error: Error & { readonly code?: string }) => {
        assert.equal(error.code, 'bad-file');
        assert.match(error.message, /^The header of quotes\.csv cannot be read\. /);
        assert.match(error.message, problem);
        return true;
      },
    );
});

test('a lone carriage return ends the header, unless it is quoted', (t) => {
  assert.deepEqual(read(t, 'returns.csv', 'a,b\r1,2\n'), [{ a: 1, b: 2 }]);
  assert.deepEqual(read(t, 'quoted.csv', 'a,"b\rc"\n1,2\n'), [{ a: 1, 'b\rc': 2 }]);
});
