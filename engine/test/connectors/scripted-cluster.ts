// A cluster for tests of the sink's writer: leaders and answers are given by the test, and there is
// no socket. A law or a test on a real broker shows that real answers are like these.
import { BatchBuilder } from '../../connectors/kafka/batch-builder.ts';
import type { Exchange } from '../../connectors/kafka/kafkajs-connection.ts';
import type { ProduceAnswer, ProduceQuestion } from '../../connectors/kafka/sink-requests.ts';
import { TopicWriter, type WriterOptions } from '../../connectors/kafka/topic-writer.ts';
import type { WriterCluster } from '../../connectors/kafka/topic-contact.ts';
import { SluiceError } from '../../errors/error.ts';

/** The answer to one request: an error number for each partition. Absent: 0. */
export type Answer = Readonly<Record<number, number>> | Error;

export class ScriptedCluster implements WriterCluster {
  readonly description = '127.0.0.1:9092';
  readonly topicId = undefined;
  /** The node that leads each partition; undefined: none. */
  leaders: (number | undefined)[];
  /** How a node answers. Default: at once, without error. */
  readonly answers = new Map<number, (partitions: readonly number[]) => Answer | Promise<Answer>>();
  /** "1: 0,2": node 1 was asked to write to partitions 0 and 2. */
  readonly asked: string[] = [];
  /** The values of each batch that a broker got. */
  readonly batches: { readonly partition: number; readonly values: readonly string[] }[] = [];
  refreshes = 0;
  /** Thrown by each look at the topic. */
  refreshError: Error | undefined;
  /** The error of InitProducerId. */
  producerError = 0;
  isClosed = false;
  /** Of every answer. */
  throttleMillis = 0;
  #known: (number | undefined)[] = [];

  constructor(leaders: readonly (number | undefined)[]) {
    this.leaders = [...leaders];
  }
  leader(partition: number): number | undefined {
    return this.#known[partition];
  }
  nodes(): readonly number[] {
    return [1, 2, 3];
  }
  async refresh(): Promise<readonly number[]> {
    this.refreshes++;
    if (this.refreshError) throw this.refreshError;
    this.#known = [...this.leaders];
    return await Promise.resolve([...this.leaders.keys()]);
  }
  async speaks(): Promise<boolean> {
    return await Promise.resolve(true);
  }
  notAllowed(topic: string): SluiceError {
    return new SluiceError('kafka-not-allowed', `Writing to topic "${topic}" is not allowed.`);
  }
  close(): void {
    this.isClosed = true;
  }
  async ask<Question, Result>(node: number, exchange: Exchange<Question, Result>, question: Question): Promise<Result> {
    const answer =
      exchange.api === 0 ? await this.#produce(node, question as ProduceQuestion) : this.#otherAnswer(exchange.api);
    return answer as Result;
  }
  #otherAnswer(api: number): unknown {
    if (api === initProducerId) return { error: this.producerError, id: 7n, epoch: 0 };
    return { error: 0, settings: new Map() };
  }
  async #produce(node: number, { batches }: ProduceQuestion): Promise<ProduceAnswer> {
    const partitions = batches.map(({ partition }) => partition);
    this.asked.push(`${node}: ${partitions.join(',')}`);
    for (const { partition, bytes } of batches) {
      const values = [...BatchBuilder.restored(bytes).rows()].map(({ value }) => value.toString());
      this.batches.push({ partition, values });
    }
    const answer = (await this.answers.get(node)?.(partitions)) ?? {};
    if (answer instanceof Error) throw answer;
    const produced = partitions.map((partition) => ({
      partition,
      error: answer[partition] ?? 0,
      offset: 0,
      message: undefined,
      row: undefined,
    }));
    return { partitions: produced, throttleMillis: this.throttleMillis };
  }
}

const initProducerId = 22;

/** A writer on this cluster, and the error that ends it. */
export function scriptedWriter(cluster: ScriptedCluster, options: Partial<WriterOptions> = {}) {
  const failures: Error[] = [];
  const connection = { brokers: ['127.0.0.1:9092'], setIn: 'SLUICE_BROKERS' };
  const events = { onProgress: () => undefined, onFailure: (error: unknown) => void failures.push(error as Error) };
  return { writer: new TopicWriter(connection, 't', events, options, cluster), failures };
}
