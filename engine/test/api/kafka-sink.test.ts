// The options of to(): the plan that they make, and the errors of wrong ones.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { from } from '../../index.ts';
import { evaluate, nodeOf } from './evaluate.ts';

const rows = (): ReturnType<typeof from<{ id: number; zone: string }>> => from([{ id: 1, zone: 'a' }]);
function planOf(options: unknown): Readonly<Record<string, unknown>> {
  return nodeOf(
    evaluate(() => rows().to('t', options as never)),
    'kafkaSink',
  ).parameters;
}

test('the options of the producer are parameters of the sink, and options left out are not', () => {
  const { topic, format, delivery, ...rest } = planOf({
    acks: 1,
    idempotent: false,
    compression: 'lz4',
    linger: '20ms',
    create: { partitions: 3, replication: 1, config: { 'retention.ms': 1000, 'cleanup.policy': 'compact' } },
  });
  assert.deepEqual([topic, format, delivery], ['t', 'json', 'at-least-once']);
  assert.deepEqual(rest, {
    acks: 1,
    idempotent: false,
    compression: 'lz4',
    lingerMillis: 20,
    create: { partitions: 3, replication: 1, config: { 'retention.ms': '1000', 'cleanup.policy': 'compact' } },
  });
  assert.deepEqual(Object.keys(planOf(undefined)), ['topic', 'format', 'delivery']);
});

test('headers and partitioner are functions of the plan', () => {
  const { headers, partitioner } = planOf({ headers: () => ({ a: 'b' }), partitioner: () => 0 });
  assert.deepEqual(
    [headers, partitioner].map((one) => (one as { fn: { slot: string } }).fn.slot),
    ['headers', 'partitioner'],
  );
});

test('the target of a sink says that a missing topic is created', () => {
  const targets = (options: object) => evaluate(() => rows().to('t', options)).sinks.map(({ target }) => target);
  assert.deepEqual(targets({ connection: 'prod', create: {} }), ['topic t on prod (created if it is missing)']);
  assert.deepEqual(targets({}), ['topic t']);
});

const wrong: readonly (readonly [what: string, options: unknown, message: RegExp])[] = [
  ['acks of two', { acks: 2 }, /The acks of to\(\) is one of "all", 1, 0, not 2/],
  ['idempotence that is a text', { idempotent: 'yes' }, /idempotent of to\(\) is true or false, not "yes"/],
  ['idempotence without all replicas', { idempotent: true, acks: 1 }, /needs acks: "all"/],
  ['an unknown compression', { compression: 'brotli' }, /one of "none", "gzip".*not "brotli"/],
  ['a linger without unit', { linger: 5 }, /The linger of to\(\) is 5, which is not a duration/],
  ['a partitioner that is a number', { partitioner: 1 }, /The partitioner of to\(\) takes a function, not 1/],
  ['headers that are no function', { headers: { a: 'b' } }, /The headers of to\(\) takes a function, not an object/],
  ['a topic without partitions', { create: { partitions: 0 } }, /partitions of a created topic is .* 1 or more, not 0/],
  ['half a replica', { create: { replication: 0.5 } }, /replication of a created topic is a whole number/],
  ['settings that are a list', { create: { config: ['a'] } }, /config of a created topic is an object/],
  ['a setting that is an object', { create: { config: { a: {} } } }, /setting a of a created topic is a text/],
  ['a misspelt option of create', { create: { partition: 1 } }, /create of to\(\) has no option "partition"/],
];
for (const [what, options, message] of wrong)
  test(`${what} is refused`, () => {
    assert.throws(() => planOf(options), { message });
  });
