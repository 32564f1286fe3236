// Sinks, where a stream leaves the dataflow. A sink is a preview until it is armed, so its spec has
// a sentence about the target of the armed sink.
import { basename, extname, resolve } from 'node:path';
import { SluiceError } from '../errors/error.ts';
import type { Builder, Origin } from './builder.ts';
import { oneOf, readOptions, text } from './options.ts';
import { awaitedFunction, awaitedMethod, describe, userFunction, userMethod } from './parameters.ts';
import { showRows } from './sink-rows.ts';
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

/**
 * Writes rows as lines of JSON or CSV, by the extension unless `format` is given. Each job starts
 * the file anew. A job that continues from a snapshot cuts the file at its length in the snapshot,
 * and continues there. With `partitionBy`, `totals.jsonl` becomes the folder `totals` with one file
 * for each text that it returns. With delivery: 'exactly-once' the folder has part files, see
 * engine/connectors/part-file-sink.ts.
 */
export function declareFileSink(builder: Builder, from: Origin, path: unknown, options: unknown): PlannedSink {
  const { format, partitionBy, delivery } = readOptions('toFile()', options, ['format', 'partitionBy', 'delivery']);
  const named = text('The path of toFile()', path);
  const byExtension = { '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.csv': 'csv' }[extname(named).toLowerCase()];
  if (format === undefined && byExtension === undefined)
    throw new SluiceError(
      'bad-option',
      `toFile(${JSON.stringify(named)}) has no extension of a known format. Give format: "jsonl" or format: "csv".`,
    );
  const isExactlyOnce =
    oneOf('The delivery of toFile()', delivery ?? 'at-least-once', ['at-least-once', 'exactly-once']) ===
    'exactly-once';
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
      ...(isExactlyOnce && { delivery: 'exactly-once' }),
    },
    shape: isExactlyOnce ? ['exactly-once'] : [],
    inputs: [{ from }],
  });
  const target =
    partitionBy === undefined && !isExactlyOnce
      ? `file ${named}`
      : `files in ${named.slice(0, -extname(named).length || undefined)}`;
  builder.addSink(draft, target);
  showRows(builder, from, target);
  return new PlannedSink(target);
}

export function declareFunctionSink(builder: Builder, from: Origin, sink: unknown): PlannedSink {
  if (sink !== null && typeof sink === 'object') return declareTwoPhaseSink(builder, from, sink);
  if (typeof sink !== 'function')
    throw new SluiceError(
      'not-a-function',
      `sink() takes a function of the element, or an object with begin, write, preCommit, commit and abort, not ${describe(sink)}.`,
    );
  const parameters = { fn: awaitedFunction('sink()', 'fn', sink) };
  const draft = builder.declare({
    verb: 'sink',
    kind: 'functionSink',
    about: sink.name,
    parameters,
    inputs: [{ from }],
  });
  const target = sink.name === '' ? 'a function' : `function ${sink.name}`;
  builder.addSink(draft, target);
  showRows(builder, from, target);
  return new PlannedSink(target);
}

/** Rows are written in transactions, and a checkpoint commits them. */
function declareTwoPhaseSink(builder: Builder, from: Origin, sink: object): PlannedSink {
  const name: unknown = sink.constructor?.name;
  const about = typeof name === 'string' && name !== 'Object' ? name : '';
  const draft = builder.declare({
    verb: 'sink',
    kind: 'twoPhaseSink',
    about,
    parameters: {
      begin: awaitedMethod('sink()', sink, 'begin'),
      write: userMethod('sink()', sink, 'write'),
      preCommit: awaitedMethod('sink()', sink, 'preCommit'),
      commit: awaitedMethod('sink()', sink, 'commit'),
      abort: awaitedMethod('sink()', sink, 'abort'),
    },
    shape: [],
    inputs: [{ from }],
  });
  const target = about === '' ? 'a two-phase sink' : `two-phase sink ${about}`;
  builder.addSink(draft, target);
  return new PlannedSink(target);
}
