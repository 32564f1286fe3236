// toFile(): the contents of the files, by partition, and after a restore.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { Environment, type Stream } from '../../index.ts';
import { FileSink } from '../../connectors/file-sink.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import type { Batch, OperatorContext } from '../../contract/operator.ts';
import { readSnapshot, SnapshotWriter } from '../../runtime/snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-file-sink-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(at(name), 'utf8');

async function run<T>(rows: Iterable<T>, end: (stream: Stream<T>) => void): Promise<void> {
  const environment = new Environment();
  end(environment.from(rows));
  const job = await environment.execute();
  await job.finished;
}

test('rows become lines of JSON that file() reads again', async () => {
  const rows = [
    { n: 1, at: new Date(0), tags: ['a'] },
    { n: 2, at: new Date(1), tags: [] },
  ];
  writeFileSync(at('rows.jsonl'), 'from an earlier job\n');
  await run(rows, (stream) => stream.toFile(at('rows.jsonl')));
  assert.equal(text('rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const back = await new Environment().file(at('rows.jsonl')).toArray();
  assert.deepEqual(back, JSON.parse(JSON.stringify(rows)));
});

test('a CSV has one header, quotes where it must, and is read again', async () => {
  const rows = [
    { name: 'a, "b"', n: 1, on: true, at: new Date(0) },
    { name: 'line\nbreak', n: 2.5, on: false, at: new Date(1) },
  ];
  await run(rows, (stream) => stream.toFile(at('rows.csv')));
  assert.equal(
    text('rows.csv'),
    'name,n,on,at\n"a, ""b""",1,true,1970-01-01T00:00:00.000Z\n"line\nbreak",2.5,false,1970-01-01T00:00:00.001Z\n',
  );
  const back = await new Environment().file(at('rows.csv')).toArray();
  assert.deepEqual(back, JSON.parse(JSON.stringify(rows)));
});

test('each partition has a file of its own', async () => {
  const rows = Array.from({ length: 10_000 }, (_, n) => ({ n, country: ['CH', 'DE', 'FR'][n % 3]! }));
  await run(rows, (stream) => stream.toFile(at('by/country.jsonl'), { partitionBy: ({ country }) => country }));
  assert.deepEqual(readdirSync(at('by/country')).toSorted(), ['CH.jsonl', 'DE.jsonl', 'FR.jsonl']);
  for (const country of ['CH', 'DE', 'FR'])
    assert.deepEqual(
      text(`by/country/${country}.jsonl`)
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { n: number }).n),
      rows.filter((row) => row.country === country).map(({ n }) => n),
    );
});

test('what cannot be written is an error that names the row or the partition', async () => {
  await assert.rejects(
    run([{ a: 1 }, { a: 1, b: 2 }], (stream) => stream.toFile(at('other.csv'))),
    { code: 'bad-row', message: /field "b".*other\.csv/ },
  );
  await assert.rejects(
    run([1], (stream) => stream.toFile(at('one.csv'))),
    { code: 'bad-row' },
  );
  for (const name of ['../out', '..', ''])
    await assert.rejects(
      run([1], (stream) => stream.toFile(at('p.jsonl'), { partitionBy: () => name })),
      {
        code: 'bad-partition',
      },
    );
  const stream = new Environment().from([1]);
  assert.throws(() => stream.toFile('rows'), { code: 'bad-option', message: /format: "jsonl" or format: "csv"/ });
  assert.throws(() => stream.toFile('rows.parquet', { format: 'parquet' as never }), { code: 'bad-option' });
});

test('an invalid Date in a CSV is an error that names its field', async () => {
  await assert.rejects(
    run([{ n: 1, at: new Date(NaN) }], (stream) => stream.toFile(at('date.csv'))),
    /toFile\(\) cannot write a row: at is an invalid Date/,
  );
});

test('a sink that goes on from a snapshot cuts what was written after it', () => {
  const node = (name: string): NodeOf<'fileSink'> => ({
    ...{ id: 's', uid: 's', kind: 'fileSink', name: 'toFile', group: '', own: '', shape: '' },
    parameters: { path: at(name), format: 'csv' },
  });
  const open = (): FileSink => {
    const sink = new FileSink(node('cut.csv'), new FunctionTable());
    sink.open({ output: { full: false }, clock: { now: () => 0 }, wakeAt() {} } as unknown as OperatorContext);
    return sink;
  };
  const batch = (...values: unknown[]): Batch => ({ length: values.length, values, timestamps: new Float64Array(9) });
  const first = open();
  first.process(0, batch({ n: 1 }, { n: 2 }), 0);
  first.flush();
  const writer = new SnapshotWriter(true);
  first.snapshot(writer);
  const snapshot = structuredClone(writer.done(0));
  first.process(0, batch({ n: 3 }), 0);
  first.flush();
  assert.equal(text('cut.csv'), 'n\n1\n2\n3\n');
  const second = open();
  second.restore(readSnapshot(snapshot));
  second.process(0, batch({ n: 30 }), 0);
  second.close();
  assert.equal(text('cut.csv'), 'n\n1\n2\n30\n');
});
