// The options of kafka(), table() and to() about formats and schemas, as parameters of the plan.
import { resolve } from 'node:path';
import { SluiceError } from '../errors/error.ts';
import { optionNames, type RecordPart } from '../formats/value-format.ts';
import { readSchemaFile } from '../formats/schema-file.ts';
import type { AvroSpec, FormatName, FormatSpec, SchemaText, SchemaType } from '../graph/format-spec.ts';
import type { Builder } from './builder.ts';
import { integerForms, oneOf, text } from './options.ts';

export const formatOptionNames = [
  ...['format', 'schemaFile', 'message', 'registry', 'integers', 'keyFormat', 'keySchemaFile'],
];
const formats: readonly FormatSpec['format'][] = ['json', 'string', 'bytes', 'avro', 'protobuf', 'json-schema', 'auto'];
const formatOf: Readonly<Record<SchemaType, FormatName>> = { AVRO: 'avro', PROTOBUF: 'protobuf', JSON: 'json-schema' };

type Options = Readonly<Record<string, unknown>>;

/** `source` names the call for messages. */
export function valueFormat(source: string, options: Options, builder: Builder): FormatSpec {
  const { format = 'auto', schemaFile, message, registry, integers } = options;
  const given = formatSpec(source, optionNames.value, { format, schemaFile, registry }, builder);
  if (integers !== undefined && given.format !== 'json' && given.format !== 'auto')
    throw new SluiceError(
      'bad-option',
      `The integers of ${source} are about JSON, and its format is "${given.format}". Leave integers out: large integers of a schema are bigints.`,
    );
  const spec: FormatSpec =
    integers === undefined ? given : { ...given, integers: oneOf(`integers of ${source}`, integers, integerForms) };
  if (message === undefined) return spec;
  if (spec.schemaFile?.type !== 'PROTOBUF')
    throw new SluiceError(
      'bad-option',
      `The message of ${source} chooses a type of a Protobuf schemaFile, and there is none. A schema id of a registry names the type itself.`,
    );
  return { ...spec, message: text(`The message of ${source}`, message) };
}

/** undefined: keys are text or JSON. */
export function keyFormat(source: string, options: Options, builder: Builder): FormatSpec | undefined {
  const { keyFormat: format, keySchemaFile: schemaFile, registry } = options;
  if (format === undefined && schemaFile === undefined) return undefined;
  return formatSpec(source, optionNames.key, { format: format ?? 'auto', schemaFile, registry }, builder);
}

function formatSpec(
  source: string,
  names: { readonly format: string; readonly file: string },
  given: { readonly format: unknown; readonly schemaFile: unknown; readonly registry: unknown },
  builder: Builder,
): FormatSpec {
  const format = oneOf(`The ${names.format} of ${source}`, given.format, formats);
  const registry = given.registry === undefined ? undefined : text(`The registry of ${source}`, given.registry);
  const file = schemaText(source, names.file, given.schemaFile, format, builder);
  if (!file) return { format, ...(registry !== undefined && { registry }) };
  if (format !== 'auto' && format !== formatOf[file.type])
    throw new SluiceError(
      'bad-option',
      `The ${names.format} of ${source} is "${format}", which has no schema. Leave out the ${names.file}, or give "avro", "protobuf" or "json-schema".`,
    );
  return { format: formatOf[file.type], schemaFile: file };
}

/** Relative paths start at the notebook's folder. Errors: `schema-file`. */
function schemaText(
  source: string,
  name: string,
  path: unknown,
  format: string,
  builder: Builder,
): SchemaText | undefined {
  if (path === undefined) return undefined;
  const { resolvePath = resolve, schemaText: atHand } = builder.settings;
  return readSchemaFile(resolvePath(text(`The ${name} of ${source}`, path)), format, undefined, atHand);
}

/**
 * How to() writes values or keys as Avro. With 'register', what has no schema file uses the latest
 * schema.
 */
export function avroSpec(options: Options, builder: Builder, part: RecordPart): AvroSpec {
  const { schemas = 'use', registry, schemaFile, keySchemaFile } = options;
  const use = oneOf('The schemas of to()', schemas, ['register', 'use']);
  const name = optionNames[part].file;
  const file = schemaText('to()', name, options[name], 'avro', builder);
  if (use === 'register' && schemaFile === undefined && keySchemaFile === undefined)
    throw new SluiceError('bad-option', `to() with schemas: "register" registers the schema of a ${name}. Give one.`);
  return {
    schemas: file ? use : 'use',
    ...(file && { schemaFile: file }),
    ...(registry !== undefined && { registry: text('The registry of to()', registry) }),
  };
}
