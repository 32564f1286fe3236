// The connections of the setting `sluice.connections`, and the ways around it: `sluice.brokers` is
// the short form of the connection "default", and so is the variable SLUICE_BROKERS. A secret in
// the setting is only a mark that it is stored. Nothing here needs VS Code.
import type {
  ConnectionDefinition,
  ConnectionDefinitions,
  SecretDefinition,
} from '../../kernel/protocol/connections.ts';

export const defaultName = 'default';

export interface GivenSettings {
  /** `sluice.connections`. */
  readonly connections: unknown;
  /** `sluice.brokers`. */
  readonly brokers: string;
  /** SLUICE_BROKERS of the editor's environment. */
  readonly environmentBrokers: string | undefined;
}

/**
 * In the order of their names, the default one first. As in a session, brokers without a name win
 * over a connection that is named "default". What is no object is left out: the editor's settings
 * mark it.
 */
export function connectionsOf({ connections, brokers, environmentBrokers }: GivenSettings): ConnectionDefinitions {
  const named = isRecord(connections)
    ? Object.entries(connections).filter(([, definition]) => isRecord(definition))
    : [];
  const short = brokers.trim() || environmentBrokers?.trim();
  const found = new Map<string, unknown>(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  const first = short ? { brokers: short } : found.get(defaultName);
  found.delete(defaultName);
  return Object.fromEntries([
    ...(first === undefined ? [] : [[defaultName, first] as const]),
    ...found,
  ]) as ConnectionDefinitions;
}

/** The places of secrets in a definition, such as "sasl.password". */
export const secretFields = ['tls.keyPassword', 'sasl.password', 'sasl.clientSecret', 'registry.password'] as const;
export type SecretField = (typeof secretFields)[number];

/** Where the secrets of a definition are: stored, in the environment or in a file. */
export function secretsOf(definition: ConnectionDefinition): ReadonlyMap<SecretField, SecretDefinition> {
  return new Map(
    secretFields.flatMap((field) => {
      const [part, name] = field.split('.') as [string, string];
      const found = partOf(definition, part)?.[name];
      return isRecord(found) ? [[field, found as SecretDefinition] as const] : [];
    }),
  );
}
/** The secrets that the setting marks as stored. */
export function storedSecrets(definition: ConnectionDefinition): readonly SecretField[] {
  return [...secretsOf(definition)].flatMap(([field, secret]) => (isStored(secret) ? field : []));
}

/**
 * The definition for the hand-over: with the secrets themselves. A secret that is missing stays a
 * mark, and the kernel names it.
 */
export function withSecrets(
  definition: ConnectionDefinition,
  secrets: ReadonlyMap<SecretField, string>,
): ConnectionDefinition {
  const whole = structuredClone(definition) as unknown as Record<string, unknown>;
  for (const [field, value] of secrets) {
    const [part, name] = field.split('.') as [string, string];
    const fields = whole[part];
    if (isRecord(fields) && isStored(fields[name])) fields[name] = { value } satisfies SecretDefinition;
  }
  return whole as unknown as ConnectionDefinition;
}

/**
 * Where a secret goes. A stored secret is given to these only: a folder whose settings name other
 * brokers for the same connection does not get it.
 */
export function receiverOf(definition: ConnectionDefinition, field: SecretField): string {
  const { sasl, tls, registry } = definition;
  const brokers = brokersOf(definition);
  switch (field) {
    case 'tls.keyPassword':
      return JSON.stringify(['key', partOf(definition, 'tls')?.['key']]);
    case 'sasl.password':
      // With its protection: a folder must not have it sent in plain either.
      return JSON.stringify([
        'brokers',
        brokers,
        sasl?.mechanism,
        sasl && 'username' in sasl ? sasl.username : '',
        !!tls,
      ]);
    case 'sasl.clientSecret':
      return JSON.stringify(['token', sasl && 'tokenEndpoint' in sasl ? [sasl.tokenEndpoint, sasl.clientId] : []]);
    case 'registry.password':
      return JSON.stringify(['registry', registry?.url, registry?.username]);
  }
}

/** "SASL_SSL · alice", in the names of Kafka's settings; '' for no security. */
export function securityOf({ tls, sasl }: ConnectionDefinition): string {
  const isTls = tls !== undefined && tls !== false;
  if (!sasl) return isTls ? 'SSL' : '';
  const user = 'username' in sasl ? sasl.username : 'clientId' in sasl ? sasl.clientId : 'token';
  return `${isTls ? 'SASL_SSL' : 'SASL_PLAINTEXT'} · ${user}`;
}

/** host:port, as text. */
export function brokersOf({ brokers }: ConnectionDefinition): string {
  return typeof brokers === 'string' ? brokers : Array.isArray(brokers) ? brokers.join(',') : '';
}

function partOf(definition: ConnectionDefinition, part: string): Readonly<Record<string, unknown>> | undefined {
  const found = (definition as unknown as Readonly<Record<string, unknown>>)[part];
  return isRecord(found) ? found : undefined;
}
function isStored(value: unknown): boolean {
  return isRecord(value) && value['stored'] === true;
}
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
