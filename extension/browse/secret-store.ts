// The secrets of connections in VS Code's SecretStorage, each with the place that it is for.
import type { ConnectionDefinition } from '../../kernel/protocol/connections.ts';
import { receiverOf, secretFields, storedSecrets, withSecrets, type SecretField } from './connection-settings.ts';

/** vscode.SecretStorage, as far as it is needed. */
export interface Secrets {
  get(key: string): Thenable<string | undefined>;
  store(key: string, value: string): Thenable<void>;
  delete(key: string): Thenable<void>;
}
interface StoredSecret {
  readonly receiver: string;
  readonly secret: string;
}

export class SecretStore {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** Keeps the secrets of a connection, and forgets those that its definition does not mark. */
  async keep(name: string, definition: ConnectionDefinition, given: ReadonlyMap<SecretField, string>): Promise<void> {
    const marked = storedSecrets(definition);
    for (const field of secretFields) {
      const secret = given.get(field) ?? (marked.includes(field) ? await this.#stored(name, field) : undefined);
      if (secret === undefined || !marked.includes(field)) await this.#secrets.delete(keyOf(name, field));
      else await this.#put(name, field, { receiver: receiverOf(definition, field), secret });
    }
  }
  /** A copy under another name. The definition that is kept next decides which of them count. */
  async rename(from: string, to: string): Promise<void> {
    for (const field of secretFields) {
      const stored = await this.#secrets.get(keyOf(from, field));
      if (stored !== undefined) await this.#secrets.store(keyOf(to, field), stored);
    }
  }
  async forget(name: string): Promise<void> {
    for (const field of secretFields) await this.#secrets.delete(keyOf(name, field));
  }

  /**
   * The definition with its secrets, for the hand-over. One that is for another place is left out.
   */
  async complete(name: string, definition: ConnectionDefinition): Promise<ConnectionDefinition> {
    const found = new Map<SecretField, string>();
    for (const field of storedSecrets(definition)) {
      const stored = parsed(await this.#secrets.get(keyOf(name, field)));
      if (stored?.receiver === receiverOf(definition, field)) found.set(field, stored.secret);
    }
    return withSecrets(definition, found);
  }

  async #stored(name: string, field: SecretField): Promise<string | undefined> {
    return parsed(await this.#secrets.get(keyOf(name, field)))?.secret;
  }
  async #put(name: string, field: SecretField, stored: StoredSecret): Promise<void> {
    await this.#secrets.store(keyOf(name, field), JSON.stringify(stored));
  }
}

function keyOf(name: string, field: SecretField): string {
  return `connection ${JSON.stringify(name)} ${field}`;
}
function parsed(text: string | undefined): StoredSecret | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as StoredSecret);
}
