// A cluster for one topic: the broker that leads each partition. It joins no group and creates no
// topic.
import { Brokers, TryAgain, type Purpose } from './brokers.ts';
import type { SluiceError } from '../../errors/error.ts';
import type { Exchange } from './kafkajs-connection.ts';
import { Leaders } from './leaders.ts';

export class Cluster {
  readonly #brokers: Brokers;
  readonly #topics: Leaders;
  #leaders = new Map<number, number>();

  constructor(bootstrap: readonly string[], purpose: Purpose) {
    this.#brokers = new Brokers(bootstrap, purpose);
    this.#topics = new Leaders(this.#brokers);
  }

  get description(): string {
    return this.#brokers.description;
  }
  /** The node that leads the partition; undefined while there is no leader. */
  leader(partition: number): number | undefined {
    return this.#leaders.get(partition);
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
    const { partitions } = view.about;
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
  notAllowed(topic: string): SluiceError {
    return this.#brokers.notAllowed(topic);
  }
  close(): void {
    this.#brokers.close();
  }
}
