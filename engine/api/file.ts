// file(): records of a file. A relative path starts at the notebook's folder.
import { extname, basename, resolve } from 'node:path';
import { SluiceError } from '../errors/error.ts';
import type { Builder } from './builder.ts';
import { csvOptionNames, csvSpec, encodingOf } from './csv-options.ts';
import { integerForms, oneOf, positiveNumber, readOptions, text } from './options.ts';
import { describe } from './parameters.ts';
import { schemaFunction } from './schema.ts';
import { PlannedSourceStream } from './stream.ts';
import { sourceOptionNames, timeParameters } from './time-options.ts';

const formats = ['jsonl', 'csv', 'tsv', 'json'] as const;
const formatByExtension: Readonly<Record<string, (typeof formats)[number]>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.json': 'json',
};

export function declareFile<T>(builder: Builder, path: unknown, given: unknown): PlannedSourceStream<T> {
  const options = readOptions('file()', given, [
    ...sourceOptionNames,
    ...['format', 'schema', 'speed', 'follow', 'encoding', 'integers'],
    ...csvOptionNames,
  ]);
  const { speed, rate, follow, schema, timestamp, encoding, integers } = options;
  const named = text('The path of file()', path);
  const format = formatOf(named, options['format']);
  const csv = csvSpec(options, format);
  if (follow !== undefined && typeof follow !== 'boolean')
    throw new SluiceError('bad-option', `The follow of file() is ${describe(follow)}. It is true or false.`);
  if (follow === true && format === 'json')
    throw new SluiceError(
      'bad-option',
      `file(${JSON.stringify(named)}) is a JSON array, which ends with its bracket, so it cannot be followed. Write one record per line and use format: "jsonl".`,
    );
  if (speed !== undefined && timestamp === undefined)
    throw new SluiceError(
      'bad-option',
      `file(${JSON.stringify(named)}) has a speed, but a replay needs timestamps. Add timestamp.`,
    );
  const draft = builder.declare({
    verb: 'file',
    kind: 'file',
    about: basename(named),
    parameters: {
      path: (builder.settings.resolvePath ?? resolve)(named),
      format,
      ...(follow === true && { follow }),
      ...(schema !== undefined && { schema: { fn: schemaFunction('file()', schema) } }),
      ...(speed !== undefined && { speed: positiveNumber('The speed of file()', speed) }),
      ...(rate !== undefined && { rate: positiveNumber('The rate of file()', rate) }),
      ...(csv !== undefined && { csv }),
      ...(encoding !== undefined && { encoding: encodingOf(encoding) }),
      ...(integers !== undefined && { integers: oneOf('integers of file()', integers, integerForms) }),
      ...timeParameters('file()', options, builder.settings.idlenessMillis),
    },
    id: options['id'],
    name: options['name'],
  });
  return new PlannedSourceStream({ origin: { draft, port: 'out' }, builder });
}

function formatOf(path: string, given: unknown): (typeof formats)[number] {
  if (given !== undefined) return oneOf('The format of file()', given, formats);
  // data.csv.gz and data.csv.zst are CSV. Whether they are compressed, their bytes show.
  const format = formatByExtension[extname(path.replace(/\.(?:gz|zst|zstd)$/i, '')).toLowerCase()];
  if (format !== undefined) return format;
  throw new SluiceError(
    'bad-option',
    `file(${JSON.stringify(path)}) has no extension of a known format. Give one of ${formats.map((name) => `format: "${name}"`).join(', ')}.`,
  );
}
