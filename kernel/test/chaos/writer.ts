// Fills the input topic, round by round, and adds partitions to it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { inputTopic } from './cells.ts';
import { type InputKind, lastMessages, messagesOf, type Message } from './input.ts';

const mostPartitions = 8;

export class Writer {
  readonly #client: IndependentClient;
  readonly #kind: InputKind;
  readonly #pauseMillis: number;
  /** A complete checkpoint knows the position of this partition. */
  readonly #isCovered: (partition: number) => boolean;
  #producer: Producer;
  #partitions: number;
  #round = 0;
  #sent = 0;
  #isStopping = false;
  /** Time stands still until this partition is covered. */
  #awaited: number | undefined;
  /** The last of those that need the topic for themselves. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: {
    readonly client: IndependentClient;
    readonly partitions: number;
    readonly kind: InputKind;
    readonly pauseMillis: number;
    readonly isCovered: (partition: number) => boolean;
  }) {
    this.#client = options.client;
    this.#producer = options.client.producer;
    this.#partitions = options.partitions;
    this.#kind = options.kind;
    this.#pauseMillis = options.pauseMillis;
    this.#isCovered = options.isCovered;
  }

  /** Writes until `finish`. */
  async run(): Promise<void> {
    while (!this.#isStopping || this.#awaited !== undefined) {
      if (this.#awaited !== undefined && this.#isCovered(this.#awaited)) this.#awaited = undefined;
      await this.alone(async () => {
        if (this.#awaited === undefined) this.#round++;
        await this.#send(messagesOf(this.#round, this.#sent, this.#partitions, this.#kind));
      });
      await sleep(this.#pauseMillis);
    }
    await this.alone(() => this.#send(lastMessages(this.#round, this.#sent, this.#partitions)));
    if (this.#producer !== this.#client.producer) await this.#producer.disconnect();
  }
  /** `run` ends after the records that bring time beyond all windows. */
  finish(): void {
    this.#isStopping = true;
  }

  /** False: not now, or there are enough. */
  async addPartition(): Promise<boolean> {
    if (this.#kind.hasLate || this.#partitions === mostPartitions || this.#awaited !== undefined || this.#isStopping)
      return false;
    await this.alone(async () => {
      const count = this.#partitions + 1;
      await this.#client.admin.createPartitions({ topicPartitions: [{ topic: inputTopic, count }] });
      while (!(await this.#hasLeaders(count))) await sleep(50);
      // A producer that knows the topic would look at it again only after minutes.
      const former = this.#producer;
      this.#producer = this.#client.kafka.producer({ allowAutoTopicCreation: false });
      await this.#producer.connect();
      if (former !== this.#client.producer) await former.disconnect();
      this.#awaited = this.#partitions;
      this.#partitions = count;
    });
    return true;
  }
  async #hasLeaders(count: number): Promise<boolean> {
    const offsets = await this.#client.admin.fetchTopicOffsets(inputTopic).catch(() => []);
    return offsets.length === count;
  }

  /** Nothing is sent until the promise of `work` is settled. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const turn = before.catch(() => undefined).then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }
  async #send(messages: readonly Message[]): Promise<void> {
    await this.#producer.send({ topic: inputTopic, messages: [...messages] });
    this.#sent += messages.length;
  }
}
