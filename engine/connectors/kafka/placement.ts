// Where each assigned split is read: finds the leader of those that are lost, and checks that their
// positions still hold under a new leader.
//
//   lost ─► checking ─► reading
//    ▲         │           │
//    └─────────┴───────────┘   the leader changed, or does not answer: tried again without limit
//
// Splits are lost and found one by one: one that has no leader holds no other back.
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceError } from '../../errors/error.ts';
import type { TryAgain } from './brokers.ts';
import { type Brokers, mayPass } from './brokers.ts';
import type { FetchedRest, Progress } from './fetched-chunk.ts';
import { isSameTopic, leaderOf, type Leader, type Leaders, topicMadeAgain, type TopicView } from './leaders.ts';
import { nameOf, type Split, type SplitPosition } from './split.ts';
import { contact, type Troubles } from './troubles.ts';
import { checkPositions } from './truncation.ts';

/**
 * A topic that stays unknown for this long has been deleted. A broker that starts knows few topics.
 */
const goneAfterMillis = 5_000;
const pauseMillis = { first: 100, longest: 2_000 };

export class AssignedSplit implements Progress {
  readonly split: Split;
  readonly name: string;
  next: number;
  epoch: number;
  end: number;
  endTime: number | undefined;
  /** Bytes handed over and not yet emitted. */
  pending = 0;
  rest: FetchedRest | undefined;
  needs: number | undefined;
  state: 'lost' | 'checking' | 'reading' = 'lost';
  leader: Leader | undefined;
  /** The leader's epoch under which the position was checked, or in which it was read. */
  checkedUnder = -1;
  failures = 0;
  retryAt = 0;
  unknownSince: number | undefined;

  constructor(position: SplitPosition) {
    this.split = position;
    this.name = nameOf(position);
    this.next = position.offset;
    this.epoch = position.epoch;
    this.end = position.end ?? Infinity;
    this.endTime = position.endTime;
  }
  get isDone(): boolean {
    return this.next >= this.end;
  }
}

export interface PlacementEvents {
  /** Splits can be read. */
  onReady(): void;
  /** The split is not read any more, or not at present. */
  onUnread(split: AssignedSplit): void;
  /** The topic of a split was deleted. Absent: that is a failure. */
  onGone?(split: string): void;
  /** An error of this split that is final. It may concern others of its topic. */
  onSplitFailure(split: AssignedSplit, error: unknown): void;
  /** An error that is final, of all splits. */
  onFailure(error: unknown): void;
}

export class Placement {
  readonly #brokers: Brokers;
  readonly #leaders: Leaders;
  readonly #troubles: Troubles;
  readonly #events: PlacementEvents;
  readonly #splits = new Map<string, AssignedSplit>();
  #isPlacing = false;
  /** Ends the pause before the next look. */
  #wake: () => void = () => undefined;
  #closed = false;

  constructor(brokers: Brokers, leaders: Leaders, troubles: Troubles, events: PlacementEvents) {
    this.#brokers = brokers;
    this.#leaders = leaders;
    this.#troubles = troubles;
    this.#events = events;
  }

  get size(): number {
    return this.#splits.size;
  }
  get(name: string): AssignedSplit | undefined {
    return this.#splits.get(name);
  }
  /** The splits that are read or looked for. */
  get splits(): readonly Split[] {
    return [...this.#splits.values()].map(({ split }) => split);
  }
  assign(positions: readonly SplitPosition[]): void {
    for (const position of positions) this.#splits.set(nameOf(position), new AssignedSplit(position));
    this.#place();
    this.#wake();
  }
  revoke(name: string): void {
    const split = this.#splits.get(name);
    this.#splits.delete(name);
    this.#troubles.end(name);
    if (split) this.#events.onUnread(split);
  }
  /** The splits to read from this node. */
  ledBy(node: number): AssignedSplit[] {
    return [...this.#splits.values()].filter(
      (split) => split.state === 'reading' && !split.isDone && split.leader?.node === node,
    );
  }
  nodes(): Set<number> {
    const nodes = new Set<number>();
    for (const split of this.#splits.values())
      if (split.state === 'reading' && !split.isDone && split.leader) nodes.add(split.leader.node);
    return nodes;
  }
  /** The split's broker has answered for it. */
  works(split: AssignedSplit): void {
    split.failures = 0;
    this.#troubles.end(split.name);
  }
  lose(split: AssignedSplit, reason: string): void {
    if (this.#splits.get(split.name) !== split) return;
    split.state = 'lost';
    split.rest = undefined;
    this.#events.onUnread(split);
    split.retryAt = Date.now() + Math.min(pauseMillis.longest, pauseMillis.first * 2 ** Math.min(10, split.failures++));
    this.#troubles.fails(split.name, reason);
    this.#place();
  }
  close(): void {
    this.#closed = true;
  }

  #place(): void {
    if (this.#isPlacing || this.#closed) return;
    this.#isPlacing = true;
    void this.#placeAll().catch((error: unknown) => this.#events.onFailure(error));
  }
  async #placeAll(): Promise<void> {
    for (;;) {
      const lost = [...this.#splits.values()].filter(({ state, isDone }) => state === 'lost' && !isDone);
      if (lost.length === 0 || this.#closed) {
        this.#isPlacing = false;
        return;
      }
      const wait = Math.min(...lost.map(({ retryAt }) => retryAt)) - Date.now();
      if (wait > 0) {
        await Promise.race([sleep(wait), new Promise<void>((resolve) => (this.#wake = resolve))]);
        continue;
      }
      const due = lost.filter(({ retryAt }) => retryAt <= Date.now());
      try {
        const views = await this.#leaders.look([...new Set(due.map(({ split }) => split.topic))]);
        this.#troubles.end(contact);
        await this.#placeIn(views, due);
      } catch (error) {
        if (!mayPass(error)) throw error;
        for (const split of due) this.lose(split, error.message);
      }
      if (!this.#closed) this.#events.onReady();
    }
  }
  async #placeIn(views: ReadonlyMap<string, TopicView>, due: readonly AssignedSplit[]): Promise<void> {
    const unchecked: AssignedSplit[] = [];
    for (const split of due) {
      const view = views.get(split.split.topic)!;
      if (view.kind === 'refused') {
        this.#events.onSplitFailure(split, view.error);
        continue;
      }
      if (view.kind === 'unknown') {
        split.unknownSince ??= Date.now();
        if (Date.now() - split.unknownSince > goneAfterMillis)
          await this.#gone(split, () => this.#brokers.unknownTopic(split.split.topic));
        this.lose(split, `no broker knows topic "${split.split.topic}"`);
        continue;
      }
      split.unknownSince = undefined;
      if (view.kind === 'wait') {
        this.lose(split, view.reason);
        continue;
      }
      if (!isSameTopic(split.split, view.about)) {
        await this.#gone(split, () => topicMadeAgain(split.split));
        continue;
      }
      split.leader = leaderOf(view.about, split.split.partition);
      if (!split.leader) this.lose(split, 'the partition has no leader');
      else if (split.epoch < 0 || split.next === 0 || split.checkedUnder === split.leader.epoch)
        split.state = 'reading';
      else unchecked.push(split);
    }
    const groups = Map.groupBy(unchecked, ({ split, leader }) => `${leader!.node} ${split.topic}`);
    for (const group of groups.values()) void this.#check(group);
  }

  async #gone(split: AssignedSplit, error: () => Error | Promise<Error>): Promise<void> {
    if (this.#splits.get(split.name) !== split) return;
    if (!this.#events.onGone) throw await error();
    this.revoke(split.name);
    this.#events.onGone(split.name);
  }
  /** The splits are of one topic and have one leader. It may not answer, so nobody waits for it. */
  async #check(splits: readonly AssignedSplit[]): Promise<void> {
    const [{ leader }] = splits as readonly [AssignedSplit];
    for (const split of splits) split.state = 'checking';
    try {
      const positions = splits.map(({ split, next, epoch, leader: led }) => ({
        ...split,
        offset: next,
        epoch,
        leader: led!,
      }));
      const problems = await checkPositions(this.#brokers, leader!.node, positions);
      for (const split of splits) {
        if (split.state !== 'checking' || this.#closed) continue;
        const problem = problems.get(split.name);
        if (problem) this.#checkFailed(split, problem);
        else {
          split.state = 'reading';
          split.checkedUnder = split.leader!.epoch;
        }
      }
      if (!this.#closed) this.#events.onReady();
    } catch (error) {
      if (this.#closed) return;
      if (mayPass(error)) for (const split of splits) this.lose(split, error.message);
      else this.#events.onFailure(error);
    }
  }

  #checkFailed(split: AssignedSplit, problem: TryAgain | SluiceError): void {
    if (!(problem instanceof SluiceError)) this.lose(split, problem.message);
    else if (problem.code === 'kafka-topic-made-again' && this.#events.onGone) void this.#gone(split, () => problem);
    else if (this.#splits.get(split.name) === split) this.#events.onSplitFailure(split, problem);
  }
}
