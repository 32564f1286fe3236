// The positions of a source as offsets of a consumer group, for monitors of lag. The source is no
// member of the group and never reads these offsets: its checkpoint is the truth.
//
//   barrier n: noted ─complete(n)─► committed, the newest only ─refused─► a note, nothing else
//
// Several sources of a job may read a partition for one group. The group gets the offset of the one
// that is furthest behind, so that a start from the group misses no record.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../connections/connection.ts';
import type { SourceStatus } from '../../contract/source.ts';
import { isSluiceError, messageOf } from '../../errors/thrown.ts';
import { Brokers, mayPass, TryAgain } from './brokers.ts';
import { groupCoordinator } from './coordinator-request.ts';
import { commitOffsets, type OffsetToCommit } from './group-requests.ts';
import { errorName, kafkaErrors, passesByItself } from './requests.ts';
import type { SplitPosition } from './split.ts';

/** The pauses between the attempts of a commit. */
const pauseMillis = 1000;
const mostAttempts = 5;
/** What a group with members answers to a commit of somebody else. */
const membersRefuse = new Map([
  [22, 'ILLEGAL_GENERATION'],
  [25, 'UNKNOWN_MEMBER_ID'],
  [27, 'REBALANCE_IN_PROGRESS'],
  [113, 'STALE_MEMBER_EPOCH'],
]);

/** Of this thread, by group and brokers. */
const sharing = new Map<string, Set<GroupCommit>>();

export class GroupCommit {
  readonly #group: string;
  readonly #sharing: Set<GroupCommit>;
  readonly #connection: Connection;
  readonly #onSettled: () => void;
  readonly #noted = new Map<number, readonly OffsetToCommit[]>();
  #brokers: Brokers | undefined;
  /** To be committed when the one under way is done. */
  #next: readonly OffsetToCommit[] | undefined;
  /** Of the last complete checkpoint. */
  #complete: readonly OffsetToCommit[] = [];
  #isCommitting = false;
  /** The last ones that were committed, or refused. */
  #settled: readonly OffsetToCommit[] = [];
  #note: string | undefined;
  #isClosed = false;

  /** `onSettled`: a commit has its answer, or is given up. */
  constructor(group: string, connection: Connection, onSettled: () => void = () => undefined) {
    this.#group = group;
    this.#connection = connection;
    this.#onSettled = onSettled;
    const key = JSON.stringify([group, connection.brokers]);
    this.#sharing = sharing.get(key) ?? new Set();
    sharing.set(key, this.#sharing.add(this));
  }
  /** Why the last commit failed: a sentence. */
  get note(): string | undefined {
    return this.#note;
  }
  /** A commit has no answer yet. */
  get isUnderWay(): boolean {
    return this.#isCommitting;
  }

  /** No commit of these positions is needed, or none would help. */
  isDone(splits: readonly SplitPosition[]): boolean {
    const settled = new Map(this.#settled.map((one) => [placeOf(one), one.offset]));
    return splits.every((split) => settled.get(placeOf(split)) === split.offset);
  }

  /** A snapshot for this checkpoint, or for a later one: the last one before it counts. */
  noted(checkpoint: number, splits: readonly SplitPosition[]): void {
    const offsets = splits.map(({ topic, partition, offset, epoch }) => ({ topic, partition, offset, epoch }));
    this.#noted.set(checkpoint, offsets);
  }
  complete(checkpoint: number): void {
    const ids = [...this.#noted.keys()].filter((id) => id <= checkpoint);
    const offsets = this.#noted.get(Math.max(...ids));
    for (const id of ids) this.#noted.delete(id);
    if (!offsets || offsets.length === 0 || this.#isClosed) return;
    this.#next = this.#complete = offsets;
    if (!this.#isCommitting) void this.#commitAll();
  }
  close(): void {
    this.#isClosed = true;
    this.#sharing.delete(this);
    this.#brokers?.close();
  }

  async #commitAll(): Promise<void> {
    this.#isCommitting = true;
    for (let attempts = 1; this.#next && !this.#isClosed;) {
      const offsets = this.#next;
      try {
        await this.#commit(offsets);
        this.#note = undefined;
      } catch (error) {
        this.#note = `The offsets are not committed to group "${this.#group}": ${reasonOf(error)}`;
        if (mayPass(error) && attempts++ < mostAttempts && !this.#isClosed) {
          await sleep(pauseMillis, undefined, { ref: false });
          continue;
        }
      }
      attempts = 1;
      this.#settled = offsets;
      if (this.#next === offsets) this.#next = undefined;
    }
    this.#isCommitting = false;
    if (!this.#isClosed) this.#onSettled();
  }
  async #commit(own: readonly OffsetToCommit[]): Promise<void> {
    const brokers = (this.#brokers ??= new Brokers(this.#connection, 'read'));
    const coordinator = await groupCoordinator(brokers, this.#group);
    this.#check(coordinator.error);
    // Every source has heard of the checkpoint by now.
    const offsets = own.map((one) => this.#furthestBehind(one));
    const answers = await brokers.ask(coordinator.node, commitOffsets, { group: this.#group, offsets });
    for (const { error, topic } of answers) this.#check(error, topic);
  }
  #furthestBehind(own: OffsetToCommit): OffsetToCommit {
    const { topic, partition } = own;
    const all = [...this.#sharing].flatMap((one) =>
      one.#complete.filter((other) => other.topic === topic && other.partition === partition),
    );
    return all.reduce((least, one) => (one.offset < least.offset ? one : least), own);
  }
  #check(error: number, topic?: string): void {
    if (error === kafkaErrors.none) return;
    const members = membersRefuse.get(error);
    if (members !== undefined)
      throw new Error(
        `the group has live members, and only they may commit (${members}). Give a group that no consumer uses.`,
      );
    if (error === kafkaErrors.groupAuthorizationFailed) throw new Error('the right READ on the group is missing.');
    if (error === kafkaErrors.topicAuthorizationFailed)
      throw new Error(`the right READ on topic "${topic}" is missing.`);
    if (passesByItself(error)) throw new TryAgain(`its coordinator answers ${errorName(error)}`);
    throw new Error(`its coordinator answers ${errorName(error)}.`);
  }
}
function placeOf({ topic, partition }: Pick<OffsetToCommit, 'topic' | 'partition'>): string {
  return `${topic} ${partition}`;
}
function reasonOf(error: unknown): string {
  const text = messageOf(error).replace(/\.?$/, '.');
  return isSluiceError(error) || !mayPass(error) ? text : `${text} The next checkpoint tries again.`;
}

/** `group` undefined: the user wants no commits. */
export function groupCommitOf(
  group: string | undefined,
  connection: Connection,
  onSettled: () => void,
): GroupCommit | undefined {
  return group === undefined ? undefined : new GroupCommit(group, connection, onSettled);
}
/** With the note of the source's formats. */
export function groupStatus(
  group: GroupCommit | undefined,
  formats: string | undefined,
): Pick<SourceStatus, 'inFlight' | 'note'> {
  const notes = [formats, group?.note].filter((text) => text !== undefined).join(' ');
  return { ...(group?.isUnderWay === true && { inFlight: 1 }), ...(notes !== '' && { note: notes }) };
}
