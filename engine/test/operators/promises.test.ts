// A callback that returns a Promise where a plain value is needed. The error names the operator and
// the way out.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { aggregator, count, countWindow, Environment, sum, tumbling, type Stream } from '../../index.ts';

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
  map: (stream) =>
    stream
      .map(({ n }) => late({ n }))
      .map((row) => row)
      .sink(() => {}),
  'map behind another operator': (stream) =>
    stream
      .flatMap((row) => [row])
      .map(({ n }) => late({ n }))
      .keyBy('n')
      .reduce((a) => a)
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
  'result of an aggregator': (stream) =>
    stream
      .windowAll(tumbling('1m'))
      .aggregate({
        total: aggregator({ create: () => 0, add: (total, { n }: Row) => total + n, result: (x) => late(x) }),
      })
      .sink(() => {}),
  'result of an aggregator of a group': (stream) =>
    stream
      .keyBy('n')
      .toTable()
      .groupBy('at')
      .aggregate({
        total: aggregator({
          create: () => 0,
          add: (total, { n }: Row) => total + n,
          subtract: (total, { n }: Row) => total - n,
          result: (x) => late(x),
        }),
      })
      .toStream()
      .sink(() => {}),
  'the timestamp of a source': (_, env) => env.from(rows, { timestamp: ({ at }) => late(at) }).sink(() => {}),
  'the filter of a table': (stream) =>
    stream
      .keyBy('n')
      .toTable()
      .filter(({ n }) => late(n > 1))
      .toStream()
      .sink(() => {}),
  'map before a filter': (stream) =>
    stream
      .map(({ n }) => late({ n }))
      .filter(({ n }) => n > 1)
      .sink(() => {}),
  'map before a window': (stream) =>
    stream
      .map(({ n }) => late({ n }))
      .windowAll(tumbling('1m'))
      .aggregate({ rows: count() })
      .sink(() => {}),
  'map before a union': (stream) =>
    stream
      .map(({ n, at }) => late({ n, at }))
      .union(stream)
      .flatMap((row) => [row])
      .sink(() => {}),
  'the map of a table': (stream) =>
    stream
      .keyBy('n')
      .toTable()
      .map(({ n }) => late({ n, all: 'all' }))
      .groupBy('all')
      .aggregate({ rows: count() })
      .toStream()
      .sink(() => {}),
  'the select of a table join': (stream) =>
    stream
      .keyBy('n')
      .toTable()
      .join(stream.keyBy('n').toTable())
      .select((left) => late(left))
      .toStream()
      .sink(() => {}),
  'the select of temporalJoin': (stream) =>
    stream
      .keyBy('n')
      .temporalJoin(stream.keyBy('n').toTable())
      .select(({ n }) => late({ n }))
      .map(({ n }) => ({ n: n ?? null }))
      .sink(() => {}),
  'the select of intervalJoin': (stream) =>
    stream
      .keyBy('n')
      .intervalJoin(stream.keyBy('n'))
      .between('-1s', '1s')
      .select(({ n }) => late({ n }))
      .filter(({ n }) => n > 1)
      .sink(() => {}),
  'what process yields': (stream) =>
    stream
      .keyBy('n')
      .process({
        state: {},
        *onElement({ n }) {
          yield late({ n });
        },
      })
      .map(({ n }) => n)
      .sink(() => {}),
  'the function of generate': (_, env) =>
    env
      .generate({ limit: 3, rate: 1000 }, ({ n }) => late({ n }))
      .filter(({ n }) => n > 1)
      .sink(() => {}),
  'an element of from': (_, env) =>
    env
      .from([1, 2, 3].map((n) => late({ n })))
      .windowAll(countWindow(2))
      .aggregate({ rows: count() })
      .sink(() => {}),
  ...Object.fromEntries(
    Object.entries({
      'the step of iterateDelta': () => late({ row: { n: 1, at: 0 } }),
      'the row of a step': () => ({ row: late({ n: 1, at: 0 }) }),
      'the next of a step': () => ({ next: late([]) }),
      'an element of the next of a step': () => ({ next: [late({ n: 1, at: 0 })] }),
    }).map(([what, step]) => [
      what,
      (stream: Stream<Row>) =>
        stream
          .keyBy('n')
          .toTable()
          .iterateDelta(stream, { key: ({ n }: Row) => ({ n }), step, maxRounds: 2 })
          .toStream()
          .sink(() => {}),
    ]),
  ),
};
for (const [what, declare] of Object.entries(cases))
  test(`a Promise of ${what} is an error that names mapAsync`, async () => {
    assert.match((await failure(declare)).message, /Promise.*mapAsync/);
  });

/** A promise of a library: no instance of Promise. */
function lateOfLibrary<T>(value: T): T {
  return { then: (done: (value: T) => void) => done(value) } as T;
}
const ofLibraries: typeof cases = {
  'a filter': (stream) => stream.filter(({ n }) => lateOfLibrary(n > 1)).sink(() => {}),
  'a map before a map': (stream) =>
    stream
      .map(({ n }) => lateOfLibrary({ n }))
      .map(({ n }) => n)
      .sink(() => {}),
  'a map before a window': (stream) =>
    stream
      .map(({ n }) => lateOfLibrary({ n }))
      .windowAll(tumbling('1m'))
      .aggregate({ rows: count() })
      .sink(() => {}),
  'a map behind another operator': (stream) =>
    stream
      .flatMap((row) => [row])
      .map(({ n }) => lateOfLibrary({ n }))
      .keyBy('n')
      .reduce((a) => a)
      .sink(() => {}),
};
for (const [what, declare] of Object.entries(ofLibraries))
  test(`a promise of a library of ${what} is an error that names mapAsync`, async () => {
    assert.match((await failure(declare)).message, /Promise.*mapAsync/);
  });

test('an async function is refused where it is declared', () => {
  const stream = new Environment().from(rows);
  const wrong = (async () => 1) as never;
  const declared: Readonly<Record<string, () => unknown>> = {
    'map()': () => stream.map(wrong),
    'filter()': () => stream.filter(wrong),
    'flatMap()': () => stream.flatMap(async function* () {} as never),
    'keyBy()': () => stream.keyBy(wrong),
    'sum()': () => sum(wrong),
    'aggregator()': () => aggregator({ create: wrong, add: () => 0, result: () => 0 }),
    'process()': () => stream.keyBy('n').process({ state: {}, onElement: wrong }),
    'The timestamp of from()': () => new Environment().from(rows, { timestamp: wrong }),
  };
  for (const [where, declare] of Object.entries(declared))
    assert.throws(
      declare,
      { code: 'gave-promise', message: new RegExp(`^${where.replaceAll(/[()]/g, '\\$&')} takes .* mapAsync`) },
      where,
    );
  // These await what their function gives.
  stream.mapAsync(wrong).sink(wrong);
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

test('an operator takes the elements before the Promise', async () => {
  const taken: number[] = [];
  const env = new Environment();
  env
    .from([1, 2, 3, 4])
    .map((n) => (n === 3 ? late(n) : n))
    .keyBy(() => 'all')
    .reduce((total, n) => total + n)
    .sink((total) => {
      taken.push(total);
    });
  const job = await env.execute();
  await assert.rejects(job.finished, /Promise.*mapAsync/);
  assert.deepEqual(taken, [1, 3]);
});

test('an element that cannot be looked at is an error of the operator', async () => {
  const env = new Environment();
  const { proxy, revoke } = Proxy.revocable({ n: 1 }, {});
  revoke();
  env
    .from([proxy])
    .windowAll(countWindow(2))
    .aggregate({ rows: count() })
    .sink(() => {});
  const job = await env.execute();
  await assert.rejects(job.finished, /proxy that has been revoked/);
});
