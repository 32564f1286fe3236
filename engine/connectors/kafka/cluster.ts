// A cluster for one topic: the broker that leads each partition. It joins no group and creates no
// topic.
import { Brokers, TryAgain, type Purpose } from './brokers.ts';
import { followConnection } from '../../connections/connection-named.ts';
import type { Connection } from '../../connections/connection.ts';
import type { SluiceError } from '../../errors/error.ts';
import type { Exchange } from './kafkajs-connection.ts';
import { Leaders } from './leaders.ts';

export class Cluster {
  readonly #brokers: Brokers;
  readonly #topics: Leaders;
  #leaders = new Map<number, number>();
  #topicId: string | undefined;
  readonly #endFollowing: () => void;

  constructor(connection: Connection, purpose: Purpose) {
    this.#brokers = new Brokers(connection, purpose);
    this.#topics = new Leaders(this.#brokers);
    this.#endFollowing = followConnection(connection, (changed) => this.#brokers.use(changed));
  }

  get description(): string {
    return this.#brokers.description;
  }
  /** The node that leads the partition; undefined while there is no leader. */
  leader(partition: number): number | undefined {
    return this.#leaders.get(partition);
  }

  /**
   * The id of the topic in the last answer that had it: another topic of the same name has another
   * id. undefined: the broker is older than 3.1.
   */
  get topicId(): string | undefined {
    return this.#topicId;
  }

  /** The brokers of the last answer, also when it had no topic. */
  nodes(): readonly number[] {
    return this.#brokers.nodes();
  }

  /**
   * Reads the leaders again. Throws SluiceError when the topic does not exist or is not allowed,
   * and TryAgain or BrokerUnreachable when a retry may help.
   */
  async refresh(topic: string): Promise<readonly number[]> {
    const view = (await this.#topics.look([topic])).get(topic)!;
    if (view.kind === 'unknown') throw await this.#brokers.unknownTopic(topic);
    if (view.kind === 'refused') throw view.error;
    if (view.kind === 'wait') throw new TryAgain(view.reason);
    const { partitions, id } = view.about;
    this.#topicId = id;
    const noLeader = -1;
    this.#leaders = new Map(
      partitions.filter(({ leader }) => leader !== noLeader).map(({ partition, leader }) => [partition, leader]),
    );
    return partitions.map(({ partition }) => partition).sort((a, b) => a - b);
  }

  /** Asks the broker `node`. */
  ask<Question, Answer>(node: number, exchange: Exchange<Question, Answer>, question: Question, waitMillis = 0) {
    return this.#brokers.ask(node, exchange, question, waitMillis);
  }
  /** Whether the broker `node` speaks this version of the request. */
  speaks(node: number, exchange: Pick<Exchange<never, unknown>, 'api' | 'version'>): Promise<boolean> {
    return this.#brokers.speaks(node, exchange);
  }
  notAllowed(topic: string): SluiceError {
    return this.#brokers.notAllowed(topic);
  }
  close(): void {
    this.#endFollowing();
    this.#brokers.close();
  }
}
