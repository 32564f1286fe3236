// What the schema registry of a connection has: its subjects, and the latest schema of one.
import { fetchLatest, fetchSubjects } from '../../engine/registry/registry-client.ts';
import { registryNamed } from '../../engine/registry/registry-connection.ts';
import { RegistryAway, SchemaAbsent } from '../../engine/registry/registry-request.ts';
import { typeNames } from '../../engine/graph/format-spec.ts';
import type { LatestSchema } from '../protocol/browse.ts';

/** null: the connection has no registry. */
export async function browsedSubjects(connection: string): Promise<readonly string[] | null> {
  const registry = registryNamed({ connection });
  if (!registry) return null;
  const subjects = await reached(registry.url, () => fetchSubjects(registry));
  return subjects.toSorted((a, b) => (a < b ? -1 : 1));
}

export async function browsedSchema(connection: string, subject: string): Promise<LatestSchema> {
  const registry = registryNamed({ connection });
  if (!registry) throw new Error(`Connection "${connection}" has no schema registry.`);
  const { id, version, schema } = await reached(registry.url, () => fetchLatest(registry, subject));
  const { type, text } = schema;
  return { subject, version, id, type: typeNames[type], text };
}

async function reached<T>(url: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof RegistryAway)
      throw new Error(`The schema registry ${url} cannot be reached: ${error.message}.`, { cause: error });
    if (error instanceof SchemaAbsent)
      throw new Error(`The schema registry ${url} does not have it: ${error.message}.`, { cause: error });
    throw error;
  }
}
