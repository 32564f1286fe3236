// Tables in a program: the answers of get(), errors, and the plan.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan } from '../../graph/plan.ts';
import {
  aggregator,
  collect,
  count,
  countDistinct,
  Environment,
  first,
  from,
  generate,
  minBy,
  quantile,
  table,
  variance,
  type Stream,
  type Table,
} from '../../index.ts';
import { planOf } from '../../runtime/environment.ts';
import { evaluate, nodeOf } from './evaluate.ts';

const refused = (code: string, message: RegExp) => (error: { code?: unknown; message: string }) => {
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};
const rows = [
  { id: 'a', n: 1 },
  { id: 'b', n: 2 },
  { id: 'a', n: 3 },
];

test('get() gives the row of a key after the end of a bounded input, of tables made from tables, too', async () => {
  const env = new Environment();
  const table = env.from(rows).keyBy('id').toTable();
  assert.deepEqual(await table.get({ id: 'a' }), { id: 'a', n: 3 });
  assert.equal(await table.get({ id: 'z' }), undefined);
  const doubled = table.map(({ n }) => n * 2).filter((n) => n > 4);
  assert.equal(await doubled.get({ id: 'a' }), 6);
  assert.equal(await doubled.get({ id: 'b' }), undefined);
  const joined = table.join(doubled, 'left').select((row, twice) => [row!.n, twice]);
  assert.deepEqual(await joined.get({ id: 'a' }), [3, 6]);
  assert.deepEqual(await joined.get({ id: 'b' }), [2, undefined]);
});

test('keys that are made by a function, and of several fields, are written down as they are', async () => {
  const env = new Environment();
  const day = new Date(Date.UTC(2024, 0, 1));
  const plain = env
    .from(rows)
    .keyBy(({ n }) => n)
    .toTable();
  assert.deepEqual(await plain.get({ key: 2 }), { id: 'b', n: 2 });
  const composite = env
    .from(rows.map((row) => ({ ...row, day })))
    .keyBy('id', 'day')
    .toTable();
  assert.equal((await composite.get({ day: new Date(day), id: 'a' }))?.n, 3);
});

test("a key that is not the table's is refused, with the names of the one that is", async () => {
  const env = new Environment();
  const table = env.from(rows).keyBy('id').toTable();
  await assert.rejects(
    table.get({ identity: 'a' } as never),
    refused('bad-key', /get\(\) of ".*" was given a key of identity\. The key of the table is \{ id \}\./),
  );
  await assert.rejects(
    table.get('a' as never),
    refused('bad-key', /takes a key as an object, such as \{ id: 1 \}, not "a"/),
  );
  await assert.rejects(table.get({ id: undefined } as never), refused('bad-key', /The key field "id" is undefined/));
});

test('get() of a table without an end is an error if it does not run, and the present row if a job runs it', async () => {
  const env = new Environment();
  const counted = env
    .generate({ rate: 1000 }, ({ n }) => ({ k: n % 3, n }))
    .keyBy('k')
    .toTable();
  const named = counted.map(({ k, n }) => `${k}: ${n}`);
  await assert.rejects(
    named.get({ k: 1 }),
    refused('unbounded', /would never answer: the table does not run, and generate has no end/),
  );
  const seen = Promise.withResolvers<void>();
  let changes = 0;
  named.toStream().sink(() => {
    if (++changes === 10) seen.resolve();
  });
  const job = await env.execute();
  await seen.promise;
  assert.match((await named.get({ k: 1 }))!, /^1: \d+$/);
  assert.equal(await named.get({ k: 7 }), undefined);
  await job.stop();
  await assert.rejects(named.get({ k: 1 }), refused('unbounded', /does not run/));
});

test('what is no table, no kind of join and no option is refused', () => {
  const wrong =
    (declare: (stream: Stream<{ id: string; n: number }>) => unknown): (() => unknown) =>
    () =>
      evaluate(() => void declare(from(rows)));
  const keyed = (stream: Stream<{ id: string; n: number }>) => stream.keyBy('id');
  assert.throws(
    wrong((stream) => keyed(stream).temporalJoin(keyed(stream) as never)),
    refused('not-a-table', /not a KeyedStream\. Make it one: stream\.keyBy\(…\)\.toTable\(\)\./),
  );
  assert.throws(
    wrong((stream) => keyed(stream).temporalJoin(stream as never)),
    refused(
      'not-a-table',
      /temporalJoin\(\) takes a table, not a Stream\. Make it one: stream\.keyBy\(…\)\.toTable\(\)\./,
    ),
  );
  assert.throws(
    wrong((stream) =>
      keyed(stream)
        .toTable()
        .join(5 as never)
        .select(() => 1),
    ),
    refused('not-a-table', /join\(\) takes a table, not 5\./),
  );
  const table_ = (stream: Stream<{ id: string; n: number }>) => keyed(stream).toTable();
  assert.throws(
    wrong((stream) =>
      stream
        .keyBy('id', 'n')
        .temporalJoin(table_(stream))
        .select(() => 1),
    ),
    refused('bad-key', /temporalJoin\(\) cannot match its sides: the left one is keyed by id, n, the table by id\./),
  );
  assert.throws(
    wrong((stream) =>
      table_(stream)
        .join(stream.keyBy('id', 'n').toTable())
        .select(() => 1),
    ),
    refused('bad-key', /join\(\) cannot match its sides: the left one is keyed by id, the table by id, n\./),
  );
  assert.throws(
    wrong((stream) =>
      table_(stream)
        .join(table_(stream), 'full' as never)
        .select(() => 1),
    ),
    refused('bad-option', /The kind of join\(\) is one of "inner", "left", "outer", not "full"/),
  );
  assert.throws(
    wrong((stream) =>
      keyed(stream)
        .temporalJoin(table_(stream), { time: 'processing' as never })
        .select(() => 1),
    ),
    refused('bad-option', /The time of temporalJoin\(\) is one of "event", "arrival"/),
  );
  assert.throws(
    wrong((stream) => keyed(stream).temporalJoin(table_(stream), { tiem: 'event' } as never)),
    refused('unknown-option', /temporalJoin\(\) has no option "tiem"\. Closest: "time"/),
  );
  assert.throws(
    wrong((stream) => table_(stream).map(5 as never)),
    refused('not-a-function', /map\(\) of a table takes a function/),
  );
  const delta = { key: ({ id }: { id: string }) => ({ id }), step: () => undefined };
  assert.throws(
    wrong((stream) => table_(stream).iterateDelta(stream, { ...delta, maxRounds: 0 })),
    refused('bad-option', /The maxRounds of iterateDelta\(\) is a number above 0/),
  );
  assert.throws(
    wrong((stream) => table_(stream).iterateDelta(stream, { key: delta.key } as never)),
    refused('not-a-function', /iterateDelta\(\) needs a function step, not undefined/),
  );
  assert.throws(
    wrong((stream) => table_(stream).iterateDelta([] as never, delta)),
    refused('not-a-stream', /takes a stream/),
  );
});

test('a topic is read as a table from its start, unless an option says otherwise', () => {
  const parameters = (options: object) =>
    nodeOf(
      evaluate(() => void table<{ id: string }, 'id'>('customers', { key: 'id', ...options })),
      'kafka',
    ).parameters;
  assert.deepEqual(parameters({}), {
    topic: 'customers',
    from: 'earliest',
    format: 'auto',
    tableKey: 'id',
    watermark: { outOfOrdernessMillis: 0 },
  });
  assert.equal(parameters({ from: 'latest' })['from'], 'latest');
  assert.throws(
    () => parameters({ key: undefined }),
    refused('bad-option', /The key of table\(\) is a text, not undefined/),
  );
  assert.throws(
    () => parameters({ kye: 'id' }),
    refused('unknown-option', /table\(\) has no option "kye"\. Closest: "key"/),
  );
  assert.throws(
    () => evaluate(() => void table(/c/ as never, { key: 'id' as never })),
    refused('bad-option', /one topic by its name/),
  );
});

test('the plan of tables is JSON, and a changed function keeps what is held', () => {
  const nodes = (text: (row: { n: number }) => unknown, kind: 'left' | 'outer' = 'left', key: 'id' | 'n' = 'id') =>
    evaluate(() => {
      const left = from(rows).keyBy(key).toTable().map(text);
      const right = from(rows).keyBy(key).toTable();
      left
        .join(right, kind)
        .select((l, r) => [l, r])
        .toStream()
        .sink(() => undefined);
      generate({}, ({ n }) => ({ id: 'a', n }))
        .keyBy(key)
        .temporalJoin(left)
        .select((element, row) => [element, row])
        .sink(() => undefined);
    });
  const first = nodes(({ n }) => n);
  const plan: Plan = planOf(
    first,
    first.sinks.map(({ node }) => node),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(plan)), plan);
  const second = nodes(({ n }) => n + 1);
  const third = nodes(({ n }) => n, 'outer', 'n');
  const shapesOf = (fragment: typeof first): string[] => fragment.nodes.map(({ shape }) => shape);
  assert.deepEqual(shapesOf(first), shapesOf(second));
  assert.notEqual(nodeOf(first, 'tableMap').own, nodeOf(second, 'tableMap').own);
  assert.notEqual(nodeOf(first, 'tableJoin').own, nodeOf(third, 'tableJoin').own);
  // The key stands in the keyBy before the join: another one is another state.
  const keysOf = (fragment: typeof first): string[] =>
    fragment.nodes.filter(({ kind, parameters }) => kind === 'keyBy' && 'of' in parameters).map(({ own }) => own);
  assert.equal(new Set(keysOf(first)).size, 1);
  assert.notDeepEqual(keysOf(first), keysOf(third));
});

test('an aggregate that cannot subtract is refused by name, and so is what is no key', () => {
  const grouped = (declare: (table: Table<{ id: string; n: number }, { id: string }>) => unknown) => () =>
    evaluate(() => void declare(from(rows).keyBy('id').toTable()));
  const own = aggregator({ create: () => 0, add: (sum: number) => sum, result: (sum) => sum });
  const refusedAggregates = {
    'quantile\\(\\)': quantile<{ n: number }>(0.5, 'n'),
    'first\\(\\)': first((row: { n: number }) => row.n),
    'variance\\(\\)': variance<{ n: number }>('n'),
    'minBy\\(\\)': minBy<{ n: number }>('n'),
    'countDistinct\\(\\) with approximate': countDistinct<{ n: number }>('n', { approximate: true }),
    'aggregator\\(\\) without subtract': own,
  };
  for (const [what, mine] of Object.entries(refusedAggregates))
    assert.throws(
      grouped((table) => table.groupBy('n').aggregate({ n2: count(), mine })),
      refused('cannot-subtract', new RegExp(`^Aggregate "mine" is ${what}, which cannot subtract`)),
    );
  assert.throws(
    grouped((table) => (table.groupBy as () => unknown).call(table)),
    refused('bad-key', /groupBy\(\) needs the names of the key fields, or one function/),
  );
  assert.throws(
    grouped((table) => table.groupBy(5 as never)),
    refused('bad-key', /groupBy\(\) takes names of fields or one function, not 5/),
  );
  assert.throws(
    grouped((table) => table.groupBy('n').aggregate({ n: count() })),
    refused('name-taken', /Aggregate "n" has the name of the key field "n"/),
  );
});

test('groups of a table in a program have a row for each key', async () => {
  const env = new Environment();
  const table = env.from(rows).keyBy('id').toTable();
  const groups = table.groupBy(({ n }) => n > 2).aggregate({ ids: collect((row) => row.id) });
  assert.deepEqual(await groups.get({ key: false }), { key: false, ids: ['b'] });
  assert.deepEqual(await groups.get({ key: true }), { key: true, ids: ['a'] });
  assert.equal(await groups.map((row) => row.ids.length).get({ key: true }), 1);
});

test('the changes of one table are read by many, each at its own pace', async () => {
  const env = new Environment();
  const table = env.from(rows).keyBy('id').toTable();
  const seen: unknown[] = [];
  const others: unknown[] = [];
  table.toStream().sink(({ kind, row }) => void seen.push([kind, row.n]));
  table
    .filter(({ n }) => n > 1)
    .toStream()
    .sink(({ kind, row }) => void others.push([kind, row.n]));
  const job = await env.execute();
  await job.finished;
  assert.deepEqual(seen, [
    ['insert', 1],
    ['insert', 2],
    ['update', 3],
  ]);
  assert.deepEqual(others, [
    ['insert', 2],
    ['insert', 3],
  ]);
});
