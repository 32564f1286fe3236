// Finds the partitions of a topic and where each is read from. A partition without leader holds the
// others back neither at the start nor later.
//
//   looking ─► found (some partitions) ─► … ─► complete
//
// It retries without limit what may pass, also the first contact: a broker that is down at the start
// is tried again like one that goes down later.
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors/error.ts';
import { TryAgain, type Brokers } from './brokers.ts';
import { BrokerUnreachable } from './kafkajs-connection.ts';
import { leaderOf, type Leader, type Leaders } from './leaders.ts';
import type { TopicMetadata } from './metadata-request.ts';
import { listOffsets, type FoundOffset } from './offset-requests.ts';
import type { ReadRequest } from './reader-messages.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import { nameOf, type Split, type SplitPosition } from './split.ts';
import { checkNamedPartitions, startPositions } from './start-offsets.ts';
import { contact, type Troubles } from './troubles.ts';

const pauseMillis = { first: 100, longest: 2_000 };
/** A topic that stays unknown for this long does not exist, or has been deleted. */
const unknownMillis = { atStart: 250, later: 5_000 };

export interface FinderEvents {
  onFound(splits: readonly SplitPosition[], unresolved: readonly Split[]): void;
}

export class SplitFinder {
  readonly #request: ReadRequest;
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #troubles: Troubles;
  readonly #events: FinderEvents;
  readonly #known: Set<string>;
  #closed = false;

  constructor(request: ReadRequest, brokers: Brokers, leaders: Leaders, troubles: Troubles, events: FinderEvents) {
    this.#request = request;
    this.#brokers = brokers;
    this.#leaders = leaders;
    this.#troubles = troubles;
    this.#events = events;
    this.#known = new Set(request.known.map(nameOf));
  }

  close(): void {
    this.#closed = true;
  }

  /** Resolves when the start of every partition is known. Rejects with an error that is final. */
  async run(): Promise<void> {
    let unknownSince: number | undefined;
    for (let pause = pauseMillis.first; !this.#closed; pause = Math.min(pauseMillis.longest, 2 * pause)) {
      try {
        const about = await this.#topic();
        this.#troubles.end(contact);
        if (about === undefined) {
          unknownSince ??= Date.now();
          const patience = this.#known.size > 0 ? unknownMillis.later : unknownMillis.atStart;
          if (Date.now() - unknownSince > patience) throw await this.#brokers.unknownTopic(this.#request.topic);
        } else if ((await this.#find(about)) === 0) return;
      } catch (error) {
        if (this.#closed) return;
        if (!(error instanceof TryAgain || error instanceof BrokerUnreachable)) throw error;
        const reason = this.#unreachable(error);
        if (error instanceof BrokerUnreachable && error.reason === 'not-kafka')
          throw new SluiceError('kafka-unreachable', `${reason}.`, { variable: this.#request.variable });
        this.#troubles.fails(contact, reason);
      }
      await sleep(pause);
    }
  }

  /** undefined: the topic is unknown. */
  async #topic(): Promise<TopicMetadata | undefined> {
    const { topic } = this.#request;
    const view = (await this.#leaders.look([topic])).get(topic)!;
    switch (view.kind) {
      case 'there':
        return view.about;
      case 'unknown':
        return undefined;
      case 'wait':
        throw new TryAgain(view.reason);
      case 'refused':
        throw view.error;
    }
  }

  /** Returns the number of partitions whose start is still unknown. */
  async #find(about: TopicMetadata): Promise<number> {
    const { topic, id, partitions } = about;
    const numbers = partitions.map(({ partition }) => partition).sort((a, b) => a - b);
    checkNamedPartitions(topic, this.#request.from, numbers);
    const name = { topic, ...(id !== undefined && { topicId: id }) };
    const splits = numbers.map((partition) => ({ ...name, partition }));
    const missing = splits.filter((split) => !this.#known.has(nameOf(split)));
    const byNode = Map.groupBy(missing, ({ partition }) => leaderOf(about, partition)?.node ?? -1);
    const noNode = -1;
    for (const split of byNode.get(noNode) ?? []) this.#troubles.fails(nameOf(split), 'the partition has no leader');
    byNode.delete(noNode);
    const resolved = await Promise.all([...byNode].map(([node, led]) => this.#starts(name, about, node, led)));
    const found = resolved.flat().sort((a, b) => a.partition - b.partition);
    for (const split of found) this.#known.add(nameOf(split));
    const unresolved = splits.filter((split) => !this.#known.has(nameOf(split)));
    if (!this.#closed) this.#events.onFound(found, unresolved);
    return unresolved.length;
  }
  /** The starts of the partitions that one broker leads. */
  async #starts(
    name: Omit<Split, 'partition'>,
    about: TopicMetadata,
    node: number,
    led: readonly Split[],
  ): Promise<SplitPosition[]> {
    const leaders = new Map(led.map(({ partition }) => [partition, leaderOf(about, partition)!]));
    try {
      const found = await startPositions(
        name,
        this.#request,
        (time) => this.#offsets(node, name.topic, leaders, time),
        Date.now(),
      );
      for (const split of found) this.#troubles.end(nameOf(split));
      return found;
    } catch (error) {
      if (!(error instanceof TryAgain || error instanceof BrokerUnreachable)) throw error;
      for (const split of led) this.#troubles.fails(nameOf(split), error.message);
      return [];
    }
  }
  async #offsets(
    node: number,
    topic: string,
    leaders: ReadonlyMap<number, Leader>,
    time: number,
  ): Promise<ReadonlyMap<number, FoundOffset>> {
    const partitions = [...leaders].map(([partition, { epoch }]) => ({ partition, epoch, time }));
    const answers = await this.#brokers.ask(node, listOffsets, { topic, partitions });
    const found = new Map<number, FoundOffset>();
    for (const answer of answers) {
      const { partition, error } = answer;
      const name = nameOf({ topic, partition });
      if (error === kafkaErrors.topicAuthorizationFailed) throw this.#brokers.notAllowed(topic);
      if (error === kafkaErrors.none) found.set(partition, answer);
      else if (passesByItself(error)) this.#troubles.fails(name, `the broker answers ${errorName(error)}`);
      else throw kafkaFailure(topic, partition, error);
    }
    return found;
  }

  #unreachable(error: TryAgain | BrokerUnreachable): string {
    if (error instanceof TryAgain) return error.message;
    return `Kafka cannot be reached: ${error.message.replace(/\.$/, '')}; the address is from ${this.#request.variable}`;
  }
}

export function kafkaFailure(topic: string, partition: number, error: number): SluiceError {
  return new SluiceError('kafka-failure', `Reading ${topic}[${partition}] failed: ${errorName(error)}.`, {
    topic,
    partition,
    error,
  });
}
