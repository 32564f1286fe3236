// A callback that returns a Promise where a plain value is needed. The error names the operator and
// the way out.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { aggregator, Environment, sum, tumbling, type Stream } from '../../index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-promises-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly n: number;
  readonly at: number;
}
const rows: readonly Row[] = [1, 2, 3].map((n) => ({ n, at: n * 1000 }));
/** A callback as a cell without types may write it, where the types require a plain answer. */
function late<T>(value: T): T {
  return Promise.resolve(value) as T;
}
const path = (name: string): string => join(folder, name);

async function failure(declare: (stream: Stream<Row>, env: Environment) => unknown): Promise<Error> {
  const env = new Environment();
  declare(env.from(rows, { timestamp: 'at' }), env);
  const job = await env.execute();
  return job.finished.then(
    () => assert.fail('the job has finished'),
    (error: unknown) => error as Error,
  );
}

const cases: Readonly<Record<string, (stream: Stream<Row>, env: Environment) => unknown>> = {
  filter: (stream) => stream.filter(({ n }) => late(n > 1)).sink(() => {}),
  'filter behind another operator': (stream) =>
    stream
      .flatMap((row) => [row, row])
      .filter(({ n }) => late(n > 1))
      .sink(() => {}),
  'map into a function': (stream) => stream.map(({ n }) => late({ n })).sink(() => {}),
  'map into a file of JSON lines': (stream) => stream.map(({ n }) => late({ n })).toFile(path('out.jsonl')),
  'map of one field into a file of JSON lines': (stream) =>
    stream.map(({ n }) => ({ n: late(n) })).toFile(path('field.jsonl')),
  'map into a CSV file': (stream) => stream.map(({ n }) => late({ n })).toFile(path('out.csv')),
  'map of one field into a CSV file': (stream) => stream.map(({ n }) => ({ n: late(n) })).toFile(path('field.csv')),
  flatMap: (stream) => stream.flatMap((row) => late([row])).sink(() => {}),
  keyBy: (stream) =>
    stream
      .keyBy(({ n }) => late(n))
      .reduce((a) => a)
      .sink(() => {}),
  reduce: (stream) =>
    stream
      .keyBy(() => 'all')
      .reduce((a) => late(a))
      .sink(() => {}),
  'a selector of sum': (stream) =>
    stream
      .windowAll(tumbling('1m'))
      .aggregate({ total: sum(({ n }) => late(n)) })
      .sink(() => {}),
  'add of an aggregator': (stream) =>
    stream
      .windowAll(tumbling('1m'))
      .aggregate({
        total: aggregator({ create: () => 0, add: (total, { n }: Row) => late(total + n), result: (x) => x }),
      })
      .sink(() => {}),
  'the timestamp of a source': (_, env) => env.from(rows, { timestamp: ({ at }) => late(at) }).sink(() => {}),
  'the filter of a table': (stream) =>
    stream
      .keyBy('n')
      .toTable()
      .filter(({ n }) => late(n > 1))
      .toStream()
      .sink(() => {}),
};
for (const [what, declare] of Object.entries(cases))
  test(`a Promise of ${what} is an error that names mapAsync`, async () => {
    assert.match((await failure(declare)).message, /Promise.*mapAsync/);
  });

test('nothing is written of a row that is a Promise', () => {
  for (const name of ['out.jsonl', 'field.jsonl']) assert.equal(readFileSync(path(name), 'utf8'), '');
});

test('any other answer of a predicate counts as JavaScript counts it', async () => {
  const answers = [true, false, 1, 0, 'a', '', {}, [], null, undefined, NaN];
  const passed = await new Environment()
    .from(answers.map((answer, n) => ({ answer, n })))
    .filter(({ answer }) => answer as boolean)
    .map(({ answer }) => Boolean(answer))
    .toArray();
  assert.deepEqual(passed, [true, true, true, true, true]);
});
