// A sink's contact with the cluster: finds the topic at the start, reads its leaders and partitions
// again, and gets the number of an idempotent producer. A failure that may pass becomes `trouble`.
import { contactError, contactReason, isFinalAtStart, isUnknownTopic } from './broker-unreachable.ts';
import { mayPass, TryAgain } from './brokers.ts';
import type { Cluster } from './cluster.ts';
import type { Connection } from '../../connections/connection.ts';
import { outcomeOf, producerErrorName } from './produce-outcome.ts';
import { initProducerId, type Producer } from './sink-requests.ts';
import { createMissingTopic, type KnownSettings, topicSettings, type TopicToCreate } from './sink-topic.ts';
import { idempotenceNotAllowed, type WriterTrouble } from './write-trouble.ts';

/** The part of a cluster that a writer uses. */
export type WriterCluster = Pick<
  Cluster,
  'ask' | 'close' | 'description' | 'leader' | 'nodes' | 'notAllowed' | 'refresh' | 'speaks' | 'topicId'
>;
export interface FirstContact {
  readonly partitions: readonly number[];
  /** The topic's settings that matter to a sink. */
  readonly settings: KnownSettings;
  /** Absent without idempotence. */
  readonly producer: Producer | undefined;
}

/** As Java's delivery.timeout.ms. */
export const topicIsGoneMillis = 120_000;
/** Between two attempts at the start: the pause doubles up to the longest one. */
const firstContact = { pauseMillis: 250, longestMillis: 1_000 };

export class TopicContact {
  readonly #connection: Connection;
  readonly #cluster: WriterCluster;
  readonly #topic: string;
  #refreshing: Promise<readonly number[] | undefined> | undefined;
  /** Epoch milliseconds of the first look that did not find the topic. */
  #goneSince: number | undefined;
  trouble: WriterTrouble | undefined;

  constructor(connection: Connection, cluster: WriterCluster, topic: string) {
    this.#connection = connection;
    this.#cluster = cluster;
    this.#topic = topic;
  }

  /**
   * Tries until the cluster answers. undefined: the signal ended it. Throws when a further attempt
   * cannot help.
   */
  async begin(
    create: TopicToCreate | undefined,
    isIdempotent: boolean,
    signal: AbortSignal,
  ): Promise<FirstContact | undefined> {
    for (let pause = firstContact.pauseMillis; ; pause = Math.min(2 * pause, firstContact.longestMillis)) {
      if (signal.aborted) return undefined;
      try {
        const partitions = await this.#find(create);
        const settings = await topicSettings(this.#cluster, this.#topic);
        const producer = isIdempotent ? await this.producer(partitions) : undefined;
        this.trouble = undefined;
        return { partitions, settings, producer };
      } catch (error) {
        if (!mayPass(error)) throw error;
        if (isFinalAtStart(error)) throw contactError(this.#connection, error);
        this.#note(contactReason(this.#connection, error));
        // The global timer, because tests set its clock.
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
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
      this.#goneSince = undefined;
      return partitions;
    } catch (error) {
      if (isUnknownTopic(error)) {
        this.#goneSince ??= Date.now();
        this.#note(error.message);
      } else if (mayPass(error)) this.#note(error.message);
      else throw error;
      return undefined;
    }
  }
  /** The trouble of a topic that does not come back; undefined: it is there, or may come back. */
  get gone(): WriterTrouble | undefined {
    const isOver = this.#goneSince !== undefined && Date.now() - this.#goneSince > topicIsGoneMillis;
    return isOver ? this.trouble : undefined;
  }

  #note(sentence: string): void {
    this.trouble = { since: this.trouble?.since ?? Date.now(), reason: sentence.replace(/\.$/, '') };
  }
}
