// kafka(): a topic as a source. It joins no consumer group, so `from` always says where it starts.
import { SluiceError } from '../errors/error.ts';
import type { OffsetReset, StartFrom, StopAt } from '../graph/parameters.ts';
import { parseDuration } from '../time/duration.ts';
import type { Builder, DeclaredParameters } from './builder.ts';
import { formatOptionNames, keyFormat, valueFormat } from './formats.ts';
import { positiveNumber, readOptions, text } from './options.ts';
import { describe } from './parameters.ts';
import { schemaFunction } from './schema.ts';
import { PlannedSourceStream } from './stream.ts';
import { epochMillis, sourceOptionNames, timeParameters } from './time-options.ts';

export const kafkaOptionNames = [
  ...sourceOptionNames,
  'connection',
  'from',
  'group',
  'until',
  'offsetReset',
  ...formatOptionNames,
  'meta',
  'schema',
  'discovery',
  'maxBatchBytes',
];

export function declareKafka<T>(builder: Builder, topic: unknown, given: unknown): PlannedSourceStream<T> {
  return declareTopic<T>(builder, topic, readOptions('kafka()', given, kafkaOptionNames));
}

/**
 * Declares the source from options that have been checked. `tableKey`: the topic is read as a
 * table, see engine/connectors/kafka/table-decoder.ts.
 */
export function declareTopic<T>(
  builder: Builder,
  topic: unknown,
  options: Readonly<Record<string, unknown>>,
  tableKey?: string,
): PlannedSourceStream<T> {
  const pattern = topic instanceof RegExp ? patternOf(topic, options) : undefined;
  const name = topic instanceof RegExp ? String(topic) : text('The topic of kafka()', topic);
  const { connection, until, schema, rate, maxBatchBytes, discovery } = options;
  const keys = keyFormat('kafka()', options, builder);
  const meta = tableKey === undefined ? metaOf(options, keys !== undefined) : false;
  if (discovery !== undefined && until !== undefined)
    throw new SluiceError(
      'bad-option',
      'kafka() has until and discovery, but a bounded read takes the partitions that exist when it starts. Leave one of them out.',
    );
  const start = startAndGroup(options['from'] ?? (until === undefined ? 'latest' : 'earliest'), options['group']);
  const { startFrom, commitTo } = tableKey === undefined ? (builder.settings.topics ?? {}) : {};
  const parameters: DeclaredParameters<'kafka'> = {
    topic: name,
    ...(pattern !== undefined && { pattern }),
    ...(discovery !== undefined && { discoveryMillis: intervalOf(discovery) }),
    ...(connection !== undefined && { connection: text('The connection of kafka()', connection) }),
    ...start,
    ...(startFrom !== undefined && until === undefined && { from: startFrom }),
    ...(commitTo !== undefined && { commitTo }),
    ...(until !== undefined && { until: endOf(until) }),
    ...resetOf(options['offsetReset']),
    ...valueFormat('kafka()', options, builder),
    ...(keys && { keyFormat: keys }),
    ...(meta && { meta: true as const }),
    ...(tableKey !== undefined && { tableKey }),
    ...timeParameters('kafka()', options, builder.settings.idlenessMillis),
    ...(rate !== undefined && { rate: rateOf(rate) }),
    ...(maxBatchBytes !== undefined && {
      maxBatchBytes: Math.ceil(positiveNumber('The maxBatchBytes of kafka()', maxBatchBytes)),
    }),
    ...(schema !== undefined && { schema: { fn: schemaFunction('kafka()', schema) } }),
  };
  const draft = builder.declare({
    verb: 'kafka',
    kind: 'kafka',
    about: name,
    parameters,
    // A topic with another selector or another bound continues at the same offsets.
    shape: [name, (connection as string | undefined) ?? null],
    id: options['id'],
    name: options['name'],
  });
  return new PlannedSourceStream({ origin: { draft, port: 'out' }, builder });
}

/** Keys are seen only in `meta`. */
function metaOf({ meta = false }: Readonly<Record<string, unknown>>, hasKeyFormat: boolean): boolean {
  if (typeof meta !== 'boolean')
    throw new SluiceError('bad-option', `The option meta of kafka() is true or false, not ${describe(meta)}.`);
  if (hasKeyFormat && !meta)
    throw new SluiceError(
      'bad-option',
      'kafka() has keyFormat or keySchemaFile, but its elements have no key. Give meta: true, and read the key as meta.key.',
    );
  return meta;
}

/** A global or sticky expression would remember where it stopped in another name. */
function patternOf({ source, flags }: RegExp, { from }: Readonly<Record<string, unknown>>) {
  if (from !== null && typeof from === 'object' && 'offsets' in from)
    throw new SluiceError(
      'bad-option',
      'kafka() has a pattern of topics and from: { offsets }, but offsets belong to one topic. Give its name, or another from.',
    );
  return { source, flags: flags.replace(/[gy]/g, '') };
}
function intervalOf(discovery: unknown): number {
  const millis = parseDuration(discovery, 'discovery of kafka()');
  if (millis > 0) return millis;
  throw new SluiceError('bad-option', 'discovery of kafka() is 0: give the time between two looks, such as "1m".');
}

/** Records/s, or the coefficients of the estimator. Absent ones have Spark's defaults. */
function rateOf(rate: unknown): DeclaredParameters<'kafka'>['rate'] {
  if (rate === null || typeof rate !== 'object') return positiveNumber('The rate of kafka()', rate);
  const { pid } = readOptions('rate of kafka()', rate, ['pid']);
  const known = ['proportional', 'integral', 'derived', 'minRate'];
  const coefficients = readOptions('rate.pid of kafka()', pid, known);
  return {
    pid: Object.fromEntries(
      Object.entries(coefficients).map(([name, value]) => {
        const what = `${name} of rate.pid of kafka()`;
        if (value === 0 && name !== 'minRate') return [name, 0];
        return [name, positiveNumber(what, value)];
      }),
    ),
  };
}

/** With from: 'committed' the group is the start, and gets no offsets: it may belong to others. */
function startAndGroup(from: unknown, group: unknown): { readonly from: StartFrom; readonly commitTo?: string } {
  if (from !== 'committed')
    return { from: startOf(from), ...(group !== undefined && { commitTo: text('The group of kafka()', group) }) };
  if (group !== undefined) return { from: { committed: text('The group of kafka()', group) } };
  throw new SluiceError(
    'bad-option',
    'kafka() has from: "committed" and no group. Give the name of the consumer group whose offsets are the start.',
  );
}
function startOf(from: unknown): StartFrom {
  if (from === 'earliest' || from === 'latest') return from;
  if (from !== null && typeof from === 'object') {
    const { timestamp, offsets } = readOptions('from of kafka()', from, ['timestamp', 'offsets']);
    if (timestamp !== undefined && offsets === undefined)
      return { timestamp: epochMillis('The from.timestamp of kafka()', timestamp) };
    if (offsets !== null && typeof offsets === 'object' && timestamp === undefined)
      return { offsets: checkOffsets(offsets) };
  }
  throw new SluiceError(
    'bad-option',
    `The from of kafka() is "earliest", "latest", "committed", { timestamp } or { offsets: { 0: "42" } }, not ${describe(from)}.`,
  );
}

function checkOffsets(offsets: object): Record<string, string> {
  const entries = Object.entries(offsets) as [string, unknown][];
  for (const [partition, offset] of entries)
    if (!/^\d+$/.test(partition) || typeof offset !== 'string' || !/^\d+$/.test(offset))
      throw new SluiceError(
        'bad-option',
        `The offsets of kafka() map a partition to an offset as text ({ 0: "42" }), not ${partition} to ${describe(offset)}.`,
      );
  return Object.fromEntries(entries as [string, string][]);
}

function endOf(until: unknown): StopAt {
  if (until === 'latest') return until;
  if (until !== null && typeof until === 'object') {
    const { timestamp } = readOptions('until of kafka()', until, ['timestamp']);
    return { timestamp: epochMillis('The until.timestamp of kafka()', timestamp) };
  }
  throw new SluiceError('bad-option', `The until of kafka() is "latest" or { timestamp }, not ${describe(until)}.`);
}

/** 'none' is the default, so it is not in the plan. */
function resetOf(given: unknown): { readonly offsetReset?: OffsetReset } {
  if (given === undefined || given === 'none') return {};
  if (given === 'earliest' || given === 'latest') return { offsetReset: given };
  throw new SluiceError(
    'bad-option',
    `The offsetReset of kafka() is "none", "earliest" or "latest", not ${describe(given)}.`,
  );
}
