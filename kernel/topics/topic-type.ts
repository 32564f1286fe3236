// The type of a topic's rows: from the schemas of its records in the registry, else from a sample
// of its records. Records of several schema versions give one type, in which a field that one
// version lacks is optional.
import { SluiceError } from '../../engine/errors/error.ts';
import { wayToNameRegistry } from '../../engine/errors/way-to-set.ts';
import { sampleRecords } from '../../engine/connectors/kafka/topic-look.ts';
import { parseAvro } from '../../engine/formats/avro-schema.ts';
import { ByteReader } from '../../engine/formats/byte-reader.ts';
import { kindOfValues } from '../../engine/formats/found-format.ts';
import { parseJson } from '../../engine/formats/integers.ts';
import { whyUnusable } from '../../engine/formats/limits.ts';
import { parseProtobuf } from '../../engine/formats/protobuf-schema.ts';
import { messageIndex } from '../../engine/formats/record-readers.ts';
import { headerLength } from '../../engine/formats/value-format.ts';
import { type SchemaText, typeNames } from '../../engine/graph/format-spec.ts';
import { fetchLatest, fetchSchema } from '../../engine/registry/registry-client.ts';
import { type RegistryConnection, registryNamed } from '../../engine/registry/registry-connection.ts';
import { RegistryAway, SchemaAbsent } from '../../engine/registry/registry-request.ts';
import { typeOfAvro } from './avro-types.ts';
import { typeOfJsonSchema } from './json-schema-types.ts';
import { typeOfProtobuf } from './protobuf-types.ts';
import { merged, plain, type RowType } from './row-type.ts';
import { pathOfTopic } from './type-path.ts';
import { typeOfValues } from './value-types.ts';

export interface TopicNames {
  /** Of the connections; absent: the default one. */
  readonly connection?: string | undefined;
  /** Of the registry, as in kafka(). */
  readonly registry?: string | undefined;
}
export interface TopicType {
  readonly type: RowType;
  /** Where it is from: "Avro, schema 12". The same for the same type. */
  readonly about: string;
}

const sampleSize = 500;

/**
 * Errors: those of sampleRecords and of the registry, and `topic-no-type` if nothing says what the
 * rows are.
 */
export async function typeOfTopic(topic: string, names: TopicNames): Promise<TopicType> {
  const records = await sampleRecords(names.connection, topic, sampleSize);
  const values = records.flatMap(({ value }) => value ?? []);
  const kind = kindOfValues(values);
  const registry = registryNamed(names);
  switch (kind) {
    case 'schema':
      if (registry) return await asked(topic, registry, () => typeBySchemas(topic, registry, values));
      throw new SluiceError(
        'registry-no-connection',
        `The records of topic "${topic}" have schema ids, and there is no schema registry: ${wayToNameRegistry()}.`,
        { topic, variable: 'SLUICE_REGISTRY' },
      );
    case 'json':
      return { type: typeOfValues(values.flatMap(parsed)) ?? plain('unknown'), about: 'JSON, inferred from records' };
    case 'string':
      return { type: plain('string'), about: 'Text' };
    case 'bytes':
      return { type: plain('Uint8Array'), about: 'Bytes' };
    case undefined:
      if (registry) return await asked(topic, registry, () => typeBySchemas(topic, registry, []));
      throw noType(topic, 'it has no records');
  }
}

/** As kafka() reads it: long integers are bigints, and what is no JSON goes to `errors`. */
function parsed(value: Buffer): unknown[] {
  try {
    return [parseJson(value.toString('utf8'))];
  } catch {
    return [];
  }
}

interface UsedSchema {
  readonly id: number;
  readonly schema: SchemaText;
  /** Of Protobuf: the index of the message. */
  readonly index: readonly number[];
}

async function typeBySchemas(
  topic: string,
  registry: RegistryConnection,
  values: readonly Buffer[],
): Promise<TopicType> {
  const found = new Map<string, UsedSchema>();
  const known = new Map<number, SchemaText | undefined>();
  let unusable: string | undefined;
  for (const value of values) {
    if (value.length < headerLength || value[0] !== 0) continue;
    const id = value.readUInt32BE(1);
    if (!known.has(id)) {
      // Records with a schema id that the registry does not know go to `errors`.
      const schema = await knownSchema(() => fetchSchema(registry, id));
      if (!schema) unusable = `the schema registry ${registry.url} does not know the schema id ${id} of its records`;
      known.set(id, schema);
    }
    const schema = known.get(id);
    const index = schema?.type === 'PROTOBUF' ? indexOf(value) : [];
    if (schema && index) found.set(`${id} ${index.join()}`, { id, schema, index });
  }
  const latest = await knownSchema(() => fetchLatest(registry, `${topic}-value`));
  if (latest && ![...found.values()].some(({ id }) => id === latest.id))
    found.set(String(latest.id), { ...latest, index: latest.schema.type === 'PROTOBUF' ? [0] : [] });
  const all = [...found.values()].sort((a, b) => a.id - b.id || (a.index.join() < b.index.join() ? -1 : 1));
  if (all.length === 0)
    throw noType(topic, unusable ?? `it has no records, and subject "${topic}-value" of ${registry.url} has no schema`);
  const ids = [...new Set(all.map(({ id }) => id))];
  const type = all.map(({ schema, index }) => typeOfSchema(topic, schema, index)).reduce(merged);
  const kinds = [...new Set(all.map(({ schema }) => typeNames[schema.type]))].join(' or ');
  return { type, about: `${kinds}, ${ids.length === 1 ? 'schema' : 'schemas'} ${ids.join(', ')}` };
}

function indexOf(value: Buffer): readonly number[] | undefined {
  const reader = new ByteReader();
  reader.begin(value, headerLength, value.length);
  try {
    return messageIndex(reader);
  } catch {
    return undefined;
  }
}
/** undefined: the registry does not have it. */
async function knownSchema<T>(fetched: () => Promise<T>): Promise<T | undefined> {
  try {
    return await fetched();
  } catch (error) {
    if (error instanceof SchemaAbsent) return undefined;
    throw error;
  }
}

function typeOfSchema(topic: string, schema: SchemaText, index: readonly number[]): RowType {
  const path = pathOfTopic(topic);
  switch (schema.type) {
    case 'AVRO':
      return typeOfAvro(parseAvro(schema), path);
    case 'PROTOBUF':
      return typeOfProtobuf(parseProtobuf(schema).at(index), path);
    case 'JSON':
      return typeOfJsonSchema(schema, path);
  }
}

/** Gives failures of the registry words and a way out. */
async function asked<T>(topic: string, { url, setIn }: RegistryConnection, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if (error instanceof RegistryAway)
      throw new SluiceError(
        'registry-away',
        `The schema registry ${url} cannot be asked about topic "${topic}": ${error.message}. Try again when it answers; its address is from ${setIn}.`,
        { topic, setIn },
      );
    throw noType(topic, `its schema cannot be used: ${whyUnusable(error)}`);
  }
}
function noType(topic: string, why: string): SluiceError {
  return new SluiceError(
    'topic-no-type',
    `Nothing says what the rows of topic "${topic}" are: ${why}. Write a record or register a schema, or give the type yourself: kafka<Row>(${JSON.stringify(topic)}).`,
    { topic },
  );
}
