// to(): a topic as a sink. Its options are those of Java's producer, with the same defaults.
import { notYet, SluiceError } from '../errors/error.ts';
import { parseDuration } from '../time/duration.ts';
import type { Builder, Origin } from './builder.ts';
import { avroSpec } from './formats.ts';
import { oneOf, readOptions, text, wholeNumber } from './options.ts';
import { describe, selector, userFunction, type Parameters } from './parameters.ts';
import { PlannedSink } from './sinks.ts';

const avroOptionNames = ['schemaFile', 'schemas', 'registry'];
const known = [
  ...avroOptionNames,
  ...['connection', 'key', 'format', 'timestamp', 'delivery', 'transactionalIdPrefix'],
  ...['headers', 'partitioner', 'acks', 'idempotent', 'compression', 'linger', 'create'],
];

export function declareKafkaSink(builder: Builder, from: Origin, topic: unknown, options: unknown): PlannedSink {
  const given = readOptions('to()', options, known);
  const name = text('The topic of to()', topic);
  const { connection, key, format = 'json', timestamp } = given;
  const cluster = connection === undefined ? undefined : text('The connection of to()', connection);
  const written = oneOf('The format of to()', format, ['json', 'string', 'bytes', 'avro', 'protobuf']);
  if (written === 'protobuf') notYet(`sinks that write ${written}`);
  const misplaced = written === 'avro' ? undefined : avroOptionNames.find((option) => given[option] !== undefined);
  if (misplaced !== undefined)
    throw new SluiceError('bad-option', `The ${misplaced} of to() needs format: "avro"; the format is "${written}".`);
  const guarantee = oneOf('The delivery of to()', given['delivery'] ?? 'at-least-once', [
    'exactly-once',
    'at-least-once',
    'none',
  ]);
  if (guarantee === 'exactly-once') notYet(`sinks with delivery "${guarantee}"`);
  if (given['transactionalIdPrefix'] !== undefined) notYet('transactional sinks (transactionalIdPrefix)');
  const draft = builder.declare({
    verb: 'to',
    kind: 'kafkaSink',
    about: name,
    parameters: {
      topic: name,
      ...(cluster !== undefined && { connection: cluster }),
      ...(key !== undefined && { key: selector('The key of to()', 'key', key) }),
      format: written,
      ...(written === 'avro' && { avro: avroSpec(given, builder) }),
      ...(timestamp !== undefined && { timestamp: selector('The timestamp of to()', 'timestamp', timestamp) }),
      delivery: guarantee,
      ...functionsOf(given),
      ...producerOptions(given),
      ...(given['create'] !== undefined && { create: topicToCreate(given['create']) }),
    },
    inputs: [{ from }],
  });
  const where = cluster === undefined ? `topic ${name}` : `topic ${name} on ${cluster}`;
  const target = given['create'] === undefined ? where : `${where} (created if it is missing)`;
  builder.addSink(draft, target);
  return new PlannedSink(target);
}

type Options = Readonly<Record<string, unknown>>;

function functionsOf({ headers, partitioner }: Options): Parameters {
  return {
    ...(headers !== undefined && { headers: { fn: userFunction('The headers of to()', 'headers', headers) } }),
    ...(partitioner !== undefined && {
      partitioner: { fn: userFunction('The partitioner of to()', 'partitioner', partitioner) },
    }),
  };
}

function producerOptions({ acks, idempotent, compression, linger }: Options): Parameters {
  if (acks !== undefined && acks !== 'all' && acks !== 1 && acks !== 0)
    throw new SluiceError('bad-option', `The acks of to() is one of "all", 1, 0, not ${describe(acks)}.`);
  if (idempotent !== undefined && typeof idempotent !== 'boolean')
    throw new SluiceError('bad-option', `The option idempotent of to() is true or false, not ${describe(idempotent)}.`);
  if (idempotent === true && acks !== undefined && acks !== 'all')
    throw new SluiceError(
      'bad-option',
      `to() has idempotent: true and acks: ${acks}. An idempotent sink needs acks: "all". Leave one of the two out.`,
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
