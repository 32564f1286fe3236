// The questions to a schema registry, in Confluent's API: schemas by id and by subject, with their
// references, and registering.
import { SluiceError } from '../errors/error.ts';
import { BadSchema, checkLength, longestWithReferences, mostReferences } from '../formats/limits.ts';
import type { RegistryConnection } from './registry-connection.ts';
import { type Answer, askRegistry, messageOf, SchemaAbsent } from './registry-request.ts';
import type { SchemaText, SchemaType } from '../graph/format-spec.ts';

export interface RegisteredSchema {
  readonly id: number;
  /** Its number in the subject; 0: the registry does not say. */
  readonly version: number;
  readonly schema: SchemaText;
}
interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** Errors: RegistryAway, SchemaAbsent, BadSchema, and SluiceErrors that are final. */
export async function fetchSchema(connection: RegistryConnection, id: number): Promise<SchemaText> {
  const { body } = await askRegistry(connection, `/schemas/ids/${id}`);
  return withReferences(connection, body);
}

/** The latest schema of a subject. Errors: as fetchSchema. */
export async function fetchLatest(connection: RegistryConnection, subject: string): Promise<RegisteredSchema> {
  const { body } = await askRegistry(connection, `/subjects/${encodeURIComponent(subject)}/versions/latest`);
  const version = Number.isInteger(body['version']) ? (body['version'] as number) : 0;
  return { id: idOf(connection, body), version, schema: await withReferences(connection, body) };
}

/** The names of all subjects. Errors: as fetchSchema. */
export async function fetchSubjects(connection: RegistryConnection): Promise<readonly string[]> {
  const subjects: unknown = (await askRegistry(connection, '/subjects')).body;
  if (Array.isArray(subjects)) return subjects.filter((subject) => typeof subject === 'string');
  throw new SluiceError(
    'registry-bad-answer',
    `The schema registry ${connection.url} does not answer with a list of subjects.`,
  );
}

/** The id that a subject has for exactly this schema. Errors: as fetchSchema. */
export async function lookUpSchema(connection: RegistryConnection, subject: string, text: string): Promise<number> {
  const { body } = await askRegistry(connection, `/subjects/${encodeURIComponent(subject)}`, avroBody(text));
  return idOf(connection, body);
}

/**
 * Adds a schema to a subject; the id that it has there. Errors: as fetchSchema,
 * `registry-refused-schema`.
 */
export async function registerSchema(connection: RegistryConnection, subject: string, text: string): Promise<number> {
  const path = `/subjects/${encodeURIComponent(subject)}/versions`;
  const { status, body } = await askRegistry(connection, path, avroBody(text));
  if (status >= 400)
    throw new SluiceError(
      'registry-refused-schema',
      `The schema registry ${connection.url} does not accept the schema for subject "${subject}" (${status}): ${messageOf(body) ?? 'no reason given'}`,
      { subject, status },
    );
  return idOf(connection, body);
}

function avroBody(text: string): unknown {
  return { schema: text, schemaType: 'AVRO' };
}
function idOf({ url }: RegistryConnection, { id, message }: Answer['body']): number {
  if (Number.isInteger(id)) return id as number;
  throw new SluiceError(
    'registry-bad-answer',
    `The schema registry ${url} answers without an id: ${typeof message === 'string' ? message.slice(0, 500) : 'no reason given'}`,
  );
}

// -------------------------------------------------------------------------------------- references

/** Fetches the references of a schema, and theirs; each once. */
async function withReferences(connection: RegistryConnection, body: Answer['body']): Promise<SchemaText> {
  const { type, text, references } = partsOf(body);
  const found: { name: string; text: string }[] = [];
  const seen = new Set<string>();
  let length = text.length;
  const visit = async (open: readonly Reference[]): Promise<void> => {
    for (const { name, subject, version } of open) {
      const key = JSON.stringify([name, subject, version]);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > mostReferences) throw new BadSchema(`it refers to more than ${mostReferences} schemas`);
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`;
      const inner = partsOf(await answered(connection, path, name));
      length += inner.text.length;
      if (length > longestWithReferences)
        throw new BadSchema(`with what it refers to it has more than ${longestWithReferences >> 20} MB`);
      // First its own references: types are defined before they are used.
      await visit(inner.references);
      found.push({ name, text: inner.text });
    }
  };
  await visit(references);
  return { type, text, references: found };
}
async function answered(connection: RegistryConnection, path: string, name: string): Promise<Answer['body']> {
  try {
    return (await askRegistry(connection, path)).body;
  } catch (error) {
    if (error instanceof SchemaAbsent) throw new BadSchema(`it refers to "${name}", which the registry does not have`);
    throw error;
  }
}

const types: readonly unknown[] = ['AVRO', 'PROTOBUF', 'JSON'] satisfies SchemaType[];

function partsOf(body: Answer['body']): {
  readonly type: SchemaType;
  readonly text: string;
  readonly references: readonly Reference[];
} {
  const { schema, schemaType = 'AVRO', references = [] } = body;
  if (typeof schema !== 'string')
    throw new BadSchema(`the registry answers without a schema: ${messageOf(body) ?? ''}`);
  checkLength(schema);
  if (!types.includes(schemaType)) throw new BadSchema(`it is of the type ${JSON.stringify(schemaType)}`);
  if (!Array.isArray(references) || !references.every(isReference)) throw new BadSchema('its references are unusable');
  return { type: schemaType as SchemaType, text: schema, references };
}
function isReference(value: unknown): value is Reference {
  const { name, subject, version } = (value ?? {}) as Partial<Reference>;
  return typeof name === 'string' && typeof subject === 'string' && Number.isInteger(version);
}
