// A topic's sink that is not armed: it takes every row and writes nothing. It looks for the topic
// and says what would keep the armed sink from writing. To look creates no topic.
//
// If a row is not of the present, it asks for the topic's retention too, so that rows which the
// broker would delete at once are warned of before the sink is armed.
import type { Connection } from '../../connections/connection.ts';
import { connectionNamed } from '../../connections/connection-named.ts';
import type { Batch, Operator, OperatorContext, OperatorStatus } from '../../contract/operator.ts';
import { messageOf } from '../../errors/thrown.ts';
import type { NodeOf } from '../../graph/plan.ts';
import { BrokerUnreachable, contactError, isUnknownTopic } from './broker-unreachable.ts';
import { Cluster } from './cluster.ts';
import { isPast, RetentionWatch } from './retention-watch.ts';
import { type KnownSettings, topicSettings } from './sink-topic.ts';

/** Between two looks. */
const lookMillis = 5_000;

export class SinkPreview implements Operator {
  readonly #parameters: NodeOf<'kafkaSink'>['parameters'];
  readonly #timeOf: (row: unknown, own: number) => number | string;
  #context!: OperatorContext;
  #cluster: Cluster | undefined;
  #obstacle: string | undefined;
  #oldest = Infinity;
  #hasAsked = false;
  #retention: RetentionWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `timeOf` may throw: it is code of the user. */
  constructor(parameters: NodeOf<'kafkaSink'>['parameters'], timeOf: (row: unknown, own: number) => number | string) {
    this.#parameters = parameters;
    this.#timeOf = timeOf;
  }
  open(context: OperatorContext): void {
    this.#context = context;
    void this.#look();
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    for (let i = from; i < batch.length; i++) {
      const time = this.#time(batch.values[i], batch.timestamps[i]!);
      if (time >= 0 && time < this.#oldest) this.#oldest = time;
    }
    if (!this.#hasAsked && isPast(this.#oldest, this.#context.clock.now())) {
      this.#hasAsked = true;
      void this.#askRetention();
    }
    return batch.length;
  }
  /** NaN: the row has no time, which is an error when it is written. */
  #time(row: unknown, own: number): number {
    try {
      const time = this.#timeOf(row, own);
      return typeof time === 'number' ? time : NaN;
    } catch {
      return NaN;
    }
  }

  /** Without an answer nothing is known of the retention. The other look names the reason. */
  async #askRetention(): Promise<void> {
    const { topic, connection, create } = this.#parameters;
    try {
      const cluster = this.#clusterOn(connectionNamed(connection));
      this.#retention = new RetentionWatch(topic, await settingsOf(cluster, topic, create?.config));
    } catch {
      this.#retention = undefined;
    }
  }
  #clusterOn(connection: Connection): Cluster {
    return (this.#cluster ??= new Cluster(connection, 'write'));
  }
  async #look(): Promise<void> {
    const obstacle = await this.#find();
    if (this.#isClosed) return;
    this.#obstacle = obstacle;
    this.#timer = setTimeout(() => void this.#look(), lookMillis).unref();
  }
  async #find(): Promise<string | undefined> {
    const { topic, connection: name, create } = this.#parameters;
    try {
      const connection = connectionNamed(name);
      try {
        await this.#clusterOn(connection).refresh(topic);
        return undefined;
      } catch (error) {
        if (isUnknownTopic(error)) return create === undefined ? error.message : undefined;
        return error instanceof BrokerUnreachable ? contactError(connection, error).message : messageOf(error);
      }
    } catch (error) {
      return messageOf(error);
    }
  }

  status(): OperatorStatus {
    const note = this.#retention?.warningOf(this.#oldest, this.#context.clock.now());
    return {
      entries: 0,
      ...(this.#obstacle !== undefined && { obstacle: this.#obstacle }),
      ...(note !== undefined && { note }),
    };
  }
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#cluster?.close();
  }
}

/** `config`: what the sink would give to a missing topic. */
async function settingsOf(
  cluster: Cluster,
  topic: string,
  config: Readonly<Record<string, string>> | undefined,
): Promise<KnownSettings> {
  try {
    await cluster.refresh(topic);
  } catch (error) {
    if (!isUnknownTopic(error) || !config) throw error;
    return { values: new Map(Object.entries({ 'cleanup.policy': 'delete', ...config })), isDenied: false };
  }
  return topicSettings(cluster, topic);
}
