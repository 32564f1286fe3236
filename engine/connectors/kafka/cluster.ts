// A cluster for one topic: the broker that leads each partition, found through any broker that
// answers. It keeps one connection to each broker it needs. It joins no group and creates no topic.
import { SluiceError } from '../../errors/error.ts';
import { BrokerConnection, BrokerUnreachable, type Exchange } from './broker-connection.ts';
import { closestName } from '../../errors/closest-name.ts';
import { describeBrokers } from './connections.ts';
import {
  apiVersions,
  errorName,
  kafkaErrors,
  listOffsets,
  metadata,
  neededFor,
  passesByItself,
  type Metadata,
} from './requests.ts';

/** A broker without an answer for this long counts as dead. */
export const answerMillis = 8_000;

/** A failure that may pass: an election, or a broker that starts. */
export class TryAgain extends Error {}

export type Purpose = 'read' | 'write';

export class Cluster {
  readonly #bootstrap: readonly string[];
  readonly #purpose: Purpose;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  #addresses = new Map<number, string>();
  #leaders = new Map<number, number>();
  #closed = false;

  constructor(bootstrap: readonly string[], purpose: Purpose) {
    this.#bootstrap = bootstrap;
    this.#purpose = purpose;
  }

  get description(): string {
    return describeBrokers(this.#bootstrap);
  }
  /** The node that leads the partition; undefined while there is no leader. */
  leader(partition: number): number | undefined {
    return this.#leaders.get(partition);
  }

  /** The brokers of the last answer, also when it had no topic. */
  nodes(): readonly number[] {
    return [...this.#addresses.keys()];
  }

  /**
   * Reads the leaders again. Throws SluiceError when the topic does not exist or is not allowed,
   * and TryAgain or BrokerUnreachable when a retry may help.
   */
  async refresh(topic: string): Promise<readonly number[]> {
    const found = await this.#askAny([topic]);
    this.#addresses = new Map(found.brokers.map(({ node, address }) => [node, address]));
    const about = found.topics.find((one) => one.topic === topic);
    if (!about || about.error === kafkaErrors.leaderNotAvailable)
      throw new TryAgain(`${this.description} does not know yet who leads "${topic}"`);
    if (about.error === kafkaErrors.unknownTopicOrPartition || about.error === kafkaErrors.invalidTopic)
      throw await this.#unknownTopic(topic);
    if (about.error === kafkaErrors.topicAuthorizationFailed) throw this.notAllowed(topic);
    if (about.error !== kafkaErrors.none) throw new TryAgain(`the topic answers ${errorName(about.error)}`);
    const noLeader = -1;
    this.#leaders = new Map(
      about.partitions.filter(({ leader }) => leader !== noLeader).map(({ partition, leader }) => [partition, leader]),
    );
    return about.partitions.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  /** Asks the broker `node`. */
  async ask<Question, Answer>(node: number, exchange: Exchange<Question, Answer>, question: Question, waitMillis = 0) {
    const address = this.#addresses.get(node);
    if (address === undefined) throw new TryAgain(`broker ${node} is not in the cluster at present`);
    const connection = await this.#connect(address);
    return await connection.ask(exchange, question, answerMillis + waitMillis);
  }

  /**
   * For each partition the first offset at or after `time` (see `listOffsets`), or −1 if there is
   * none.
   */
  async offsets(topic: string, partitions: readonly number[], time: number): Promise<Map<number, number>> {
    const byLeader = Map.groupBy(partitions, (partition) => this.#leaders.get(partition) ?? -1);
    const result = new Map<number, number>();
    await Promise.all(
      [...byLeader].map(async ([node, led]) => {
        if (node === -1) throw new TryAgain(`${topic}[${led.join(',')}] has no leader at present`);
        const answers = await this.ask(node, listOffsets, {
          topic,
          partitions: led.map((partition) => ({ partition, time })),
        });
        for (const { partition, error, offset } of answers) {
          if (error === kafkaErrors.topicAuthorizationFailed) throw this.notAllowed(topic);
          if (passesByItself(error)) throw new TryAgain(`${topic}[${partition}] answers ${errorName(error)}`);
          if (error !== kafkaErrors.none) throw kafkaFailure(topic, partition, error);
          result.set(partition, offset);
        }
      }),
    );
    return result;
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

  close(): void {
    this.#closed = true;
    for (const opening of this.#connections.values())
      void opening.then(
        (connection) => connection.close(),
        () => undefined,
      );
    this.#connections.clear();
  }

  /**
   * Metadata from the first broker that answers: first the known brokers, then the configured ones.
   */
  async #askAny(topics: readonly string[] | null): Promise<Metadata> {
    let last: unknown;
    for (const address of new Set([...this.#addresses.values(), ...this.#bootstrap])) {
      try {
        const connection = await this.#connect(address);
        return await connection.ask(metadata, topics, answerMillis);
      } catch (error) {
        if (!(error instanceof BrokerUnreachable)) throw error;
        last = error;
      }
    }
    throw last;
  }

  #connect(address: string): Promise<BrokerConnection> {
    const known = this.#connections.get(address);
    if (known) return known;
    const opening = (async () => {
      const connection = await BrokerConnection.open(address, answerMillis);
      if (this.#closed) connection.close();
      const { error, apis } = await connection.ask(apiVersions, undefined, answerMillis);
      const missing = neededFor[this.#purpose].find(
        ({ api, version }) => !apis.some((range) => range.api === api && range.min <= version && version <= range.max),
      );
      if (error === kafkaErrors.none && missing) {
        connection.close();
        throw new SluiceError(
          'kafka-version',
          `The broker ${address} does not speak version ${missing.version} of Kafka's request ${missing.api}. Sluice needs Kafka 2.4 or later.`,
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

  async #unknownTopic(topic: string): Promise<SluiceError> {
    const all = await this.#askAny(null);
    const names = all.topics.filter((one) => !one.internal).map((one) => one.topic);
    const closest = closestName(topic, names);
    const hint = closest !== undefined ? ` Closest: "${closest}".` : names.length === 0 ? ' There are no topics.' : '';
    const create = this.#purpose === 'write' ? ' Create it first, or give to() `create`.' : '';
    return new SluiceError('kafka-unknown-topic', `Topic "${topic}" is not on ${this.description}.${hint}${create}`, {
      topic,
      closest,
    });
  }
}

export function kafkaFailure(topic: string, partition: number, error: number): SluiceError {
  return new SluiceError('kafka-failure', `Reading ${topic}[${partition}] failed: ${errorName(error)}.`, {
    topic,
    partition,
    error,
  });
}
