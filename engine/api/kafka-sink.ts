// to(): a topic as a sink. Its options are those of Java's producer, with the same defaults.
import { notYet, SluiceError } from '../errors/error.ts';
import { parseDuration } from '../time/duration.ts';
import type { Builder, Origin } from './builder.ts';
import { avroSpec } from './formats.ts';
import { oneOf, positiveNumber, readOptions, text, wholeNumber } from './options.ts';
import { describe, selector, userFunction, type Parameters } from './parameters.ts';
import { showKeyedRows } from './sink-rows.ts';
import { PlannedSink } from './sinks.ts';

const known = [
  ...['schemaFile', 'keySchemaFile', 'schemas', 'registry'],
  ...['connection', 'key', 'format', 'keyFormat', 'timestamp', 'delivery'],
  ...['transactionalIdPrefix', 'transactionTimeout'],
  ...['headers', 'partitioner', 'acks', 'idempotent', 'compression', 'linger', 'create'],
];

export function declareKafkaSink(builder: Builder, from: Origin, topic: unknown, options: unknown): PlannedSink {
  const given = readOptions('to()', options, known);
  const name = text('The topic of to()', topic);
  const { connection, key, format = 'json', timestamp } = given;
  const cluster = connection === undefined ? undefined : text('The connection of to()', connection);
  const written = oneOf('The format of to()', format, ['json', 'string', 'bytes', 'avro', 'protobuf']);
  if (written === 'protobuf') notYet(`sinks that write ${written}`);
  const keys = keyFormatOf(given);
  checkAvroOptions(given, written, keys);
  const guarantee = oneOf('The delivery of to()', given['delivery'] ?? 'at-least-once', [
    'exactly-once',
    'at-least-once',
    'none',
  ]);
  const draft = builder.declare({
    verb: 'to',
    kind: 'kafkaSink',
    about: name,
    parameters: {
      topic: name,
      ...(cluster !== undefined && { connection: cluster }),
      ...(key !== undefined && { key: selector('The key of to()', 'key', key) }),
      format: written,
      ...(written === 'avro' && { avro: avroSpec(given, builder, 'value') }),
      ...(keys !== 'string' && { keyFormat: keys }),
      ...(keys === 'avro' && { keyAvro: avroSpec(given, builder, 'key') }),
      ...(timestamp !== undefined && { timestamp: selector('The timestamp of to()', 'timestamp', timestamp) }),
      delivery: guarantee,
      ...transactionOptions(given, guarantee),
      ...functionsOf(given),
      ...producerOptions(given, guarantee),
      ...(given['create'] !== undefined && { create: topicToCreate(given['create']) }),
    },
    // Transactions that are not committed belong to the topic. Its other options may change.
    ...(guarantee === 'exactly-once' && { shape: ['exactly-once', name, cluster ?? null] }),
    inputs: [{ from }],
  });
  const where = cluster === undefined ? `topic ${name}` : `topic ${name} on ${cluster}`;
  const target = given['create'] === undefined ? where : `${where} (created if it is missing)`;
  builder.addSink(draft, target);
  showKeyedRows(builder, from, where, key);
  return new PlannedSink(target);
}

type Options = Readonly<Record<string, unknown>>;

function keyFormatOf({ key, keyFormat, keySchemaFile }: Options): 'json' | 'string' | 'bytes' | 'avro' {
  if (key === undefined && (keyFormat !== undefined || keySchemaFile !== undefined))
    throw new SluiceError('bad-option', 'to() has a keyFormat or a keySchemaFile, and no key. Give a key.');
  return oneOf('The keyFormat of to()', keyFormat ?? 'string', ['json', 'string', 'bytes', 'avro']);
}
function checkAvroOptions(given: Options, values: string, keys: string): void {
  const needs = (options: readonly string[], what: string): void => refuseGiven(given, options, what);
  if (values !== 'avro') needs(['schemaFile'], `format: "avro"; the format is "${values}"`);
  if (keys !== 'avro') needs(['keySchemaFile'], `keyFormat: "avro"; the keyFormat is "${keys}"`);
  if (values !== 'avro' && keys !== 'avro') needs(['schemas', 'registry'], `format: "avro"; the format is "${values}"`);
}

/** Refuses options that are given without what they need. */
function refuseGiven(given: Options, options: readonly string[], needed: string): void {
  const misplaced = options.find((option) => given[option] !== undefined);
  if (misplaced !== undefined) throw new SluiceError('bad-option', `The ${misplaced} of to() needs ${needed}.`);
}

function functionsOf({ headers, partitioner }: Options): Parameters {
  return {
    ...(headers !== undefined && { headers: { fn: userFunction('The headers of to()', 'headers', headers) } }),
    ...(partitioner !== undefined && {
      partitioner: { fn: userFunction('The partitioner of to()', 'partitioner', partitioner) },
    }),
  };
}

type Delivery = 'exactly-once' | 'at-least-once' | 'none';

function transactionOptions(given: Options, delivery: Delivery): Parameters {
  const { transactionalIdPrefix: prefix, transactionTimeout: timeout } = given;
  if (delivery !== 'exactly-once') {
    const needed = `delivery: "exactly-once"; the delivery is "${delivery}"`;
    refuseGiven(given, ['transactionalIdPrefix', 'transactionTimeout'], needed);
    return {};
  }
  const where = 'The transactionTimeout of to()';
  return {
    ...(prefix !== undefined && { transactionalIdPrefix: text('The transactionalIdPrefix of to()', prefix) }),
    ...(timeout !== undefined && {
      transactionTimeoutMillis: positiveNumber(where, parseDuration(timeout, where)),
    }),
  };
}

function producerOptions({ acks, idempotent, compression, linger }: Options, delivery: Delivery): Parameters {
  if (acks !== undefined && acks !== 'all' && acks !== 1 && acks !== 0)
    throw new SluiceError('bad-option', `The acks of to() is one of "all", 1, 0, not ${describe(acks)}.`);
  if (idempotent !== undefined && typeof idempotent !== 'boolean')
    throw new SluiceError('bad-option', `The option idempotent of to() is true or false, not ${describe(idempotent)}.`);
  if (idempotent === true && acks !== undefined && acks !== 'all')
    throw new SluiceError(
      'bad-option',
      `to() has idempotent: true and acks: ${acks}. An idempotent sink needs acks: "all". Leave one of the two out.`,
    );
  if (delivery === 'exactly-once' && ((acks !== undefined && acks !== 'all') || idempotent === false))
    throw new SluiceError(
      'bad-option',
      `to() has delivery: "exactly-once" and ${idempotent === false ? 'idempotent: false' : `acks: ${acks}`}. A transaction needs acks: "all" and an idempotent producer. Leave one of the two out.`,
    );
  return {
    ...(acks !== undefined && { acks }),
    ...(idempotent !== undefined && { idempotent }),
    ...(compression !== undefined && {
      compression: oneOf('The compression of to()', compression, ['none', 'gzip', 'snappy', 'lz4', 'zstd']),
    }),
    ...(linger !== undefined && { lingerMillis: parseDuration(linger, 'The linger of to()') }),
  };
}

/** The text of each setting, as Kafka wants it. */
function topicToCreate(create: unknown): Parameters {
  const { partitions, replication, config } = readOptions('The create of to()', create, [
    'partitions',
    'replication',
    'config',
  ]);
  return {
    ...(partitions !== undefined && { partitions: positiveWhole('The partitions of a created topic', partitions) }),
    ...(replication !== undefined && { replication: positiveWhole('The replication of a created topic', replication) }),
    ...(config !== undefined && { config: settings(config) }),
  };
}
function positiveWhole(what: string, value: unknown): number {
  const number = wholeNumber(what, value);
  if (number > 0) return number;
  throw new SluiceError('bad-option', `${what} is a whole number, 1 or more, not 0.`);
}
function settings(config: unknown): Readonly<Record<string, string>> {
  if (config === null || typeof config !== 'object' || Array.isArray(config))
    throw new SluiceError(
      'bad-option',
      `The config of a created topic is an object, such as { 'retention.ms': 86400000 }, not ${describe(config)}.`,
    );
  return Object.fromEntries(
    Object.entries(config).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        return [name, String(value)];
      throw new SluiceError(
        'bad-option',
        `The setting ${name} of a created topic is a text, a number, true or false, not ${describe(value)}.`,
      );
    }),
  );
}
