// The brokers of a cluster: one connection to each that is needed, and their addresses, found
// through any broker that answers. A broker that does not answer holds up no other.
import { SluiceError } from '../../errors/error.ts';
import { closestName } from '../../errors/closest-name.ts';
import { describeBrokers } from './connections.ts';
import { fetch, fetchByName } from './fetch-request.ts';
import { BrokerConnection, BrokerUnreachable, type Exchange } from './kafkajs-connection.ts';
import { metadata, metadataWithoutIds, type Metadata } from './metadata-request.ts';
import { listOffsets } from './offset-requests.ts';
import { initProducerId, produce } from './sink-requests.ts';

/** A broker without an answer for this long counts as dead. */
export const answerMillis = 8_000;

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
  readonly #bootstrap: readonly string[];
  readonly #purpose: Purpose;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  #addresses = new Map<number, string>();
  /** The last address that gave metadata. It is asked first. */
  #answering: string | undefined;
  #closed = false;

  constructor(bootstrap: readonly string[], purpose: Purpose) {
    this.#bootstrap = bootstrap;
    this.#purpose = purpose;
  }

  get description(): string {
    return describeBrokers(this.#bootstrap);
  }
  address(node: number): string | undefined {
    return this.#addresses.get(node);
  }
  /** The brokers of the last answer. */
  nodes(): readonly number[] {
    return [...this.#addresses.keys()];
  }
  /** The address is one that the user gave, and not one that a broker advertises. */
  isGiven(address: string): boolean {
    return this.#bootstrap.includes(address);
  }

  /** From the first broker that answers: the known brokers, then the configured ones. */
  async metadata(topics: readonly string[] | null): Promise<Metadata> {
    let last: unknown;
    const known = [...this.#addresses.values(), ...this.#bootstrap];
    for (const address of new Set(this.#answering === undefined ? known : [this.#answering, ...known])) {
      try {
        const connection = await this.#connect(address);
        const exchange = connection.supports(metadata) ? metadata : metadataWithoutIds;
        const found = await connection.ask(exchange, topics, answerMillis);
        this.#answering = address;
        this.#addresses = new Map(found.brokers.map(({ node, address: at }) => [node, at]));
        return found;
      } catch (error) {
        if (!(error instanceof BrokerUnreachable)) throw error;
        last = error;
      }
    }
    throw last;
  }

  /** Asks the broker `node`, with the first of these versions that it speaks. */
  async ask<Question, Answer>(
    node: number,
    exchange: Exchange<Question, Answer> | readonly Exchange<Question, Answer>[],
    question: Question,
    waitMillis = 0,
  ): Promise<Answer> {
    const address = this.#addresses.get(node);
    if (address === undefined) throw new TryAgain(`broker ${node} is not in the cluster at present`);
    const connection = await this.#connect(address);
    const versions = 'api' in exchange ? [exchange] : exchange;
    const spoken = versions.find((one) => connection.supports(one)) ?? versions[0]!;
    return await connection.ask(spoken, question, answerMillis + waitMillis);
  }

  notAllowed(topic: string): SluiceError {
    const [verb, right, note] =
      this.#purpose === 'read' ? ['Reading', 'READ', '; a consumer group is not needed'] : ['Writing to', 'WRITE', ''];
    return new SluiceError(
      'kafka-not-allowed',
      `${verb} topic "${topic}" on ${this.description} is not allowed. Ask for the rights ${right} and DESCRIBE on the topic${note}.`,
      { topic },
    );
  }
  async unknownTopic(topic: string): Promise<SluiceError> {
    const all = await this.metadata(null);
    const names = all.topics.filter((one) => !one.internal).map((one) => one.topic);
    const closest = closestName(topic, names);
    const hint = closest !== undefined ? ` Closest: "${closest}".` : names.length === 0 ? ' There are no topics.' : '';
    const create = this.#purpose === 'write' ? ' Create it first, or give to() `create`.' : '';
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

  #connect(address: string): Promise<BrokerConnection> {
    const known = this.#connections.get(address);
    if (known) return known;
    const opening = (async () => {
      const connection = await BrokerConnection.open(address, answerMillis);
      if (this.#closed) connection.close();
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
    opening.then((connection) => connection.onEnd(forget), forget);
    return opening;
  }
}
