// Finds the partitions of a topic, or of all topics of a pattern, and where each is read from. A
// partition without leader holds the others back neither at the start nor later.
//
//   looking ─► found (some partitions) ─► … ─► complete ─► looking (after the discovery interval)
//
// Partitions that appear after the first look are read from their earliest offset.
// It retries without limit what may pass, also the first contact: a broker that is down at the
// start is tried again like one that goes down later.
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors/error.ts';
import { mayPass, TryAgain, type Brokers } from './brokers.ts';
import { committedOffsets } from './group-offsets.ts';
import { BrokerUnreachable, contactError, contactReason, isFinalAtStart } from './broker-unreachable.ts';
import { isSameTopic, leaderOf, type Leader, type Leaders, topicMadeAgain } from './leaders.ts';
import type { TopicMetadata } from './metadata-request.ts';
import { listOffsets, type FoundOffset } from './offset-requests.ts';
import type { ReadRequest } from './reader-messages.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import { nameOf, type Split, type SplitPosition } from './split.ts';
import { checkNamedPartitions, startPositions } from './start-offsets.ts';
import { contact, type Troubles } from './troubles.ts';

const pauseMillis = { first: 100, longest: 2_000 };
const noMatch = 'pattern';
/** A topic that stays unknown for this long does not exist, or has been deleted. */
const unknownMillis = { atStart: 250, later: 5_000 };

export interface FinderEvents {
  onFound(splits: readonly SplitPosition[], unresolved: readonly Split[]): void;
  /** The topic of a split was made again or deleted. Only if all topics of a pattern are read. */
  onGone(split: string): void;
  /** An error that is final: the start of a split cannot be found. */
  onSplitFailure(split: Split, error: SluiceError): void;
}

export class SplitFinder {
  readonly #request: ReadRequest;
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #troubles: Troubles;
  readonly #events: FinderEvents;
  /** The splits whose start is known. */
  readonly #known: Map<string, Split>;
  /** The splits that existed at the first look. Later ones are read from their earliest offset. */
  readonly #atStart: Set<string>;
  /** The splits whose start is not known yet, and since when each is in no answer. */
  readonly #waiting = new Map<string, number | undefined>();
  /** The splits whose start cannot be found. They are not looked for again. */
  readonly #failed = new Set<string>();
  #hasLooked: boolean;
  /** Of a pattern: nothing matches yet, or a topic is being made. The next look comes soon. */
  #expectsTopic = false;
  #closed = false;

  constructor(request: ReadRequest, brokers: Brokers, leaders: Leaders, troubles: Troubles, events: FinderEvents) {
    this.#request = request;
    this.#brokers = brokers;
    this.#leaders = leaders;
    this.#troubles = troubles;
    this.#events = events;
    this.#known = new Map(request.known.map((split) => [nameOf(split), split]));
    this.#atStart = new Set(request.unresolved.map(nameOf));
    for (const name of this.#atStart) this.#waiting.set(name, undefined);
    this.#hasLooked = request.hasLooked;
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * Looks until `close`, or until a bounded read has all its starts. Rejects with an error that is
   * final.
   */
  async run(): Promise<void> {
    let unknownSince: number | undefined;
    let pause = pauseMillis.first;
    while (!this.#closed) {
      let isComplete = false;
      try {
        const topics = await this.#topics();
        this.#troubles.end(contact);
        if (topics === undefined) {
          unknownSince ??= Date.now();
          const patience = this.#known.size > 0 ? unknownMillis.later : unknownMillis.atStart;
          if (Date.now() - unknownSince > patience) throw await this.#brokers.unknownTopic(this.#request.topic);
        } else {
          unknownSince = undefined;
          isComplete = (await this.#find(topics)) === 0 && !this.#expectsTopic;
        }
      } catch (error) {
        if (this.#closed) return;
        if (!mayPass(error)) throw error;
        if (isFinalAtStart(error) && !this.#hasLooked) throw contactError(this.#request.connection, error);
        this.#troubles.fails(contact, contactReason(this.#request.connection, error));
      }
      if (isComplete && this.#request.until !== undefined) return;
      await sleep(isComplete ? this.#request.discoveryMillis : pause);
      pause = isComplete ? pauseMillis.first : Math.min(pauseMillis.longest, 2 * pause);
    }
  }

  /** The topics that can be read; undefined: the one topic is unknown. */
  async #topics(): Promise<readonly TopicMetadata[] | undefined> {
    const { topic, pattern } = this.#request;
    if (pattern) {
      const views = await this.#leaders.matching(new RegExp(pattern.source, pattern.flags));
      const none = `no topic on ${this.#brokers.description} matches ${topic}`;
      if (views.size > 0) this.#troubles.end(noMatch);
      else if (this.#request.until === undefined) this.#troubles.waits(noMatch, `${none} yet`);
      else
        throw new SluiceError(
          'kafka-unknown-topic',
          `${none.replace('no', 'No')}. Correct the pattern, or create a topic that it matches.`,
          { topic },
        );
      const all = [...views.values()];
      this.#expectsTopic = all.length === 0 ? this.#known.size === 0 : all.some(({ kind }) => kind === 'wait');
      return all.flatMap((view) => (view.kind === 'there' ? view.about : []));
    }
    const view = (await this.#leaders.look([topic])).get(topic)!;
    switch (view.kind) {
      case 'there':
        return [view.about];
      case 'unknown':
        return undefined;
      case 'wait':
        throw new TryAgain(view.reason);
      case 'refused':
        throw view.error;
    }
  }

  /** Returns the number of partitions whose start is still unknown. */
  async #find(topics: readonly TopicMetadata[]): Promise<number> {
    const splits = topics.flatMap((about) => this.#splitsOf(about));
    if (!this.#hasLooked) for (const { split } of splits) this.#atStart.add(nameOf(split));
    const isMissing = (split: Split): boolean => !this.#known.has(nameOf(split)) && !this.#failed.has(nameOf(split));
    const missing = splits.filter(({ split }) => isMissing(split));
    const noNode = -1;
    const byLeader = Map.groupBy(missing, ({ split, about }) => {
      const node = leaderOf(about, split.partition)?.node ?? noNode;
      return `${node} ${split.topic} ${this.#atStart.has(nameOf(split))}`;
    });
    const resolved = await Promise.all([...byLeader.values()].map((group) => this.#startsOf(group)));
    const found = resolved.flat();
    for (const split of found) this.#known.set(nameOf(split), split);
    const unresolved = missing.map(({ split }) => split).filter(isMissing);
    if (!this.#closed && (!this.#hasLooked || missing.length > 0)) this.#events.onFound(found, unresolved);
    this.#hasLooked = true;
    return unresolved.length + this.#absent(unresolved, Date.now());
  }
  /**
   * The number of splits that had no start yet and are in no answer now. After a while their topic
   * was deleted, and nobody waits for them any more. Without a pattern, the topic has an error.
   */
  #absent(unresolved: readonly Split[], now: number): number {
    const present = new Set(unresolved.map(nameOf));
    for (const name of present) this.#waiting.set(name, undefined);
    for (const [name, since = now] of this.#waiting) {
      if (present.has(name)) continue;
      this.#waiting.set(name, since);
      const isResolved = this.#known.has(name) || this.#failed.has(name);
      if (!isResolved && now - since <= unknownMillis.later) continue;
      this.#waiting.delete(name);
      if (isResolved) continue;
      this.#troubles.end(name);
      this.#atStart.delete(name);
      this.#events.onGone(name);
    }
    return this.#waiting.size - present.size;
  }
  #splitsOf(about: TopicMetadata): { readonly split: Split; readonly about: TopicMetadata }[] {
    const { topic, id, partitions } = about;
    const numbers = partitions.map(({ partition }) => partition).sort((a, b) => a - b);
    checkNamedPartitions(topic, this.#request.from, numbers);
    return numbers.map((partition) => {
      const split = { topic, ...(id !== undefined && { topicId: id }), partition };
      const known = this.#known.get(nameOf(split));
      if (known && !isSameTopic(known, about)) this.#madeAgain(known);
      return { split, about };
    });
  }
  /** Among the topics of a pattern it is one that left and one that appeared. */
  #madeAgain(split: Split): void {
    if (!this.#request.pattern) throw topicMadeAgain(split);
    this.#known.delete(nameOf(split));
    this.#atStart.delete(nameOf(split));
    this.#failed.delete(nameOf(split));
    this.#events.onGone(nameOf(split));
  }
  /** The starts of partitions of one topic that one broker leads, or none does. */
  async #startsOf(
    group: readonly { readonly split: Split; readonly about: TopicMetadata }[],
  ): Promise<SplitPosition[]> {
    const [{ split: first, about }] = group as readonly [(typeof group)[0]];
    const leader = leaderOf(about, first.partition);
    const splits = group.map(({ split }) => split);
    if (leader) return await this.#starts(first, about, leader.node, splits);
    for (const split of splits) this.#troubles.fails(nameOf(split), 'the partition has no leader');
    return [];
  }

  /** The starts of the partitions that one broker leads. */
  async #starts(first: Split, about: TopicMetadata, node: number, led: readonly Split[]): Promise<SplitPosition[]> {
    const leaders = new Map(led.map(({ partition }) => [partition, leaderOf(about, partition)!]));
    try {
      const { topic, topicId } = first;
      const { from, until } = this.#request;
      const isLater = !this.#atStart.has(nameOf(first));
      const bounds = { from: isLater ? 'earliest' : from, ...(until !== undefined && { until }) } as const;
      const name = { topic, ...(topicId !== undefined && { topicId }) };
      const ask = (time: number) => this.#offsets(node, name, leaders, time);
      const committed = typeof from === 'object' && 'committed' in from && !isLater ? from.committed : undefined;
      const offsets =
        committed === undefined
          ? undefined
          : await committedOffsets(this.#brokers, node, committed, topic, [...leaders.keys()]);
      const found = await startPositions(name, bounds, ask, Date.now(), offsets);
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
    about: Omit<Split, 'partition'>,
    leaders: ReadonlyMap<number, Leader>,
    time: number,
  ): Promise<ReadonlyMap<number, FoundOffset>> {
    const { topic } = about;
    const partitions = [...leaders].map(([partition, { epoch }]) => ({ partition, epoch, time }));
    const answers = await this.#brokers.ask(node, listOffsets, { topic, partitions });
    const found = new Map<number, FoundOffset>();
    for (const answer of answers) {
      const { partition, error } = answer;
      const name = nameOf({ topic, partition });
      if (error === kafkaErrors.none) found.set(partition, answer);
      else if (passesByItself(error)) this.#troubles.fails(name, `the broker answers ${errorName(error)}`);
      else if (error === kafkaErrors.topicAuthorizationFailed)
        this.#fail({ ...about, partition }, this.#brokers.notAllowed(topic, 'hidden'));
      else this.#fail({ ...about, partition }, kafkaFailure(topic, partition, error));
    }
    return found;
  }
  #fail(split: Split, error: SluiceError): void {
    const name = nameOf(split);
    if (this.#failed.has(name) || this.#closed) return;
    this.#failed.add(name);
    this.#troubles.end(name);
    this.#events.onSplitFailure(split, error);
  }
}

export function kafkaFailure(topic: string, partition: number, error: number): SluiceError {
  return new SluiceError('kafka-failure', `Reading ${topic}[${partition}] failed: ${errorName(error)}.`, {
    topic,
    partition,
    error,
  });
}
