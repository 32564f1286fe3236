// Kafka connections by name. A notebook holds names only, never hosts or secrets. A name is looked
// for in this order:
//
//   what the editor handed over           the setting sluice.connections, see handOverConnections
//   SLUICE_CONNECTIONS                    {"name": {"brokers": …, "tls": …, "sasl": …}} as JSON, or
//                                         the path of a file with it
//   SLUICE_CONNECTION_<NAME>=host:port,…  without log-in: in upper case, with _ for characters that
//                                         are not letters or digits
//
// Without a name it is the editor's setting sluice.brokers, SLUICE_BROKERS=host:port,… or else the
// connection named "default".
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { closestName } from '../errors/closest-name.ts';
import { SluiceError } from '../errors/error.ts';
import { upperFirst } from '../errors/upper-first.ts';
import { isOfEditor } from '../errors/way-to-set.ts';
import type { Connection } from './connection.ts';
import { brokersOf, type Origin, readConnection } from './read-connection.ts';
import { shownBrokers } from './shown-brokers.ts';

type Environment = Readonly<Record<string, string | undefined>>;
/** By name, as they were written. Each is checked when it is used. */
export type Definitions = Readonly<Record<string, unknown>>;

const defaultName = 'default';
const variableForAll = 'SLUICE_CONNECTIONS';

let handedOver: Definitions = {};
const listeners = new Set<() => void>();

/** Replaces what was handed over before. Of this thread only. */
export function handOverConnections(definitions: Definitions): void {
  handedOver = definitions;
  for (const listener of [...listeners]) listener();
}
/**
 * Calls back when a hand-over has changed this connection. One that is wrong now, or gone, is an
 * error of the next run of its cell. Returns a function that ends this.
 */
export function followConnection(connection: Connection, changed: (connection: Connection) => void): () => void {
  let known = JSON.stringify(connection);
  const look = (): void => {
    let now: Connection | undefined;
    try {
      now = definedConnection(connection.name, process.env);
    } catch {
      return;
    }
    const text = JSON.stringify(now);
    if (!now || text === known) return;
    known = text;
    changed(now);
  };
  listeners.add(look);
  return () => listeners.delete(look);
}
/** To hand it on to another thread. */
export function handedOverConnections(): Definitions {
  return handedOver;
}

/** Errors: `kafka-no-connection`, `kafka-bad-connection`. */
export function connectionNamed(name: string | undefined, environment: Environment = process.env): Connection {
  if (name === undefined) {
    const short = shortOfEditor();
    if (short) return short;
    const brokers = environment['SLUICE_BROKERS']?.trim();
    if (brokers) return { brokers: brokersOf(brokers, 'SLUICE_BROKERS'), setIn: 'SLUICE_BROKERS' };
    const found = defined(defaultName, environment);
    if (found) return found;
    throw new SluiceError(
      'kafka-no-connection',
      isOfEditor(environment)
        ? 'There is no Kafka connection. Set sluice.brokers to host:port of a broker, or add a connection in the side bar, and run the cell again. The sample "A first chart" runs without Kafka.'
        : 'There is no Kafka connection. Set SLUICE_BROKERS to host:port of a broker and restart the session; samples/01-first-chart.sluice.ts runs without Kafka.',
      { variable: 'SLUICE_BROKERS' },
    );
  }
  const found = defined(name, environment);
  if (found) return found;
  const variable = connectionVariable(name);
  const closest = closestName(name, connectionNames(environment));
  throw new SluiceError(
    'kafka-no-connection',
    `There is no Kafka connection "${name}".${closest === undefined ? '' : ` Closest: "${closest}".`} ${wayToDefine(variable, environment)} Or leave \`connection\` out to use the default one.`,
    { connection: name, variable, closest },
  );
}

function wayToDefine(variable: string, environment: Environment): string {
  return isOfEditor(environment)
    ? 'Define it in the setting sluice.connections, and run the cell again.'
    : `Define it in ${variableForAll}, or set ${variable} to host:port of a broker, and restart the session.`;
}

/** As connectionNamed; undefined: there is none. */
export function definedConnection(name: string | undefined, environment: Environment): Connection | undefined {
  if (name === undefined && environment['SLUICE_BROKERS']?.trim()) return undefined;
  return defined(name ?? defaultName, environment);
}

/**
 * The names that a cell may use. Those of SLUICE_CONNECTION_<NAME> are in lower case. Error:
 * `kafka-bad-connection` (SLUICE_CONNECTIONS is not JSON).
 */
export function connectionNames(environment: Environment = process.env): readonly string[] {
  const short = Object.keys(environment).flatMap((variable) => {
    const name = /^SLUICE_CONNECTION_(.+)$/.exec(variable)?.[1];
    return name === undefined || !environment[variable]?.trim() ? [] : name.toLowerCase();
  });
  const full = [...Object.keys(handedOver), ...Object.keys(inEnvironment(environment).definitions)];
  const spelt = new Set(full.map(connectionVariable));
  return [...new Set([...full, ...short.filter((name) => !spelt.has(connectionVariable(name)))])];
}

function defined(name: string, environment: Environment): Connection | undefined {
  if (Object.hasOwn(handedOver, name)) {
    const { setIn = `connection "${name}" of the setting sluice.connections`, definition } = sourceOf(name);
    return readConnection(name, definition, { setIn, isPrivate: true });
  }
  const { definitions, folder } = inEnvironment(environment);
  if (Object.hasOwn(definitions, name)) {
    const setIn = `connection "${name}" of ${variableForAll}`;
    const origin: Origin = { setIn, ...(folder !== undefined && { folder }) };
    return readConnection(name, definitions[name], origin);
  }
  const variable = connectionVariable(name);
  const brokers = environment[variable]?.trim();
  return brokers ? { name, brokers: brokersOf(brokers, variable), setIn: variable } : undefined;
}

/** An editor says of its default connection when it is not of the setting sluice.connections. */
function sourceOf(name: string): { readonly setIn?: string; readonly definition: unknown } {
  const given = handedOver[name];
  if (given === null || typeof given !== 'object' || !('setIn' in given)) return { definition: given };
  const { setIn, ...definition } = given;
  return { definition, ...(typeof setIn === 'string' && { setIn }) };
}
/** The editor has looked at its own SLUICE_BROKERS already. */
function shortOfEditor(): Connection | undefined {
  if (!Object.hasOwn(handedOver, defaultName)) return undefined;
  const { setIn, definition } = sourceOf(defaultName);
  return setIn === undefined ? undefined : readConnection(defaultName, definition, { setIn, isPrivate: true });
}

/** That defines it without log-in. */
export function connectionVariable(name: string): string {
  return `SLUICE_CONNECTION_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** `folder`: that of the file. */
function inEnvironment(environment: Environment): { readonly definitions: Definitions; readonly folder?: string } {
  const value = environment[variableForAll]?.trim();
  if (!value) return { definitions: {} };
  if (value.startsWith('{')) return { definitions: parsed(value, variableForAll) };
  const path = resolve(value);
  const what = `the file of ${variableForAll} (${path})`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SluiceError(
      'kafka-bad-connection',
      `${variableForAll} is not JSON, and there is no file that can be read at this path: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`,
      { variable: variableForAll },
    );
  }
  return { definitions: parsed(text, what), folder: dirname(path) };
}

/** The parser's message would show a part of the text. */
function parsed(text: string, what: string): Definitions {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const before = at === undefined ? undefined : text.slice(0, Number(at)).split('\n');
    const place = before ? ` (line ${before.length}, column ${before.at(-1)!.length + 1})` : '';
    throw new SluiceError('kafka-bad-connection', `${upperFirst(what)} is not JSON${place}.`, {
      variable: variableForAll,
    });
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Definitions;
  throw new SluiceError(
    'kafka-bad-connection',
    `${upperFirst(what)} is not an object of connections by name, such as {"prod": {"brokers": "host:9092"}}.`,
    { variable: variableForAll },
  );
}

/** A connection as people know it: "127.0.0.1:9092". */
export function describeBrokers(brokers: readonly string[]): string {
  return shownBrokers(brokers.join(','));
}
