// Tries a connection step by step, and says which step failed and the way out. It looks only: it
// reads no record, joins no group and writes nothing.
import type { Connection } from '../../connections/connection.ts';
import { connectionNamed } from '../../connections/connection-named.ts';
import { readConnection } from '../../connections/read-connection.ts';
import { SluiceError } from '../../errors/error.ts';
import { upperFirst } from '../../errors/upper-first.ts';
import { testRegistry } from '../../registry/test-registry.ts';
import { BrokerAccess } from './broker-access.ts';
import { BrokerRefused, BrokerUnreachable, type ContactStep } from './broker-unreachable.ts';
import { answerMillis } from './brokers.ts';
import { BrokerConnection } from './kafkajs-connection.ts';
import { metadata, metadataWithoutIds, type Metadata } from './metadata-request.ts';

export type StepName = ContactStep | 'authorisation' | 'registry';
export interface Step {
  readonly step: StepName;
  readonly state: 'ok' | 'failed';
  /** host:port. */
  readonly broker?: string;
  /** A sentence. For a failed step it is followed by `wayOut`. */
  readonly text: string;
  readonly wayOut?: string;
}
export interface ConnectionReport {
  /** Absent: the default connection. */
  readonly name?: string;
  readonly ok: boolean;
  /** In the order in which they were tried. */
  readonly steps: readonly Step[];
  /** The first failed step. */
  readonly error?: { readonly code: string; readonly message: string; readonly step: StepName };
}

/** The connection of the environment or the hand-over, or one that is not saved yet. */
export interface Tested {
  /** Absent: the default connection. */
  readonly name?: string;
  /** As handed over, with its secrets as `value`. */
  readonly definition?: unknown;
}

export async function testConnection({ name, definition }: Tested): Promise<ConnectionReport> {
  const report = new Report();
  try {
    const setIn = name === undefined ? 'the connection' : `connection "${name}"`;
    const connection =
      definition === undefined ? connectionNamed(name) : readConnection(name, definition, { setIn, isPrivate: true });
    report.ok('settings', `${upperFirst(connection.setIn)} is well formed.`);
    await tryBrokers(connection, report);
    if (connection.registry) await tryRegistry(connection, report);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    report.failed('settings', error.code, error.message);
  }
  return { ...(name !== undefined && { name }), ...report.result() };
}

class Report {
  readonly #steps: Step[] = [];
  #error: ConnectionReport['error'];

  ok(step: StepName, text: string, broker?: string): void {
    // All brokers take the same token.
    if (step === 'token' && this.#steps.some((one) => one.step === 'token')) return;
    this.#steps.push({ step, state: 'ok', ...(broker !== undefined && { broker }), text });
  }
  failed(step: StepName, code: string, text: string, wayOut = '', broker?: string): void {
    this.#error ??= { code, message: wayOut === '' ? text : `${text} ${wayOut}`, step };
    const where = broker === undefined ? {} : { broker };
    this.#steps.push({ step, state: 'failed', ...where, text, ...(wayOut !== '' && { wayOut }) });
  }
  result(): Omit<ConnectionReport, 'name'> {
    return { ok: !this.#error, steps: this.#steps, ...(this.#error && { error: this.#error }) };
  }
}

/**
 * Those of the definition, then those that the cluster advertises. A step that fails ends its
 * broker.
 */
async function tryBrokers(connection: Connection, report: Report): Promise<void> {
  const access = new BrokerAccess(connection);
  const tried = new Set<string>();
  let found: Metadata | undefined;
  for (const broker of connection.brokers) {
    tried.add(broker);
    found = (await tryBroker(broker, access, report, undefined)) ?? found;
  }
  if (!found) return;
  for (const { node, address } of found.brokers)
    if (!tried.has(address)) await tryBroker(address, access, report, node);
  reportTopics(connection, found, report);
}

/** `advertisedBy`: the number of the broker, whose address no user gave. */
async function tryBroker(
  broker: string,
  access: BrokerAccess,
  report: Report,
  advertisedBy: number | undefined,
): Promise<Metadata | undefined> {
  const { connection } = access;
  try {
    const open = await BrokerConnection.open(broker, answerMillis, access, (step) => {
      // The answer to the first request completes it: without a log-in a broker refuses there.
      if (step !== 'login') report.ok(step, doneTexts[step](broker, connection), step === 'token' ? undefined : broker);
    });
    try {
      const exchange = open.supports(metadata) ? metadata : metadataWithoutIds;
      const found = await open.ask(exchange, null, answerMillis);
      report.ok('login', loginText(broker, connection), broker);
      return found;
    } finally {
      open.close();
    }
  } catch (error) {
    if (!(error instanceof BrokerUnreachable)) throw error;
    const isRefusal = error instanceof BrokerRefused;
    const text = isRefusal ? error.problem : error.message;
    const wayOut = isRefusal ? error.wayOut : wayOutOf(error, connection, advertisedBy);
    report.failed(error.step ?? 'login', isRefusal ? error.code : 'kafka-unreachable', text, wayOut, broker);
    return undefined;
  }
}

const doneTexts: Readonly<Record<Exclude<ContactStep, 'login'>, (broker: string, connection: Connection) => string>> = {
  settings: () => 'The settings are well formed.',
  token: (_broker, { sasl }) =>
    sasl?.mechanism === 'oauthbearer' && sasl.token.kind === 'command'
      ? `The token command ${sasl.token.command[0]} gave a token.`
      : 'The token endpoint gave a token.',
  name: (broker) => `The host of ${broker} is known.`,
  socket: (broker) => `${broker} accepts connections.`,
  tls: (broker) => `${broker} has a certificate that is trusted.`,
};
function loginText(broker: string, { sasl }: Connection): string {
  if (!sasl) return `${broker} answers without a log-in.`;
  const user = sasl.mechanism === 'oauthbearer' ? 'the token' : `user "${sasl.username}"`;
  return `${broker} accepts the log-in of ${user} (${sasl.mechanism.toUpperCase()}).`;
}
function wayOutOf(error: BrokerUnreachable, { setIn, tls }: Connection, advertisedBy: number | undefined): string {
  if (advertisedBy !== undefined)
    return `Broker ${advertisedBy} advertises this address. Correct its advertised.listeners, or make the address reachable from here.`;
  switch (error.reason) {
    case 'unknown-host':
      return `Correct the host in ${setIn}, or join the network that knows it.`;
    case 'refused':
      return `Start the broker, or correct the port in ${setIn}.`;
    case 'not-kafka':
      return `Correct the address in ${setIn}.`;
    default:
      return tls
        ? `Look at the broker's log, or correct the address in ${setIn}.`
        : `Look at the broker's log. A firewall, or a broker that wants TLS, may be the reason.`;
  }
}

/** Metadata has only topics that this user may describe. */
function reportTopics(connection: Connection, { topics }: Metadata, report: Report): void {
  const names = topics.filter(({ error, internal }) => error === 0 && !internal).map(({ topic }) => topic);
  const some = names.slice(0, 3).map((name) => `"${name}"`);
  if (names.length > 0)
    return report.ok(
      'authorisation',
      `${names.length === 1 ? 'One topic is' : `${names.length} topics are`} visible: ${some.join(', ')}${names.length > 3 ? ', …' : ''}.`,
    );
  const hasUser = connection.sasl !== undefined || connection.tls?.cert !== undefined;
  if (!hasUser) return report.ok('authorisation', 'No topic is visible; the cluster may have none.');
  report.failed(
    'authorisation',
    'kafka-not-allowed',
    'No topic is visible to this user.',
    'Ask for the rights READ and DESCRIBE on a topic, or create the first topic.',
  );
}

async function tryRegistry(connection: Connection, report: Report): Promise<void> {
  try {
    report.ok('registry', `The schema registry ${await testRegistry(connection)} answers.`);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    report.failed('registry', error.code, error.message);
  }
}
