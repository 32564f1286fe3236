// Sinks, where a stream leaves the dataflow. A sink is a preview until it is armed, so its spec has
// a sentence about the target of the armed sink.
import { basename, extname, resolve } from 'node:path';
import { notYet, SluiceError } from '../errors/error.ts';
import type { Builder, Origin } from './builder.ts';
import { avroSpec } from './formats.ts';
import { oneOf, readOptions, text } from './options.ts';
import { describe, selector, userFunction } from './parameters.ts';
import type * as S from './surface.ts';

export class PlannedSink implements S.Sink {
  readonly kind = 'sink';
  readonly target: string;
  constructor(target: string) {
    this.target = target;
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Sink to ${this.target}`;
  }
}

const avroOptionNames = ['schemaFile', 'schemas', 'registry'];

export function declareKafkaSink(builder: Builder, from: Origin, topic: unknown, options: unknown): PlannedSink {
  const known = ['connection', 'key', 'format', ...avroOptionNames, 'timestamp', 'delivery', 'transactionalIdPrefix'];
  const given = readOptions('to()', options, known);
  const { connection, key, format = 'json', timestamp, delivery, transactionalIdPrefix } = given;
  const name = text('The topic of to()', topic);
  const cluster = connection === undefined ? undefined : text('The connection of to()', connection);
  const written = oneOf('The format of to()', format, ['json', 'string', 'bytes', 'avro', 'protobuf']);
  if (written === 'protobuf') notYet(`sinks that write ${written}`);
  const misplaced = written === 'avro' ? undefined : avroOptionNames.find((name) => given[name] !== undefined);
  if (misplaced !== undefined)
    throw new SluiceError('bad-option', `The ${misplaced} of to() needs format: "avro"; the format is "${written}".`);
  const guarantee = oneOf('The delivery of to()', delivery ?? 'at-least-once', [
    'exactly-once',
    'at-least-once',
    'none',
  ]);
  if (guarantee === 'exactly-once') notYet(`sinks with delivery "${guarantee}"`);
  if (transactionalIdPrefix !== undefined) notYet('transactional sinks (transactionalIdPrefix)');
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
    },
    inputs: [{ from }],
  });
  const target = cluster === undefined ? `topic ${name}` : `topic ${name} on ${cluster}`;
  builder.addSink(draft, target);
  return new PlannedSink(target);
}

/**
 * Writes rows as lines of JSON or CSV, by the extension unless `format` is given. Each job starts
 * the file anew. A job that continues from a snapshot cuts the file at its length in the snapshot,
 * and continues there. With `partitionBy`, `totals.jsonl` becomes the folder `totals` with one file
 * for each text that it returns.
 */
export function declareFileSink(builder: Builder, from: Origin, path: unknown, options: unknown): PlannedSink {
  const { format, partitionBy } = readOptions('toFile()', options, ['format', 'partitionBy']);
  const named = text('The path of toFile()', path);
  const byExtension = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv' }[extname(named).toLowerCase()];
  if (format === undefined && byExtension === undefined)
    throw new SluiceError(
      'bad-option',
      `toFile(${JSON.stringify(named)}) has no extension of a known format. Give format: "jsonl" or format: "csv".`,
    );
  const draft = builder.declare({
    verb: 'toFile',
    kind: 'fileSink',
    about: basename(named),
    parameters: {
      path: (builder.settings.resolvePath ?? resolve)(named),
      format: oneOf('The format of toFile()', format ?? byExtension, ['jsonl', 'csv']),
      ...(partitionBy !== undefined && {
        partitionBy: { fn: userFunction('The partitionBy of toFile()', 'partitionBy', partitionBy) },
      }),
    },
    shape: [],
    inputs: [{ from }],
  });
  const target =
    partitionBy === undefined ? `file ${named}` : `files in ${named.slice(0, -extname(named).length || undefined)}`;
  builder.addSink(draft, target);
  return new PlannedSink(target);
}

export function declareFunctionSink(builder: Builder, from: Origin, sink: unknown): PlannedSink {
  if (sink !== null && typeof sink === 'object') notYet('two-phase sinks');
  if (typeof sink !== 'function')
    throw new SluiceError('not-a-function', `sink() takes a function of the element, not ${describe(sink)}.`);
  const parameters = { fn: userFunction('sink()', 'fn', sink) };
  const draft = builder.declare({
    verb: 'sink',
    kind: 'functionSink',
    about: sink.name,
    parameters,
    inputs: [{ from }],
  });
  const target = sink.name === '' ? 'a function' : `function ${sink.name}`;
  builder.addSink(draft, target);
  return new PlannedSink(target);
}
