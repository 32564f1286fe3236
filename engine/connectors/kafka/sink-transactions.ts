// The transactions of an exactly-once sink. At a barrier the open one is finished, and it is
// committed when a checkpoint that lists it is durable.
//
//   rows ─first row: begin, add partitions─► open ─barrier─► pending ─complete─► committed
//                                              └─a clean stop, or the next start─► aborted
//
// One id and epoch is one transaction, so each begins with a new epoch of its id. After a restore
// what the checkpoint lists is committed with the stored epochs. All other ids of the sink begin an
// epoch, which aborts what a process that has died left open.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { PendingCommits } from '../../commits/pending-commits.ts';
import { reach } from '../../contract/failpoints.ts';
import type { OperatorContext, OperatorStatus, StateReader, StateWriter } from '../../contract/operator.ts';
import { SluiceError } from '../../errors/error.ts';
import { shapeHash } from '../../graph/fingerprint.ts';
import type { Committable } from './committable.ts';
import { idsAtWork } from './ids-at-work.ts';
import { OpenTransaction } from './open-transaction.ts';
import type { WriterTransactions } from './queue-producers.ts';
import type { Producer } from './sink-requests.ts';
import type { WriterCluster } from './topic-contact.ts';
import { CoordinatorClosed, TransactionCoordinator } from './transaction-coordinator.ts';
import { TransactionIds } from './transaction-ids.ts';
import { TransactionTopic } from './transaction-topic.ts';
import { expired, fenced, timedOut } from './transaction-trouble.ts';

/** A number that was asked for in advance is not used after so long: the broker may forget it. */
const freshMillis = 3_600_000;
/** What a clean stop waits for. */
const leaveMillis = 5_000;

export interface TransactionsOptions {
  readonly topic: string;
  readonly timeoutMillis: number;
  /** Absent: it is drawn. */
  readonly prefix: string | undefined;
  /** Rows that the writer has and the topic does not. */
  readonly unsent: () => number;
}
interface Prepared {
  readonly transactionalId: string;
  readonly producer: Producer;
  readonly at: number;
}

export class SinkTransactions implements WriterTransactions {
  readonly #options: TransactionsOptions;
  readonly #context: OperatorContext;
  readonly #cluster: WriterCluster;
  readonly #coordinator: TransactionCoordinator;
  readonly #topic: TransactionTopic;
  readonly #pending: PendingCommits<Committable>;
  #prefix: string;
  #ids: TransactionIds;
  /** Of a former run: its open transactions are looked for. */
  #hasFormer: boolean;
  /** Prefixes that it had before. They are kept until nothing of them is open. */
  #formerPrefixes: readonly string[] = [];
  #started: Promise<void> | undefined;
  /** Looks for what a process that has died left open: its readers wait for that. */
  #isTidying = false;
  #open: OpenTransaction | undefined;
  /** A row waits for its transaction, which the coordinator may know already. */
  #isBeginning = false;
  #prepared: Promise<Prepared> | undefined;
  /** Ids that this process has used before. */
  readonly #used = new Set<string>();
  #restored = new Set<string>();
  #committing: Promise<void> | undefined;
  #isClosed = false;
  #rowsCommitted = 0;

  constructor(options: TransactionsOptions, context: OperatorContext, cluster: WriterCluster) {
    this.#options = options;
    this.#context = context;
    this.#cluster = cluster;
    const { prefix: given, topic, timeoutMillis, unsent } = options;
    // Sinks that share a prefix have ids of their own.
    this.#prefix =
      given === undefined ? `sluice-${randomBytes(6).toString('hex')}` : `${given}-${shapeHash(context.uid)}`;
    this.#hasFormer = given !== undefined;
    this.#ids = new TransactionIds(this.#prefix);
    const coordinator = { topic, timeoutMillis, prefix: given ?? 'sluice-' };
    this.#coordinator = new TransactionCoordinator(cluster, coordinator);
    this.#topic = new TransactionTopic({ topic, cluster, coordinator: this.#coordinator, unsent });
    this.#pending = new PendingCommits({
      commit: (committable) => (this.#committing = this.#commit(committable)),
      now: () => context.clock.now(),
      wake: () => context.wake(),
      fail: (error) => context.fail(error),
      isFinal: (error) => error instanceof SluiceError || error instanceof CoordinatorClosed,
      committed: (committable) => this.#committed(committable),
    });
  }

  // ------------------------------------------------------------ of the writer

  get transactionalId(): string | undefined {
    return this.#open?.transactionalId;
  }
  async producer(partitions: readonly number[]): Promise<Producer> {
    this.#isBeginning ||= this.#open === undefined;
    const open = await this.#opened().finally(() => (this.#isBeginning = false));
    this.#prepared ??= this.#prepare();
    if (open.has(partitions)) throw await this.#gone(open);
    if ((await this.#coordinator.add(open, partitions)) === 'gone') throw await this.#gone(open);
    open.add(partitions);
    return open.producer;
  }
  async #opened(): Promise<OpenTransaction> {
    await (this.#started ??= this.#start());
    if (this.#open) return this.#open;
    const topicId = await this.#topic.id();
    return (this.#open = new OpenTransaction(await this.#next(), topicId));
  }
  wrote(partition: number, offset: number, rows: number): void {
    this.#open?.wrote(partition, offset, rows);
  }
  refused(error: number): SluiceError | undefined {
    const open = this.#open;
    return open && error === 53 ? this.#coordinator.refused(open.transactionalId, error) : undefined;
  }
  get openRows(): number {
    return this.#open?.rows ?? 0;
  }
  checkTopic(): void {
    if (this.#open) this.#topic.check(this.#open);
  }
  /** A new topic does not know the producer either. */
  async #gone(open: OpenTransaction): Promise<SluiceError> {
    await this.#topic.checkNow(open);
    const { transactionalId, begunAt } = open;
    const { topic, timeoutMillis, prefix = this.#prefix } = this.#options;
    const isOld = Date.now() - begunAt >= timeoutMillis;
    return isOld ? timedOut(topic, transactionalId, timeoutMillis) : fenced(topic, transactionalId, prefix);
  }

  /** Asked for while the transaction before is open, so that rows need not wait. */
  async #next(): Promise<Prepared> {
    const prepared = await (this.#prepared ?? this.#prepare());
    this.#prepared = undefined;
    if (Date.now() - prepared.at < freshMillis) return prepared;
    const { transactionalId } = prepared;
    return { transactionalId, producer: await this.#coordinator.begin(transactionalId), at: Date.now() };
  }
  #prepare(): Promise<Prepared> {
    const prepared = this.#begin();
    // Whoever takes it hears of its failure.
    prepared.catch(() => undefined);
    return prepared;
  }
  async #begin(): Promise<Prepared> {
    const transactionalId = this.#ids.take((id) => idsAtWork.isHeldByOther(id, this));
    idsAtWork.hold(transactionalId, this);
    const producer = await this.#coordinator.begin(transactionalId);
    if (this.#used.has(transactionalId)) reach('after-init');
    this.#used.add(transactionalId);
    return { transactionalId, producer, at: Date.now() };
  }

  /** Aborts what a process that has died left open. */
  async #start(): Promise<void> {
    if (this.#hasFormer) this.#ids.know(await this.#abortAll(this.#ids));
    for (const prefix of this.#formerPrefixes) await this.#abortAll(new TransactionIds(prefix));
    this.#formerPrefixes = [];
  }
  /** Also without a row: the readers of the topic wait for what is open. */
  #tidy(): void {
    this.#isTidying = true;
    this.#started = this.#start();
    this.#started
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#context.fail(error);
      })
      .finally(() => {
        this.#isTidying = false;
        if (!this.#isClosed) this.#context.wake();
      });
  }
  /**
   * The ids are used from 0 on, so the first one that has never begun is the end of them. To begin
   * it would make one id more with each restart, so the coordinator is asked before.
   */
  async #abortAll(ids: TransactionIds): Promise<number> {
    const held: string[] = [];
    let size = 0;
    for (let isLast = false; !isLast; size++) {
      const id = ids.nameOf(size);
      if (this.#restored.has(id)) continue;
      if (idsAtWork.isHeldByOther(id, this)) held.push(id);
      else if ((await this.#coordinator.exists(id)) === false) break;
      else isLast = await this.#abort(id);
    }
    for (const id of held) if (idsAtWork.takeLeft(id)) await this.#abort(id);
    return size;
  }
  /** True: it has never begun before. */
  async #abort(id: string): Promise<boolean> {
    // Not held, another sink with this prefix might begin it meanwhile, and be fenced.
    idsAtWork.hold(id, this);
    const { epoch } = await this.#coordinator.begin(id);
    idsAtWork.release(id, this);
    if (epoch > 0) this.#used.add(id);
    return epoch === 0;
  }

  // ------------------------------------------------------------ of the sink

  get trouble(): Pick<OperatorStatus, 'waiting' | 'waitingSince'> {
    const { trouble } = this.#coordinator;
    return trouble ? { waiting: trouble.reason, waitingSince: trouble.since } : this.#pending.status();
  }
  get rowsLost(): number {
    return this.#topic.rowsLost;
  }
  /** Rows that the topic had, and that are nowhere now. */
  get inFlight(): number {
    return this.#topic.isAwaited ? this.openRows : 0;
  }
  get note(): string | undefined {
    return this.#topic.note;
  }
  get figures(): Pick<OperatorStatus, 'rowsCommitted' | 'uncommittedSince'> {
    const since = this.#pending.committables[0]?.begunAt ?? this.#open?.begunAt;
    return { rowsCommitted: this.#rowsCommitted, ...(since !== undefined && { uncommittedSince: since }) };
  }
  get hasUncommitted(): boolean {
    return this.#open !== undefined || this.#isBeginning || !this.#pending.isEmpty || this.#isTidying;
  }
  /** All rows are written. False: the topic is being looked at. */
  preCommit(checkpoint: number): boolean {
    const open = this.#open;
    if (open && !this.#topic.isLookedAt(open, this.#context)) return false;
    this.#ids.barrier(checkpoint);
    if (!open) return true;
    this.#open = undefined;
    this.#pending.add(checkpoint, open.committable());
    return true;
  }
  complete(checkpoint: number): void {
    this.#pending.complete(checkpoint);
    this.#ids.complete(checkpoint);
  }
  snapshot(writer: StateWriter): void {
    this.#pending.snapshot(writer);
    this.#ids.listed(this.#pending.committables.map(({ transactionalId }) => transactionalId));
    writer.value([this.#prefix, ...this.#formerPrefixes]);
  }
  restore(reader: StateReader): void {
    this.#pending.restore(reader);
    const listed = this.#pending.committables.map(({ transactionalId }) => transactionalId);
    const saved = reader.value() as string | readonly string[] | undefined;
    // Earlier versions wrote one text.
    if (saved !== undefined) this.#goOn(typeof saved === 'string' ? [saved] : saved);
    this.#restored = new Set(listed);
    for (const id of listed) {
      this.#ids.use(id);
      idsAtWork.hold(id, this);
    }
    this.#tidy();
  }

  /** The prefix that was drawn at the first start stays. One that is given counts. */
  #goOn(saved: readonly string[]): void {
    const [former = this.#prefix] = saved;
    if (this.#options.prefix === undefined) {
      this.#prefix = former;
      this.#hasFormer = true;
      this.#ids = new TransactionIds(former);
    }
    this.#formerPrefixes = saved.filter((prefix) => prefix !== this.#prefix);
  }

  async #commit(committable: Committable): Promise<void> {
    const { transactionalId, producer: id, epoch } = committable;
    const transaction = { transactionalId, producer: { id, epoch } };
    if ((await this.#coordinator.end(transaction, true)) === 'ended')
      return await this.#topic.committed(committable, this.#restored.has(transactionalId));
    // The id has gone on. It did so after this commit, or somebody has aborted the transaction.
    if ((await this.#coordinator.fateOf(committable)) === 'committed') return;
    const { topic, timeoutMillis, prefix = this.#prefix } = this.#options;
    throw expired(topic, committable, { prefix, timeoutMillis, now: Date.now() });
  }
  #committed({ transactionalId, rows }: Committable): void {
    this.#rowsCommitted += rows;
    this.#restored.delete(transactionalId);
    idsAtWork.release(transactionalId, this);
    this.#ids.committed(transactionalId);
  }

  /** What is pending stays: a checkpoint may have it. What is open is aborted. */
  close(written: Promise<void>): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#topic.close();
    this.#pending.close();
    void Promise.race([this.#leave(written), sleep(leaveMillis, undefined, { ref: false })])
      .catch(() => undefined)
      .finally(() => {
        this.#coordinator.close();
        this.#cluster.close();
        const finished = this.#pending.committables.map(({ transactionalId }) => transactionalId);
        idsAtWork.leave(this, new Set(finished));
      });
  }
  async #leave(written: Promise<void>): Promise<void> {
    await Promise.all([written, this.#committing?.catch(() => undefined), this.#started?.catch(() => undefined)]);
    const open = this.#open;
    if (!open) return;
    await this.#coordinator.end(open, false);
    idsAtWork.release(open.transactionalId, this);
  }
}
