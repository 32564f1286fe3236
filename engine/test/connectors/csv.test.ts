// CSV as other tools write it: types of columns, delimiters, quotes, line ends, encodings and
// compression; and what toFile writes is read back equal.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, test } from 'vitest';
import { Environment, type FileOptions, type SluiceError } from '../../index.ts';
import { CsvColumns } from '../../connectors/csv-columns.ts';
import { openRows } from '../../connectors/file-rows.ts';

type Row = Record<string, unknown>;
const folder = mkdtempSync(join(tmpdir(), 'sluice-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
function written(content: string | Uint8Array, name = 'rows.csv'): string {
  const path = join(folder, `${files++}-${name}`);
  writeFileSync(path, content);
  return path;
}
const read = (content: string | Uint8Array, options?: FileOptions<Row>, name?: string): Promise<Row[]> =>
  new Environment().file<Row>(written(content, name), options).toArray();
async function errors(content: string | Uint8Array, options?: FileOptions<Row>): Promise<string[]> {
  const rows = await new Environment().file<Row>(written(content), options).errors.toArray();
  return rows.map(({ error }) => error);
}
/** The field `c` of each row. */
async function column(content: string, options?: FileOptions<Row>): Promise<unknown[]> {
  return (await read(content, options)).map((row) => row['c']);
}
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');

describe('a column has one type', () => {
  test('the codes of a mixed column stay texts', async () => {
    assert.deepEqual(await read(lines('zip,sku,note', '02134,12E4,"123"', '12345,120000,"true"', '10001,1.10,x')), [
      { zip: '02134', sku: 120000, note: '123' },
      { zip: '12345', sku: 120000, note: 'true' },
      { zip: '10001', sku: 1.1, note: 'x' },
    ]);
    assert.deepEqual(
      (await read(lines('sku', '12E4', '120000', '1.10', '1.1'), { types: { sku: 'text' } })).map(({ sku }) => sku),
      ['12E4', '120000', '1.10', '1.1'],
    );
  });
  test('numbers, booleans and nothing', async () => {
    assert.deepEqual(await column(lines('c,d', '1,', '-2.5e3,', ',')), [1, -2500, null]);
    assert.deepEqual(await column(lines('c,d', 'true,', ',', 'false,')), [true, null, false]);
    assert.deepEqual(await column(lines('c,d', 'true,', '1,')), ['true', '1']);
    assert.deepEqual(await column(lines('c,d', '1,', '1e999,')), ['1', '1e999']);
    assert.deepEqual(await column(lines('c,d', ',', ',')), [null, null]);
  });
  test('quoted is text, unless everything is quoted', async () => {
    assert.deepEqual(await read(lines('a,b', '"1",1', '"2",2')), [
      { a: '1', b: 1 },
      { a: '2', b: 2 },
    ]);
    assert.deepEqual(await read(lines('"a","b"', '"1","x"', '"","y"', '"3",""')), [
      { a: 1, b: 'x' },
      { a: null, b: 'y' },
      { a: 3, b: '' },
    ]);
    assert.deepEqual(await column(lines('c,d', '"",', 'x,', ',')), ['', 'x', null]);
  });
  test('names that any writer quotes do not show that everything is quoted', async () => {
    assert.deepEqual(await read(lines('"price, EUR","a ""b"""', '"5","true"')), [
      { 'price, EUR': '5', 'a "b"': 'true' },
    ]);
    assert.deepEqual(await read(lines('"price, EUR","b"', '"5","true"')), [{ 'price, EUR': 5, b: true }]);
    assert.deepEqual(await read(lines('"a^b"', '"5"'), { delimiter: '^' }), [{ 'a^b': '5' }]);
  });
  test('NaN and the infinities are numbers', async () => {
    assert.deepEqual(await column(lines('c,d', 'NaN,', '3,', '-Infinity,', ',')), [NaN, 3, -Infinity, null]);
    assert.deepEqual(await column(lines('c,d', 'NaN,', 'Infinity,')), [NaN, Infinity]);
    assert.deepEqual(await column(lines('c,d', 'NaN,', 'x,')), ['NaN', 'x']);
    assert.deepEqual(await column(lines('c,d', '"NaN",', '"-Infinity",')), ['NaN', '-Infinity']);
  });
  const many = Array.from({ length: 1000 }, (_, n) => `${n},`);
  test('a later value that does not fit goes to errors, and the message names types', async () => {
    const text = lines('c,d', ...many, 'x7,', '5,');
    assert.deepEqual((await column(text)).slice(-2), [999, 5]);
    assert.match(
      (await errors(text))[0]!,
      /csv line 1002: It has "x7" in "c", which is no number\. The column is one of numbers: .* To read it as text, give types: \{ c: "text" \}\. It went/,
    );
    assert.deepEqual((await column(text, { types: { c: 'text' } })).slice(-2), ['x7', '5']);
    assert.match(
      (await errors(lines('c,d', 'x,'), { types: { c: 'boolean' } }))[0]!,
      /no boolean\. The option types says/,
    );
  });
  test('a column that is empty at first has the type of its first value', async () => {
    const text = lines('d,c', ...many, '1,7', '2,x');
    assert.deepEqual((await column(text)).slice(-2), [null, 7]);
    assert.match((await errors(text))[0]!, /"x" in "c", which is no number/);
  });
  test('law: reading from any record on gives the same rows, with the types of the snapshot', () => {
    const path = written(lines('c,d,e', ...many.map((line) => `${line}true`), 'x7,"1",', '5,1,true'));
    const columns = new CsvColumns();
    const all = openRows(path, 'csv', undefined, { columns });
    const rows = [];
    for (let row = all.next(); row; row = all.next()) rows.push(row);
    for (const at of [0, 1, 998, 999, 1000]) {
      const saved = new CsvColumns({}, 'bigint', structuredClone(columns.saved()));
      const rest = openRows(path, 'csv', rows[at]!.record.after, { columns: saved });
      for (const expected of rows.slice(at + 1)) assert.deepEqual(rest.next(), expected);
      assert.equal(rest.next(), undefined);
      rest.close();
    }
    all.close();
  });
});

test('delimiter, quote, comment, decimal and header', async () => {
  assert.deepEqual(await read(lines('a;b', '3,5;-0,25', '2;x'), { delimiter: ';', decimal: ',' }), [
    { a: 3.5, b: '-0,25' },
    { a: 2, b: 'x' },
  ]);
  assert.deepEqual(await read(lines('a|b', "'x|y'|'it''s'"), { delimiter: '|', quote: "'" }), [
    { a: 'x|y', b: "it's" },
  ]);
  assert.deepEqual(await read(lines('a,b', '"x,1'), { quote: false }), [{ a: '"x', b: 1 }]);
  assert.deepEqual(await read(lines('# it\'s "new', 'a,b', '1,2', '#3,4', '5,6'), { comment: '#' }), [
    { a: 1, b: 2 },
    { a: 5, b: 6 },
  ]);
  assert.deepEqual(await read(lines('1,x', '2,y'), { header: false }), [
    { column1: 1, column2: 'x' },
    { column1: 2, column2: 'y' },
  ]);
  assert.deepEqual(await read(lines('1,x'), { header: ['id', 'name'] }), [{ id: 1, name: 'x' }]);
  assert.deepEqual(await read('a\tb\n\t\n1\t"x\ty"\n', {}, 'rows.tsv'), [
    { a: null, b: null },
    { a: 1, b: 'x\ty' },
  ]);
});

test('a file with another delimiter gives a hint, and a sep= line is followed', async () => {
  const rates = lines('data;kurs;waluta', '20240102;3,9432;USD', '20240103;3,9909;USD');
  assert.match(
    (await errors(rates))[0]!,
    /It has 2 fields, and the header names 1\. The file seems to have another delimiter: give delimiter: ";"\./,
  );
  for (const [text, found] of [
    [rates, ';'],
    [lines('id|name', '1|A', '2|B'), '|'],
    [lines('id\tname', '1\tA'), '\\t'],
  ] as const) {
    const rows = openRows(written(text), 'csv');
    rows.next();
    assert.ok(rows.note?.includes(`Give delimiter: "${found}".`), rows.note);
    rows.close();
  }
  const plain = openRows(written(lines('text', 'a;b', 'c')), 'csv');
  plain.next();
  assert.equal(plain.note, undefined);
  plain.close();
  assert.deepEqual(await read(lines('sep=;', 'a;b', '1;2')), [{ a: 1, b: 2 }]);
});

test('a sep= line gives the delimiter of a file with decimal commas', async () => {
  const decimal = ',';
  assert.deepEqual(await read(lines('sep=;', 'a;b', '1,5;2'), { decimal }), [{ a: 1.5, b: 2 }]);
  assert.deepEqual(await read(lines('SEP=|', 'a|b', '"1,5"|2,25'), { decimal, header: ['a', 'b'] }), [
    { a: 'a', b: 'b' },
    { a: '1,5', b: '2,25' },
  ]);
  assert.deepEqual(await read(lines('a;b', '1,5;2'), { decimal, delimiter: ';' }), [{ a: 1.5, b: 2 }]);
  for (const text of [lines('a,b', '1,2'), lines('sep=,', 'a,b', '1,2')])
    await assert.rejects(read(text, { decimal }), {
      message:
        /^The decimal and the delimiter of \S+ are both ","\. Give the delimiter of the file, such as delimiter: ";"/,
    });
});

test('CR, CRLF and LF end a record, and inside quotes they are text', async () => {
  const expected = [
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
  ];
  for (const end of ['\n', '\r\n', '\r'])
    for (const last of [end, ''])
      assert.deepEqual(await read(`a,b${end}1,x${end}2,y${last}`), expected, JSON.stringify(end));
  assert.deepEqual(await read('a,b\r"x\ry",1\r'), [{ a: 'x\ry', b: 1 }]);
  const broken = await errors('a,b\r1,2\r3\r');
  assert.match(broken[0]!, /line 3: It has 1 fields/);
});

describe('encodings and compression', () => {
  const text = 'naïve,größe\nœuvre,1\n';
  const expected = [{ naïve: 'œuvre', größe: 1 }];
  const utf16be = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
  const windows = Buffer.from(text.replaceAll('œ', '\x9c'), 'latin1');
  for (const [what, content, encoding] of [
    ['UTF-8', text, undefined],
    ['UTF-8 with a byte order mark', `\ufeff${text}`, 'windows-1252'],
    ['UTF-16 little endian', Buffer.from(`\ufeff${text}`, 'utf16le'), undefined],
    ['UTF-16 big endian', utf16be, undefined],
    ['UTF-16 without a mark', Buffer.from(text, 'utf16le'), 'utf-16le'],
    ['windows-1252', windows, 'windows-1252'],
    ['gzip', gzipSync(text), undefined],
    ['zstd', zstdCompressSync(text), undefined],
    ['gzip of UTF-16', gzipSync(utf16be), undefined],
    ['several gzip members', Buffer.concat([gzipSync(text.slice(0, 5)), gzipSync(text.slice(5))]), undefined],
    [
      'several zstd frames',
      Buffer.concat([zstdCompressSync(text.slice(0, 5)), zstdCompressSync(text.slice(5))]),
      undefined,
    ],
  ] as const)
    test(what, async () => assert.deepEqual(await read(content, encoding === undefined ? {} : { encoding }), expected));

  test('compressed JSON lines, by their bytes', async () => {
    const rows = Array.from({ length: 5000 }, (_, n) => ({ n, text: `${n * n}` }));
    const json = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    for (const packed of [gzipSync(json), zstdCompressSync(json)])
      for (const name of ['rows.jsonl', 'rows.jsonl.gz', 'rows.jsonl.zst'])
        assert.deepEqual(await read(packed, {}, name), rows);
    // A position in the middle is reached from the start.
    const path = written(gzipSync(json), 'rows.jsonl');
    const all = openRows(path, 'jsonl');
    for (let n = 0; n < 3000; n++) all.next();
    const rest = openRows(path, 'jsonl', all.records().position());
    assert.deepEqual(rest.next()?.value, rows[3000]);
    all.close();
    rest.close();
  });
  test('what is damaged or no text is never U+FFFD', async () => {
    const header = read(windows);
    await assert.rejects(header, /The header of .* cannot be read\. It is not UTF-8, .* encoding: "windows-1252"/);
    assert.match(
      (await errors(Buffer.from('a,b\nx,\xe9\n', 'latin1')))[0]!,
      /line 2: It is not UTF-8, or not the given encoding/,
    );
    assert.match(
      (await errors(Buffer.from('a,b\nx,\x81\n', 'latin1'), { encoding: 'shift_jis' }))[0]!,
      /not the given encoding/,
    );
    await assert.rejects(read(Buffer.from(text, 'utf16le')), /has zero bytes, .* Give encoding: "utf-16le"/);
    for (const packed of [gzipSync(text.repeat(9999)), zstdCompressSync(text.repeat(9999))])
      await assert.rejects(
        read(packed.subarray(0, -10)),
        /is damaged: it begins as (gzip|zstd), .*unexpected end of file/,
      );
    await assert.rejects(read(Buffer.from('fffe000041000000', 'hex')), /UTF-32/);
  });
  test('only a plain UTF-8 file can be followed', async () => {
    const followed = new Environment()
      .file(written(gzipSync(text)), { follow: true })
      .take(1)
      .toArray();
    await assert.rejects(
      followed,
      (error: SluiceError) => /is gzip, and only a plain UTF-8 file/.test(error.message) || error.code === 'unbounded',
    );
  });
});

test('options that cannot be are refused where they are given', async () => {
  const refused = (options: object, message: RegExp, name = 'x.csv') =>
    assert.throws(() => new Environment().file(name, options), { name: 'SluiceError', message });
  refused({ delimiter: ';;' }, /delimiter of file\(\) is one character of ASCII, not ";;"/);
  refused({ delimiter: '"' }, /must be different/);
  refused({ decimal: ',', delimiter: ',' }, /are both ","\. Give the delimiter of the file, such as delimiter: ";"/);
  refused({ types: { a: 'date' } }, /type of column "a" of file\(\) is one of "text", "number", "boolean", not "date"/);
  refused({ header: ['a', 'a'] }, /names the column "a" twice/);
  refused({ encoding: 'klingon' }, /which is none of the Encoding Standard/);
  refused({ integers: 'big' }, /integers of file\(\) is one of "bigint", "text", "number"/);
  refused({ comment: '#' }, /option comment, which is one of CSV, and reads jsonl/, 'x.jsonl');
  await assert.rejects(read('zip\n1\n', { types: { zap: 'text' } }), /types names the column "zap", .* Closest: "zip"/);
});

test('law: CSV that toFile wrote reads back equal', async () => {
  const texts = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '',
      ' ',
      '12',
      '007',
      '-1.5e3',
      'true',
      'a,b',
      '"',
      'x\ry',
      'x\r\ny',
      '\n',
      '\ufeff',
      'sep=;',
      '#',
      '1.',
      'null',
      'NaN',
      'Infinity',
      '-Infinity',
    ),
  );
  const values: fc.Arbitrary<fc.Arbitrary<unknown>> = fc.constantFrom<fc.Arbitrary<unknown>>(
    texts,
    fc.boolean(),
    fc.oneof(
      fc.integer(),
      fc.double().map((n) => n + 0),
      fc.constantFrom(NaN, Infinity, -Infinity),
    ),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 80n }),
  );
  const name = fc.oneof(
    fc.constantFrom('a', 'id', 'a b', 'é', '12', 'true', 'x;y', 'price, EUR', 'a "b"', 'x\ny', ' ', 'sep=;'),
    fc.string({ minLength: 1, maxLength: 5 }),
  );
  const table = fc
    .tuple(fc.uniqueArray(name, { minLength: 2, maxLength: 4 }), fc.array(values, { minLength: 4, maxLength: 4 }))
    .chain(([names, kinds]) =>
      fc.array(
        fc
          .tuple(...names.map((_, at) => fc.option(kinds[at]!, { freq: 4 })))
          .map((row) => Object.fromEntries(names.map((one, at) => [one, row[at]]))),
        { minLength: 1, maxLength: 6 },
      ),
    );
  await fc.assert(
    fc.asyncProperty(table, async (rows) => {
      const path = written('');
      const environment = new Environment();
      environment.from(rows).toFile(path);
      await (
        await environment.execute()
      ).finished;
      assert.deepEqual(
        (await new Environment().file<Row>(path).toArray()).map(Object.entries),
        rows.map(Object.entries),
      );
    }),
    { numRuns: 100 },
  );
});

test('a file of one column keeps its nulls', async () => {
  for (const values of [
    [null, 1, null],
    [null, 'x', null, '12', ' '],
    [true, null],
  ]) {
    const path = written('');
    const environment = new Environment();
    environment.from(values.map((v) => ({ v }))).toFile(path);
    await (
      await environment.execute()
    ).finished;
    assert.deepEqual(
      await new Environment().file<Row>(path).toArray(),
      values.map((v) => ({ v })),
    );
  }
});
