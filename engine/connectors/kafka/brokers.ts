// The brokers of a cluster: one connection to each that is needed, and their addresses, found
// through any broker that answers. A broker that does not answer holds up no other.
import { SluiceError } from '../../errors/error.ts';
import { closestName } from '../../errors/closest-name.ts';
import { firstAnswer } from './first-answer.ts';
import type { Connection } from '../../connections/connection.ts';
import { describeBrokers } from '../../connections/connection-named.ts';
import { fetch, fetchByName } from './fetch-request.ts';
import { BrokerAccess } from './broker-access.ts';
import { BrokerRefused, BrokerUnreachable } from './broker-unreachable.ts';
import { BrokerConnection, type Exchange } from './kafkajs-connection.ts';
import { metadata, metadataWithoutIds, type Metadata } from './metadata-request.ts';
import { listOffsets } from './offset-requests.ts';
import { initProducerId, produce } from './sink-requests.ts';

/** A broker without an answer for this long counts as dead. */
export const answerMillis = 8_000;

/**
 * A broker that has refused the log-in or the certificate is not asked again for this long: a
 * server may lock a user out after several wrong passwords.
 */
const refusedMillis = 15_000;

/** A failure that may pass: an election, or a broker that starts. */
export class TryAgain extends Error {}

export function mayPass(error: unknown): error is TryAgain | BrokerUnreachable {
  return error instanceof TryAgain || error instanceof BrokerUnreachable;
}

export type Purpose = 'read' | 'write';

/** For each request the versions that Sluice speaks. A broker must support one of them. */
const neededFor: Readonly<Record<Purpose, readonly (readonly Exchange<never, unknown>[])[]>> = {
  read: [[fetch, fetchByName], [listOffsets], [metadata, metadataWithoutIds]],
  write: [[produce], [initProducerId], [metadata, metadataWithoutIds]],
};

export class Brokers {
  readonly #access: BrokerAccess;
  readonly #purpose: Purpose;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #refusals = new Map<string, { readonly error: BrokerRefused; readonly until: number }>();
  #addresses = new Map<number, string>();
  /** Addresses that answered once. */
  readonly #reached = new Set<string>();
  /** The last address that gave metadata. It is asked first. */
  #answering: string | undefined;
  #closed = false;

  constructor(connection: Connection, purpose: Purpose) {
    this.#access = new BrokerAccess(connection);
    this.#purpose = purpose;
  }

  get description(): string {
    return describeBrokers(this.#access.connection.brokers);
  }
  /** For the next connection and the next log-in. */
  use(connection: Connection): void {
    this.#access.use(connection);
    this.#refusals.clear();
  }
  address(node: number): string | undefined {
    return this.#addresses.get(node);
  }
  /** The brokers of the last answer. */
  nodes(): readonly number[] {
    return [...this.#addresses.keys()];
  }
  /** From the first broker that answers: the known brokers, then the configured ones. */
  async metadata(topics: readonly string[] | null): Promise<Metadata> {
    const known = [...this.#addresses.values(), ...this.#access.connection.brokers];
    const addresses = new Set(this.#answering === undefined ? known : [this.#answering, ...known]);
    const { address, found } = await firstAnswer([...addresses], (one) => this.#metadataOf(one, topics), {
      isLast: (error) => !(error instanceof BrokerUnreachable),
      // A refusal, and an address that the user gave, say more than silence of an advertised one.
      saysMore: (error) =>
        error instanceof BrokerRefused || (error instanceof BrokerUnreachable && this.#isGiven(error.address)),
    });
    this.#answering = address;
    this.#addresses = new Map(found.brokers.map(({ node, address: at }) => [node, at]));
    return found;
  }
  async #metadataOf(address: string, topics: readonly string[] | null) {
    const connection = await this.#connect(address);
    const exchange = connection.supports(metadata) ? metadata : metadataWithoutIds;
    return { address, found: await connection.ask(exchange, topics, answerMillis) };
  }

  /** Asks the broker `node`, with the first of these versions that it speaks. */
  async ask<Question, Answer>(
    node: number,
    exchange: Exchange<Question, Answer> | readonly Exchange<Question, Answer>[],
    question: Question,
    waitMillis = 0,
  ): Promise<Answer> {
    const connection = await this.#connectTo(node);
    const versions = 'api' in exchange ? [exchange] : exchange;
    const spoken = versions.find((one) => connection.supports(one)) ?? versions[0]!;
    return await connection.ask(spoken, question, answerMillis + waitMillis);
  }

  /** Whether the broker `node` speaks this version of the request. */
  async speaks(node: number, exchange: Pick<Exchange<never, unknown>, 'api' | 'version'>): Promise<boolean> {
    return (await this.#connectTo(node)).supports(exchange);
  }
  #connectTo(node: number): Promise<BrokerConnection> {
    const address = this.#addresses.get(node);
    if (address === undefined) return Promise.reject(new TryAgain(`broker ${node} is not in the cluster at present`));
    return this.#connect(address).catch((error: unknown) => {
      throw this.#named(error, node);
    });
  }

  /** A wrong advertised name looks like an address that nobody gave and that was never reached. */
  #named(error: unknown, node: number): unknown {
    if (!(error instanceof BrokerUnreachable) || error instanceof BrokerRefused) return error;
    const { address, reason, message, step } = error;
    if (this.#isGiven(address) || this.#reached.has(address)) return error;
    const told = `broker ${node} is reached by its advertised name ${address} (advertised.listeners), and that name fails`;
    return new BrokerUnreachable(address, reason, `${told}: ${message}`, step);
  }
  #isGiven(address: string): boolean {
    return this.#access.connection.brokers.includes(address);
  }

  /** `hidden`: the topic may not even be described. */
  notAllowed(topic: string, hidden: 'hidden' | 'described' = 'described'): SluiceError {
    const [verb, right, note] =
      this.#purpose === 'read' ? ['Reading', 'READ', '; a consumer group is not needed'] : ['Writing to', 'WRITE', ''];
    const missing = hidden === 'hidden' ? 'DESCRIBE' : right;
    return new SluiceError(
      'kafka-not-allowed',
      `${verb} topic "${topic}" on ${this.description} is not allowed: the right ${missing} on the topic is missing. Ask for the rights ${right} and DESCRIBE on the topic${note}.`,
      { topic, missing },
    );
  }
  async unknownTopic(topic: string): Promise<SluiceError> {
    const all = await this.metadata(null);
    const names = all.topics.filter((one) => !one.internal).map((one) => one.topic);
    const closest = closestName(topic, names);
    const hint =
      closest !== undefined
        ? ` Closest: "${closest}".`
        : names.length === 0
          ? ' No topic is visible to this user.'
          : '';
    const create =
      this.#purpose === 'write'
        ? ' Create it first, or give to() `create`.'
        : closest === undefined
          ? ' Correct its name, or create it first.'
          : '';
    return new SluiceError('kafka-unknown-topic', `Topic "${topic}" is not on ${this.description}.${hint}${create}`, {
      topic,
      closest,
    });
  }

  close(): void {
    this.#closed = true;
    for (const opening of this.#connections.values())
      void opening.then(
        (connection) => connection.close(),
        () => undefined,
      );
    this.#connections.clear();
  }

  async #open(address: string): Promise<BrokerConnection> {
    try {
      return await BrokerConnection.open(address, answerMillis, this.#access);
    } catch (error) {
      if (error instanceof BrokerRefused) this.#refusals.set(address, { error, until: Date.now() + refusedMillis });
      throw error;
    }
  }
  #connect(address: string): Promise<BrokerConnection> {
    const known = this.#connections.get(address);
    if (known) return known;
    const refusal = this.#refusals.get(address);
    if (refusal && Date.now() < refusal.until) return Promise.reject(refusal.error);
    const opening = (async () => {
      const connection = await this.#open(address);
      if (this.#closed) connection.close();
      this.#reached.add(address);
      const missing = neededFor[this.#purpose].find((versions) => !versions.some((one) => connection.supports(one)));
      if (missing && connection.isOpen) {
        connection.close();
        const { api, version } = missing.at(-1)!;
        throw new SluiceError(
          'kafka-version',
          `The broker ${address} does not speak version ${version} of Kafka's request ${api}. Sluice needs Kafka 2.4 or later.`,
          { address },
        );
      }
      return connection;
    })();
    this.#connections.set(address, opening);
    const forget = (): void => {
      if (this.#connections.get(address) === opening) this.#connections.delete(address);
    };
    opening.then((connection) => {
      this.#reached.add(address);
      connection.onEnd(forget);
    }, forget);
    return opening;
  }
}
