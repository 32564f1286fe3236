// Checks the definition of a connection, which somebody has written by hand. The first mistake is
// an error that names the field and the way out, and shows no value that may be a secret.
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { closestName } from '../errors/closest-name.ts';
import { SluiceError } from '../errors/error.ts';
import { upperFirst } from '../errors/upper-first.ts';
import { placeOfConnections } from '../errors/way-to-set.ts';
import type { Connection, RegistrySettings, SaslSettings, Secret, TlsSettings } from './connection.ts';
import { hidesSomething, isBrokerAddress, shownBrokers } from './shown-brokers.ts';

export interface Origin {
  /** For messages: 'connection "prod" of SLUICE_CONNECTIONS'. */
  readonly setIn: string;
  /** Relative paths begin here. Absent: a path must be absolute. */
  readonly folder?: string;
  /** Only in the private hand-over a secret may stand as `value`. */
  readonly isPrivate?: boolean;
}

/** Error: `kafka-bad-connection`. */
export function readConnection(name: string | undefined, definition: unknown, origin: Origin): Connection {
  const reader = new Reader(origin);
  const fields = reader.object(definition, '', ['brokers', 'tls', 'sasl', 'registry']);
  const { tls, sasl, registry } = fields;
  return {
    ...(name !== undefined && { name }),
    brokers: reader.brokers(fields['brokers']),
    setIn: origin.setIn,
    ...(tls !== undefined && tls !== false && { tls: readTls(reader, tls) }),
    ...(sasl !== undefined && { sasl: readSasl(reader, sasl) }),
    ...(registry !== undefined && { registry: readRegistry(reader, registry) }),
  };
}

/** "host:port,host:port". Error: `kafka-bad-connection`. */
export function brokersOf(value: string, setIn: string): readonly string[] {
  const brokers = value
    .split(',')
    .map((address) => address.trim())
    .filter((address) => address !== '');
  if (brokers.length > 0 && brokers.every((address) => isBrokerAddress(address))) return brokers;
  const shown = shownBrokers(value);
  const credentials = hidesSomething(shown)
    ? ` A user name or a password does not belong there: leave out user names, passwords and parameters, and give them as \`sasl\` in ${placeOfConnections()}. What may be one is not shown.`
    : '';
  throw new SluiceError(
    'kafka-bad-connection',
    `${upperFirst(setIn)} has "${shown}", which is not host:port. Several brokers are separated by commas.${credentials}`,
    { setIn },
  );
}

function readTls(reader: Reader, given: unknown): TlsSettings {
  if (given === true) return {};
  const fields = reader.object(given, 'tls', ['ca', 'cert', 'key', 'keyPassword', 'serverName']);
  const paths = Object.fromEntries(
    (['ca', 'cert', 'key'] as const).flatMap((name) => {
      const path = reader.path(fields[name], `tls.${name}`);
      return path === undefined ? [] : [[name, path]];
    }),
  );
  if ((fields['cert'] === undefined) !== (fields['key'] === undefined))
    throw reader.bad('has only one of tls.cert and tls.key. A client certificate needs both');
  const { keyPassword } = fields;
  const serverName = reader.optionalText(fields['serverName'], 'tls.serverName');
  return {
    ...paths,
    ...(keyPassword !== undefined && { keyPassword: reader.secret(keyPassword, 'tls.keyPassword') }),
    ...(serverName !== undefined && { serverName }),
  };
}

const withPassword = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const endpointFields = ['tokenEndpoint', 'clientId', 'clientSecret', 'scope'];

function readSasl(reader: Reader, given: unknown): SaslSettings {
  const all = ['mechanism', 'username', 'password', ...endpointFields, 'tokenCommand', 'extensions'];
  const fields = reader.object(given, 'sasl', all);
  const mechanism = reader.oneOf(fields['mechanism'], 'sasl.mechanism', [...withPassword, 'oauthbearer']);
  if (mechanism !== 'oauthbearer') {
    reader.object(given, `sasl of mechanism "${mechanism}"`, ['mechanism', 'username', 'password']);
    return {
      mechanism,
      username: reader.text(fields['username'], 'sasl.username'),
      password: reader.secret(fields['password'], 'sasl.password'),
    };
  }
  const extensions = fields['extensions'];
  const more = extensions === undefined ? {} : { extensions: reader.texts(extensions, 'sasl.extensions') };
  if (fields['tokenCommand'] !== undefined) {
    reader.object(given, 'sasl with a tokenCommand', ['mechanism', 'tokenCommand', 'extensions']);
    return { mechanism, token: { kind: 'command', command: reader.command(fields['tokenCommand']) }, ...more };
  }
  reader.object(given, 'sasl of mechanism "oauthbearer"', ['mechanism', ...endpointFields, 'extensions']);
  if (fields['tokenEndpoint'] === undefined)
    throw reader.bad(
      'has the mechanism "oauthbearer" and no token. Give sasl.tokenEndpoint with clientId and clientSecret, or sasl.tokenCommand',
    );
  const scope = reader.optionalText(fields['scope'], 'sasl.scope');
  const token = {
    kind: 'endpoint',
    url: reader.url(fields['tokenEndpoint'], 'sasl.tokenEndpoint'),
    clientId: reader.text(fields['clientId'], 'sasl.clientId'),
    clientSecret: reader.secret(fields['clientSecret'], 'sasl.clientSecret'),
    ...(scope !== undefined && { scope }),
  } as const;
  return { mechanism, token, ...more };
}

function readRegistry(reader: Reader, given: unknown): RegistrySettings {
  const fields = reader.object(given, 'registry', ['url', 'username', 'password', 'ca']);
  const { password } = fields;
  const username = reader.optionalText(fields['username'], 'registry.username');
  if (password !== undefined && username === undefined)
    throw reader.bad('has registry.password without registry.username');
  const ca = reader.path(fields['ca'], 'registry.ca');
  return {
    url: registryUrl(reader, fields['url']),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: reader.secret(password, 'registry.password') }),
    ...(ca !== undefined && { ca }),
  };
}

/** Messages show it, so a token must not stand in it. */
function registryUrl(reader: Reader, given: unknown): string {
  const url = reader.url(given, 'registry.url');
  if (!/[?#]/.test(url)) return url.replace(/\/+$/, '');
  throw reader.bad(
    'has a registry.url with a query or a fragment, which no registry has. Leave out all from the "?" or "#" on; a user and a password are registry.username and registry.password',
  );
}

/** Reads the fields of one definition. A value is never part of a message. */
class Reader {
  readonly #origin: Origin;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  bad(problem: string): SluiceError {
    const { setIn } = this.#origin;
    return new SluiceError('kafka-bad-connection', `${upperFirst(setIn)} ${problem}.`, { setIn });
  }

  object(value: unknown, what: string, known: readonly string[]): Readonly<Record<string, unknown>> {
    if (value === null || typeof value !== 'object' || Array.isArray(value))
      throw this.bad(
        what === '' ? 'is not an object, such as { "brokers": "host:9092" }' : `has a ${what} that is not an object`,
      );
    for (const name of Object.keys(value))
      if (!known.includes(name)) {
        const closest = closestName(name, known);
        const hint = closest === undefined ? `Known are ${known.join(', ')}` : `Closest: ${closest}`;
        throw this.bad(
          `has a field "${shortened(name)}"${what === '' ? '' : ` in ${what}`} that is not known. ${hint}`,
        );
      }
    return value as Readonly<Record<string, unknown>>;
  }
  text(value: unknown, what: string): string {
    if (typeof value === 'string' && value !== '') return value;
    throw this.bad(value === undefined ? `has no ${what}` : `has a ${what} that is not a text`);
  }
  optionalText(value: unknown, what: string): string | undefined {
    return value === undefined ? undefined : this.text(value, what);
  }
  texts(value: unknown, what: string): Readonly<Record<string, string>> {
    const isGood =
      value !== null &&
      typeof value === 'object' &&
      Object.entries(value).every(
        ([name, text]) =>
          /^[A-Za-z]+$/.test(name) && name !== 'auth' && typeof text === 'string' && !/[\u0000-\u001f]/.test(text),
      );
    if (isGood) return value as Readonly<Record<string, string>>;
    throw this.bad(`has ${what} that are not texts by name. A name has only letters, and is not "auth"`);
  }
  oneOf<T extends string>(value: unknown, what: string, known: readonly T[]): T {
    const found = known.find((one) => typeof value === 'string' && one === value.toLowerCase());
    if (found !== undefined) return found;
    throw this.bad(`has no ${what} that is known. Give one of ${known.map((one) => `"${one}"`).join(', ')}`);
  }
  url(value: unknown, what: string): string {
    const url = URL.canParse(this.text(value, what)) ? new URL(value as string) : undefined;
    if (!url || !['http:', 'https:'].includes(url.protocol))
      throw this.bad(`has a ${what} that is not a URL with http:// or https://`);
    if (url.username !== '' || url.password !== '')
      throw this.bad(`has a ${what} with a user or a password in it. Give them in fields of their own`);
    return value as string;
  }
  path(value: unknown, what: string): string | undefined {
    if (value === undefined) return undefined;
    const path = this.text(value, what);
    if (/-----BEGIN/.test(path))
      throw this.bad(`has a ${what} that is the content of a file. Give the path of the file`);
    if (path.startsWith('~/')) return join(homedir(), path.slice(2));
    if (isAbsolute(path)) return path;
    if (this.#origin.folder !== undefined) return resolve(this.#origin.folder, path);
    throw this.bad(`has a ${what} that is not an absolute path, and there is no folder that it could be relative to`);
  }
  command(value: unknown): readonly [string, ...string[]] {
    if (Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string') && value[0] !== '')
      return value as [string, ...string[]];
    throw this.bad(
      'has a sasl.tokenCommand that is not a list of texts: the program and its arguments, such as ["az", "account", "get-access-token"]',
    );
  }
  brokers(value: unknown): readonly string[] {
    const list = Array.isArray(value) && value.every((one) => typeof one === 'string') ? value.join(',') : value;
    return brokersOf(this.text(list, 'brokers'), upperFirst(this.#origin.setIn));
  }

  secret(value: unknown, what: string): Secret {
    if (typeof value === 'string') throw this.bad(`has its ${what} as a text. ${where(what)}`);
    const fields = this.object(value, what, ['env', 'file', 'stored', 'value']);
    const given = Object.keys(fields);
    if (given.length !== 1) throw this.bad(`has not one place for its ${what}. ${where(what)}`);
    if (fields['env'] !== undefined) return { env: this.text(fields['env'], `${what}.env`) };
    if (fields['file'] !== undefined) return { file: this.path(fields['file'], `${what}.file`)! };
    if (fields['value'] !== undefined && this.#origin.isPrivate)
      return { value: this.text(fields['value'], `${what}.value`) };
    if (fields['value'] !== undefined) throw this.bad(`has its ${what} as a value. ${where(what)}`);
    throw this.bad(
      `has its ${what} in the secret storage of VS Code, which has none for it or is not there. Store it in VS Code, or give { "env": "NAME" } or { "file": "path" }`,
    );
  }
}

function where(what: string): string {
  return `A secret does not belong there. Give ${what} as { "env": "NAME" } with the name of an environment variable, or { "file": "path" }`;
}
/** A field's name may be a password at the wrong place. */
function shortened(name: string): string {
  return /^[A-Za-z]{1,20}$/.test(name) ? name : '***';
}
