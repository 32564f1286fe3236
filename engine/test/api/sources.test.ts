// The parameters of each source, with the contract's defaults.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { FunctionRef } from '../../graph/spec.ts';
import { file, from, generate, kafka, type StandardSchema, table } from '../../index.ts';
import type { Kind } from '../../graph/kinds.ts';
import { evaluate, nodeOf } from './evaluate.ts';

const parametersOf = <K extends Kind>(kind: K, declare: () => unknown, options = {}) =>
  nodeOf(
    evaluate(() => void declare(), options),
    kind,
  ).parameters;

test('a topic is read from its end, or from its start when an end is given', () => {
  assert.deepEqual(
    parametersOf('kafka', () => kafka('orders')),
    { topic: 'orders', from: 'latest', format: 'auto', watermark: { outOfOrdernessMillis: 0 } },
  );
  assert.deepEqual(
    parametersOf('kafka', () => kafka('orders', { until: 'latest', format: 'auto', connection: 'staging', rate: 500 })),
    {
      topic: 'orders',
      connection: 'staging',
      from: 'earliest',
      until: 'latest',
      format: 'auto',
      watermark: { outOfOrdernessMillis: 0 },
      rate: 500,
    },
  );
});

test('the policy for records that retention has deleted is in the plan unless it is the default', () => {
  const policyOf = (offsetReset?: unknown) =>
    parametersOf('kafka', () => kafka('t', offsetReset === undefined ? {} : ({ offsetReset } as object))).offsetReset;
  assert.deepEqual(
    [policyOf(), policyOf('none'), policyOf('earliest'), policyOf('latest')],
    [undefined, undefined, 'earliest', 'latest'],
  );
  assert.throws(() => policyOf('smallest'), {
    code: 'bad-option',
    message: /^The offsetReset of kafka\(\) is "none", "earliest" or "latest", not "smallest"/,
  });
});

test('where a topic starts and ends may be a time or offsets', () => {
  const at = Date.UTC(2026, 0, 31, 11);
  for (const timestamp of [at, new Date(at), '2026-01-31T12:00:00+01:00', '2026-01-31T11:00Z'])
    assert.deepEqual(parametersOf('kafka', () => kafka('t', { from: { timestamp } })).from, { timestamp: at });
  const parameters = parametersOf('kafka', () =>
    kafka('t', { from: { offsets: { 0: '42', 3: '9007199254740993' } }, until: { timestamp: at } }),
  );
  assert.deepEqual(parameters.from, { offsets: { 0: '42', 3: '9007199254740993' } });
  assert.deepEqual(parameters.until, { timestamp: at });
});

test('a standard schema becomes a function from a parsed value to its result', () => {
  const positive: StandardSchema<number> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (Number(value) > 0 ? { value: Number(value) } : { issues: [{ message: 'not above 0' }] }),
    },
  };
  const fragment = evaluate(() => void kafka('t', { schema: positive }));
  const { fn } = nodeOf(fragment, 'kafka').parameters['schema'] as unknown as { fn: FunctionRef };
  const validate = fragment.functions.get<(value: unknown) => unknown>(fn);
  assert.deepEqual(validate('3'), { value: 3 });
  assert.deepEqual(validate(-1), { issues: [{ message: 'not above 0' }] });
});

test('generate has seed 0 and neither rate nor limit of its own', () => {
  const next = (): number => 1;
  const fragment = evaluate(() => void generate({}, next));
  const { next: reference, ...rest } = nodeOf(fragment, 'generate').parameters;
  assert.deepEqual(rest, { seed: 0, watermark: { outOfOrdernessMillis: 0 } });
  assert.equal(fragment.functions.get((reference as unknown as { fn: FunctionRef }).fn), next);
  const { rate, seed, limit } = parametersOf('generate', () => generate({ rate: 0.5, seed: -3, limit: 7 }, next));
  assert.deepEqual([rate, seed, limit], [0.5, -3, 7]);
});

test('every source takes a rate', () => {
  assert.equal(parametersOf('file', () => file('a.jsonl', { rate: 5 }))['rate'], 5);
  assert.equal(parametersOf('from', () => from([1], { rate: 0.5 }))['rate'], 0.5);
  assert.equal(parametersOf('kafka', () => table<{ k: string }, 'k'>('t', { key: 'k', rate: 7 }))['rate'], 7);
  assert.throws(() => evaluate(() => void file('a.jsonl', { rate: 0 })), /rate of file\(\) is a number above 0, not 0/);
  assert.throws(() => evaluate(() => void from([1], { rate: '5' as never })), /rate of from\(\) is a number above 0/);
});

test('what can be iterated again is replayable; an iterator and an async iterable are not', () => {
  const kindOf = (elements: Iterable<number> | AsyncIterable<number>) => {
    const { isAsync, replayable } = parametersOf('from', () => from(elements));
    return [isAsync, replayable];
  };
  const again = { *[Symbol.iterator]() {} };
  assert.deepEqual(kindOf([1]), [false, true]);
  assert.deepEqual(kindOf(new Set([1])), [false, true]);
  assert.deepEqual(kindOf(again), [false, true]);
  assert.deepEqual(kindOf([1].values()), [false, false]);
  assert.deepEqual(kindOf((async function* () {})()), [true, false]);
});

test('the elements of from are read when the source asks for them', () => {
  const elements = [1, 2];
  const fragment = evaluate(() => void from(elements));
  const { fn } = nodeOf(fragment, 'from').parameters['elements'] as unknown as { fn: FunctionRef };
  assert.equal(fragment.functions.get<() => unknown>(fn)(), elements);
});

test('other elements give another source, the same elements the same', () => {
  const own = (elements: Iterable<unknown>) =>
    nodeOf(
      evaluate(() => void from(elements)),
      'from',
    ).own;
  assert.equal(own([{ n: 1, at: new Date(0) }]), own([{ n: 1, at: new Date(0) }]));
  assert.notEqual(own([{ n: 1 }]), own([{ n: 2 }]));
  assert.notEqual(own([{ n: 1, at: new Date(0) }]), own([{ n: 1, at: new Date(1) }]));
  assert.notEqual(own([() => 1]), own([() => 2]));
  assert.equal(own(new Map([['a', 1n]])), own(new Map([['a', 1n]])));
  assert.equal(own([1].values()), own([2].values()), 'nobody can look into an iterator without using it up');
});

test('a file is found by the notebook’s folder, and its extension tells the format', () => {
  const resolvePath = (path: string): string => `/notebooks/${path}`;
  assert.deepEqual(
    parametersOf('file', () => file('data/quakes.csv', { timestamp: 'time', speed: 60 }), { resolvePath }),
    {
      path: '/notebooks/data/quakes.csv',
      format: 'csv',
      speed: 60,
      timestamp: { field: 'time' },
      watermark: { outOfOrdernessMillis: 0 },
    },
  );
  assert.equal(parametersOf('file', () => file('a.ndjson')).format, 'jsonl');
  assert.equal(parametersOf('file', () => file('a.log', { format: 'jsonl', follow: false })).format, 'jsonl');
});

test('the notebook’s idleness holds for sources that give none', () => {
  const idlenessOf = (declare: () => unknown) =>
    (parametersOf('kafka', declare, { idlenessMillis: 10_000 })['watermark'] as { idlenessMillis?: number })
      .idlenessMillis;
  assert.equal(
    idlenessOf(() => kafka('t')),
    10_000,
  );
  assert.equal(
    idlenessOf(() => kafka('t', { watermark: { idleness: '1m' } })),
    60_000,
  );
});

test('a name and an id in the options are the node’s', () => {
  const node = nodeOf(
    evaluate(() => void from([1], { id: 'numbers', name: 'Numbers' })),
    'from',
  );
  assert.deepEqual([node.uid, node.name], ['numbers', 'Numbers']);
});
