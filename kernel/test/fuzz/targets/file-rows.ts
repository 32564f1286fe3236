// Files of rows: each record gives a row or a reason, however the bytes arrive, and reading goes on
// from any record as if it had never stopped.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CsvColumns } from '../../../../engine/connectors/csv-columns.ts';
import { openRows } from '../../../../engine/connectors/file-rows.ts';
import type { FileRow } from '../../../../engine/connectors/file-row.ts';
import type { FilePosition } from '../../../../engine/connectors/file-records.ts';
import { SluiceError } from '../../../../engine/errors/error.ts';
import { planted, type Plant, type Target } from '../target.ts';

type FileFormat = Parameters<typeof openRows>[1];

const seeds: Readonly<Record<FileFormat, readonly string[]>> = {
  csv: ['id,name,at\n1,"Ann, B.",2024-01-01\n2,"a ""b""\nc",\n\n3,é,true\n', 'a\r\n1\r\n007\r\n', '\ufeffa,b\n1,2'],
  tsv: ['id\tname\n1\t"Ann\tB."\n2\t\n', 'a\tb\r\n1e5\t-0\r\n'],
  jsonl: ['{"a":1,"b":[true,null]}\n{"a":"é\\n","b":{}}\n\n[1]\n"x"\n', '{"n":12345678901234567890}\r\n1\r\nnull'],
  json: ['[{"a":1},\n {"a":"],[","b":[1,{"c":"\\""}]},\n 3]\n', '[]', '[[1,2],[3]]\n', '\ufeff[1]'],
};

export function fileRowsTarget(format: FileFormat, plant?: Plant): Target {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sluice-fuzz-'));
  const path = join(folder, `rows.${format}`);
  const { readSync } = fs;
  const sample = fs.readFileSync(join(import.meta.dirname, '../../../../samples/data/earthquakes.jsonl'), 'utf8');
  const lines = sample.split('\n').slice(0, 20).join('\n');
  return {
    seeds: [...seeds[format], ...(format === 'jsonl' ? [lines] : [])].map((text) => Buffer.from(text)),
    words: [...[',', '\t', '"', '""', '\n', '\r\n', '\r', '[', ']', '{', '}', ':', '\\', '\\"', 'null', '\ufeff', ';']],
    // A record that is refused costs 60 µs, and each input is read three times.
    longest: 16 << 10,
    attempt(input, random) {
      planted(plant, input);
      fs.writeFileSync(path, input);
      const columns = new CsvColumns();
      const whole = rowsOf(path, format, columns);
      if (plant === 'forgets' && Array.isArray(whole) && input.includes(0x5c)) whole.pop();
      // A read may give fewer bytes than were asked for.
      const most = random.pick([1, 2, 3, 7, 64, 1000]);
      fs.readSync = ((file: number, buffer: Uint8Array, at: number, length: number, position: number) =>
        readSync(file, buffer, at, Math.min(length, most), position)) as typeof readSync;
      syncBuiltinESMExports();
      try {
        assert.deepEqual(
          rowsOf(path, format, new CsvColumns()),
          whole,
          'Other reads of the same bytes give other rows.',
        );
      } finally {
        fs.readSync = readSync;
        syncBuiltinESMExports();
      }
      if (!Array.isArray(whole)) return 'rejected';
      if (whole.length > 0) {
        const at = random.below(whole.length);
        const rest = rowsOf(path, format, new CsvColumns({}, 'bigint', columns.saved()), whole[at]!.record.after);
        assert.deepEqual(rest, whole.slice(at + 1), 'Reading from a record gives other rows.');
      }
      if (format === 'jsonl') {
        const filled = Buffer.from(input).toString('utf8').split('\n');
        const records = filled.filter((line) => line.replace('\ufeff', '').trim() !== '').length;
        assert.equal(whole.length, records, 'Rows and rejected records are not as many as the lines.');
      }
      return whole.every(({ problem }) => problem === undefined) ? 'accepted' : 'rejected';
    },
    async close() {
      await fs.promises.rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The error with which the file is refused, or its rows. A value of JSON is left out: its text says
 * it, and it may be deep.
 */
function rowsOf(path: string, format: FileFormat, columns: CsvColumns, from?: FilePosition): FileRow[] | string {
  const found: FileRow[] = [];
  let rows;
  try {
    rows = openRows(path, format, from, { columns });
    for (let row = rows.next(); row !== undefined; row = rows.next())
      found.push(format === 'jsonl' || format === 'json' ? { ...row, value: undefined } : row);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'bad-file') return error.message;
    throw error;
  } finally {
    rows?.close();
  }
  return found;
}
