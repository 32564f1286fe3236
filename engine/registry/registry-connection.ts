// Schema registries by name. A notebook holds names only, never hosts or secrets. A Kafka
// connection may have its own (engine/connections). The others are in the environment:
//
//   SLUICE_REGISTRY=https://host:8081       the default registry
//   SLUICE_REGISTRY_AUTH=user:password      its basic auth, if it wants one
//   SLUICE_REGISTRY_CA=/path/ca.pem         a certificate authority of its own, if it has one
//   SLUICE_REGISTRY_<NAME>, SLUICE_REGISTRY_<NAME>_AUTH, SLUICE_REGISTRY_<NAME>_CA
//                                           registry '<name>': in upper case, with _ for characters
//                                           that are not letters or digits
import { readFileSync } from 'node:fs';
import type { Connection } from '../connections/connection.ts';
import { definedConnection } from '../connections/connection-named.ts';
import { secretText } from '../connections/secret.ts';
import { SluiceError } from '../errors/error.ts';
import type { RegistryNames } from '../formats/value-format.ts';

export interface RegistryConnection {
  /** Without credentials and without a slash at the end. */
  readonly url: string;
  /** Where the URL is set, for messages: "SLUICE_REGISTRY". */
  readonly setIn: string;
  /** Where user and password are set, and the certificate authority. */
  readonly authIn: string;
  readonly caIn: string;
  /** Never part of a message. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** In PEM form. */
  readonly ca?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The registry with a name; without one, that of the Kafka connection if it has its own, else the
 * default one. undefined: there is no default registry. Errors: `registry-no-connection`,
 * `registry-bad-connection`.
 */
export function registryNamed(
  { registry, connection }: RegistryNames,
  environment: Environment = process.env,
): RegistryConnection | undefined {
  if (registry !== undefined) {
    const found = registryIn(registryVariable(registry), environment);
    if (found) return found;
    throw new SluiceError(
      'registry-no-connection',
      `There is no schema registry "${registry}". Set ${registryVariable(registry)} in the environment to its URL and restart the session, or leave \`registry\` out to use SLUICE_REGISTRY.`,
      { registry, variable: registryVariable(registry) },
    );
  }
  const named = connection === undefined ? undefined : registryIn(registryVariable(connection), environment);
  return registryOf(definedConnection(connection, environment)) ?? named ?? registryIn('SLUICE_REGISTRY', environment);
}

/**
 * The registry in the definition of a connection; undefined: it has none. Errors:
 * `registry-bad-connection`, `connection-secret`.
 */
export function registryOf(connection: Connection | undefined): RegistryConnection | undefined {
  if (!connection?.registry) return undefined;
  const { setIn, registry } = connection;
  const { url, username, password, ca } = registry;
  const secret = password && secretText(password, `the registry.password of ${setIn}`);
  return {
    url,
    setIn: `registry.url of ${setIn}`,
    authIn: `registry.username and registry.password of ${setIn}`,
    caIn: `registry.ca of ${setIn}`,
    ...(username !== undefined && { auth: { user: username, password: secret ?? '' } }),
    ...(ca !== undefined && { ca: certificate(`The registry.ca of ${setIn}`, ca) }),
  };
}

/** That has the URL of a named registry. Error: `registry-bad-connection`. */
export function registryVariable(name: string): string {
  const part = name.toUpperCase().replace(/[^A-Z0-9]/g, '_');
  if (/(^|_)(AUTH|CA)$/.test(part))
    throw new SluiceError(
      'registry-bad-connection',
      `A schema registry cannot be named "${name}", because SLUICE_REGISTRY_${part} is where credentials or certificates stand. Give it another name.`,
      { registry: name },
    );
  return `SLUICE_REGISTRY_${part}`;
}

/**
 * The registry of a variable and of those for its credentials. Error: `registry-bad-connection`.
 */
export function registryIn(variable: string, environment: Environment): RegistryConnection | undefined {
  const value = environment[variable]?.trim();
  if (!value) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw bad(variable, 'is no URL that begins with http:// or https://');
  if (url.search !== '' || url.hash !== '') throw bad(variable, 'has a query or a fragment, which no registry has');
  const given = environment[`${variable}_AUTH`];
  const auth = given ? credentials(`${variable}_AUTH`, given) : userOf(variable, url);
  const ca = environment[`${variable}_CA`]?.trim();
  return {
    url: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    setIn: variable,
    authIn: `${variable}_AUTH`,
    caIn: `${variable}_CA`,
    ...(auth && { auth }),
    ...(ca && { ca: certificate(`${variable}_CA`, ca) }),
  };
}

function userOf(variable: string, { username, password }: URL): RegistryConnection['auth'] {
  if (username === '' && password === '') return undefined;
  try {
    return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    throw bad(variable, 'has a user or password with a "%" that is not written as %25');
  }
}
function credentials(variable: string, value: string): RegistryConnection['auth'] {
  const at = value.indexOf(':');
  if (at <= 0) throw bad(variable, 'is not user:password');
  return { user: value.slice(0, at), password: value.slice(at + 1) };
}
function certificate(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(variable, `names a file that cannot be read: ${(error as Error).message}`);
  }
}
/** The value is not shown, because it may hold a password. */
function bad(variable: string, problem: string): SluiceError {
  return new SluiceError('registry-bad-connection', `${variable} ${problem}.`, { setIn: variable });
}
