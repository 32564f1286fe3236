// The schemas of one registry that are known in this process. An id means the same schema for ever,
// so a known schema needs the registry no more.
//
//   (asked for) ─► fetching ─► known
//                   │  ▲  └──► unusable   the id is unknown, or the schema is: records with it are rejected
//                   │  └ later, while the registry is away
//                   └────────► failed     repeating changes nothing: the reader of the record fails
//
// `get` never waits. Listeners are called when an answer is there.
import { SluiceError } from '../errors/error.ts';
import { BadSchema, whyUnusable } from '../formats/limits.ts';
import { framedReader, type ReadRecord } from '../formats/record-readers.ts';
import { fetchSchema } from './registry-client.ts';
import { type RegistryConnection, registryNamed } from './registry-connection.ts';
import { RegistryAway, SchemaAbsent } from './registry-request.ts';
import { type SchemaText, typeNames } from '../graph/format-spec.ts';
import type { RegistryNames, Schemas, SchemaState } from '../formats/value-format.ts';

const pauseMillis = { first: 250, longest: 10_000 };
/** An id that the registry did not know may be registered later. */
const forgetMillis = 60_000;

export class SchemaCache implements Schemas {
  readonly connection: RegistryConnection;
  readonly #fetch: (connection: RegistryConnection, id: number) => Promise<SchemaText>;
  readonly #states = new Map<number, SchemaState>();
  readonly #listeners = new Set<() => void>();
  /**
   * Why a schema cannot be fetched at present, and is asked for again; undefined: nothing waits.
   */
  trouble: string | undefined;

  constructor(connection: RegistryConnection, fetch = fetchSchema) {
    this.connection = connection;
    this.#fetch = fetch;
  }

  /** Starts to fetch the schema at the first call. */
  get(id: number): SchemaState {
    const known = this.#states.get(id);
    // The one that asks fails. The next one asks anew, perhaps after a correction.
    if (known?.kind === 'failed') this.#states.delete(id);
    if (known) return known;
    const state: SchemaState = { kind: 'fetching' };
    this.#states.set(id, state);
    void this.#load(id, pauseMillis.first);
    return state;
  }
  /** Calls `listener` whenever an answer has come. Returns a function that ends this. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #load(id: number, pause: number): Promise<void> {
    let state: SchemaState;
    try {
      const schema = await this.#fetch(this.connection, id);
      state = { kind: 'known', type: schema.type, read: made(id, schema) };
    } catch (error) {
      if (error instanceof RegistryAway) {
        if (this.#listeners.size === 0) return this.#forget(id);
        this.trouble = `schema ${id} cannot be fetched from ${this.connection.url}: ${error.message}`;
        setTimeout(() => void this.#load(id, Math.min(pause * 2, pauseMillis.longest)), pause).unref();
        this.#tell();
        return;
      }
      state = this.#stateOf(id, error);
    }
    this.trouble = undefined;
    this.#states.set(id, state);
    this.#tell();
  }
  /** No reader waits for it any more. */
  #forget(id: number): void {
    this.#states.delete(id);
    this.trouble = undefined;
  }
  #stateOf(id: number, error: unknown): SchemaState {
    if (error instanceof SluiceError) return { kind: 'failed', error };
    if (error instanceof SchemaAbsent) {
      setTimeout(() => this.#states.delete(id), forgetMillis).unref();
      return { kind: 'unusable', problem: `has the schema id ${id}, which ${this.connection.url} does not know` };
    }
    return { kind: 'unusable', problem: `has the schema ${id}, which cannot be used: ${whyUnusable(error)}` };
  }
  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function made(id: number, schema: SchemaText): ReadRecord {
  try {
    return framedReader(schema);
  } catch (error) {
    throw new BadSchema(`${typeNames[schema.type]}: ${whyUnusable(error)}`, { cause: id });
  }
}

const caches = new Map<string, SchemaCache>();

/**
 * The schemas of the registry with these names. Sources with the same registry and the same
 * credentials share them. undefined: there is no registry. Errors: as registryNamed.
 */
export function schemasFor(names: RegistryNames): Schemas | undefined {
  const connection = registryNamed(names);
  if (!connection) return undefined;
  const key = JSON.stringify([connection.url, connection.auth, connection.ca]);
  let cache = caches.get(key);
  if (!cache) caches.set(key, (cache = new SchemaCache(connection)));
  return cache;
}
