// A sink's contact with the cluster: finds the topic at the start, reads its leaders and partitions
// again, and gets the number of an idempotent producer. A failure that may pass becomes `trouble`.
import { SluiceError } from '../../errors/error.ts';
import { BrokerUnreachable } from './kafkajs-connection.ts';
import { mayPass, TryAgain } from './brokers.ts';
import type { Cluster } from './cluster.ts';
import type { Connection } from './connections.ts';
import { outcomeOf, producerErrorName } from './produce-outcome.ts';
import { initProducerId, type Producer } from './sink-requests.ts';
import { createMissingTopic, topicSettings, type TopicToCreate } from './sink-topic.ts';
import { idempotenceNotAllowed, unreachable, unwritten, type WriterTrouble } from './write-trouble.ts';

/** The part of a cluster that a writer uses. */
export type WriterCluster = Pick<
  Cluster,
  'ask' | 'close' | 'description' | 'leader' | 'nodes' | 'notAllowed' | 'refresh'
>;
export interface FirstContact {
  readonly partitions: readonly number[];
  /** The topic's settings that matter to a sink. */
  readonly settings: ReadonlyMap<string, string>;
  /** Absent without idempotence. */
  readonly producer: Producer | undefined;
}

const firstContact = { attempts: 4, pauseMillis: 250 };
/** As Java's delivery.timeout.ms. */
export const givesUpMillis = 120_000;

export class TopicContact {
  readonly #connection: Connection;
  readonly #cluster: WriterCluster;
  readonly #topic: string;
  #refreshing: Promise<readonly number[] | undefined> | undefined;
  trouble: WriterTrouble | undefined;

  constructor(connection: Connection, cluster: WriterCluster, topic: string) {
    this.#connection = connection;
    this.#cluster = cluster;
    this.#topic = topic;
  }

  /** undefined: the signal ended it. Throws when a further attempt cannot help. */
  async begin(
    create: TopicToCreate | undefined,
    isIdempotent: boolean,
    signal: AbortSignal,
  ): Promise<FirstContact | undefined> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const partitions = await this.#find(create);
        const settings = await topicSettings(this.#cluster, this.#topic);
        const producer = isIdempotent ? await this.producer(partitions) : undefined;
        this.trouble = undefined;
        return { partitions, settings, producer };
      } catch (error) {
        if (!mayPass(error)) throw error;
        const { since, reason } = this.#note(error);
        const isOver =
          error instanceof BrokerUnreachable && (error.reason === 'silent' || attempt >= firstContact.attempts);
        if (isOver) throw unreachable(this.#connection, error);
        if (Date.now() - since > givesUpMillis) throw unwritten(this.#topic, 0, { since, reason, hint: '' });
        await new Promise((resolve) => setTimeout(resolve, firstContact.pauseMillis));
      }
    }
    return undefined;
  }
  async #find(create: TopicToCreate | undefined): Promise<readonly number[]> {
    try {
      return await this.#cluster.refresh(this.#topic);
    } catch (error) {
      if (!create || !isUnknownTopic(error)) throw error;
      await createMissingTopic(this.#cluster, this.#topic, create);
      throw new TryAgain(`the new topic "${this.#topic}" is not ready`);
    }
  }

  /** The leader of one of the partitions is asked, or any broker. */
  async producer(partitions: readonly number[]): Promise<Producer> {
    const leader = partitions.map((one) => this.#cluster.leader(one)).find((one) => one !== undefined);
    const node = leader ?? this.#cluster.nodes()[0];
    if (node === undefined) throw new TryAgain(`no broker of ${this.#cluster.description} answers`);
    const { error, id, epoch } = await this.#cluster.ask(node, initProducerId, undefined);
    const outcome = outcomeOf(error, 1);
    if (outcome === 'again') throw new TryAgain(`broker ${node} answers ${producerErrorName(error)}`);
    if (outcome !== 'written') throw idempotenceNotAllowed(this.#topic, this.#cluster.description, error);
    return { id, epoch };
  }

  /**
   * The topic's partitions; undefined: a failure that may pass. A topic that is gone may come back:
   * Java's producer waits for it too.
   */
  refresh(): Promise<readonly number[] | undefined> {
    this.#refreshing ??= this.#read().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }
  async #read(): Promise<readonly number[] | undefined> {
    try {
      const partitions = await this.#cluster.refresh(this.#topic);
      this.trouble = undefined;
      return partitions;
    } catch (error) {
      if (!mayPass(error) && !isUnknownTopic(error)) throw error;
      this.#note(error);
      return undefined;
    }
  }

  #note(error: Error): WriterTrouble {
    const reason = error.message.replace(/\.$/, '');
    this.trouble = { since: this.trouble?.since ?? Date.now(), reason };
    return this.trouble;
  }
}

function isUnknownTopic(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === 'kafka-unknown-topic';
}
