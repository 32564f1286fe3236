// A job whose threads crash, and its store of checkpoints. It runs in this thread, and a test
// decides what happens when. The outside of the job, the store and the ids outlive a crash.
import assert from 'node:assert/strict';
import { Builder } from '../../api/builder.ts';
import { makeSources } from '../../api/sources.ts';
import { ManualClock } from '../../contract/clock.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import { planOf } from '../../runtime/environment.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { mergeSnapshots, type TaskSnapshot } from '../../runtime/snapshot.ts';

type Parts = ReadonlyMap<string, TaskSnapshot>;
export interface StoredCheckpoint {
  readonly id: number;
  readonly parts: Parts;
}
export interface CheckpointStore {
  write(checkpoint: StoredCheckpoint): Promise<void>;
  /** What a process finds that starts after a crash. */
  reopened(): Promise<StoredCheckpoint | undefined>;
}
export class MemoryStore implements CheckpointStore {
  #stored: StoredCheckpoint | undefined;
  write(checkpoint: StoredCheckpoint): Promise<void> {
    this.#stored = checkpoint;
    return Promise.resolve();
  }
  reopened(): Promise<StoredCheckpoint | undefined> {
    return Promise.resolve(this.#stored);
  }
}

/** Declares the whole program, with its sinks. It is called once for each life. */
export type Declare = (sources: ReturnType<typeof makeSources>) => void;
export interface JobEvents {
  /** The job is about to hear that this checkpoint is durable. */
  onComplete?(checkpoint: number): void;
  /** The store has refused a checkpoint. */
  onRefused?(error: unknown): void;
  /** A life begins from this checkpoint; undefined: from the start. */
  onStart?(checkpoint: number | undefined): void;
}

export class CrashingJob {
  readonly errors: unknown[] = [];
  readonly clock = new ManualClock();
  restores = 0;
  hasEnded = false;
  isCommitted = true;
  readonly #declare: Declare;
  readonly #store: CheckpointStore;
  readonly #events: JobEvents;
  #runtime!: Runtime;
  #id = 0;
  /** As of the control thread: it outlives the executor. */
  #known: Parts = new Map();
  #taken: number | undefined;
  #isMemoryOnly = false;
  /** The last id that was written. */
  #stored: number | undefined;

  constructor(declare: Declare, store: CheckpointStore = new MemoryStore(), events: JobEvents = {}) {
    this.#declare = declare;
    this.#store = store;
    this.#events = events;
    this.#start();
  }
  #start(): void {
    const builder = new Builder({ group: '' });
    this.#declare(makeSources(builder, {}));
    const fragment = builder.fragment();
    this.hasEnded = false;
    this.isCommitted = true;
    this.#runtime = new Runtime({
      functions: fragment.functions,
      clock: this.clock,
      onFailure: ({ node, error }) => this.errors.push(new Error(`${node} failed`, { cause: error })),
      onEnded: () => {
        this.hasEnded = [...this.#runtime.tasks.values()].every(({ status }) => status === 'ended');
        this.isCommitted = !this.#runtime.hasUncommitted;
      },
      onCommitted: () => (this.isCommitted = true),
    });
    this.#taken = undefined;
    this.#events.onStart?.(this.#stored);
    const leaves = fragment.sinks.map(({ node }) => node);
    this.#runtime.mutate(planOf(fragment, leaves), { restore: this.#known, completed: this.#stored });
  }

  /** Records that wait in channels, half-consumed batches included. */
  get inFlight(): number {
    const slots = [...this.#runtime.tasks.values()].flatMap((task) => task.gate.slots);
    return slots.reduce((sum, { channel }) => sum + (channel?.records ?? 0), 0);
  }
  /** Rounds of all tasks, or of the first that has something to do. */
  rounds(count: number, isOne = false): void {
    for (let i = 0; i < count; i++)
      if (!this.#runtime.round(isOne ? 0 : Infinity)) this.clock.advanceTo(this.clock.now() + 50);
  }
  /** Promises that are due are answered. */
  async wait(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The checkpoint to which a transaction belongs that is finished now. */
  get barrier(): number {
    return this.#isMemoryOnly ? this.#id + 1 : this.#id;
  }
  /** `isMemoryOnly`: for a crash of the executor alone. */
  take(isMemoryOnly = false): void {
    if (this.#runtime.snapshotsInFlight > 0) return;
    this.#isMemoryOnly = isMemoryOnly;
    const checkpoint = isMemoryOnly ? undefined : ++this.#id;
    this.#runtime.snapshot((snapshot) => this.#gathered(snapshot), 'changes', { checkpoint });
  }
  #gathered({ tasks, declined, checkpoint }: Snapshot): void {
    assert.deepEqual(declined, []);
    this.#known = new Map([...tasks].map(([id, state]) => [id, mergeSnapshots(this.#known.get(id), state)]));
    if (checkpoint !== undefined) this.#taken = checkpoint;
  }
  /** Writes what is known; a crash may come before the job hears of it. */
  async store(tells: boolean): Promise<void> {
    const id = this.#taken;
    if (id === undefined) return;
    this.#taken = undefined;
    try {
      await this.#store.write({ id, parts: this.#known });
    } catch (error) {
      if (!this.#events.onRefused) throw error;
      this.#events.onRefused(error);
      return this.#runtime.aborted(id);
    }
    this.#stored = id;
    if (tells) this.tell();
  }
  /** The job hears of the last stored checkpoint, perhaps again. */
  tell(): void {
    if (this.#stored === undefined) return;
    this.#events.onComplete?.(this.#stored);
    this.#runtime.complete(this.#stored);
  }
  abort(): void {
    this.#runtime.aborted(this.#id);
    if (this.#taken === this.#id) this.#taken = undefined;
  }
  /** The executor alone, or all threads: then the store is what is left. */
  async crash(isAll: boolean): Promise<void> {
    this.#runtime.close();
    if (isAll) {
      const stored = await this.#store.reopened();
      assert.equal(stored?.id, this.#stored);
      this.#known = stored?.parts ?? new Map();
    }
    if (this.#known.size > 0) this.restores++;
    this.#start();
  }
  /** To the end of the input, and the last checkpoint. */
  async end(): Promise<void> {
    for (let i = 0; i < 2000 && !(this.hasEnded && this.isCommitted) && this.errors.length === 0; i++) {
      this.rounds(20);
      await this.wait();
      this.take();
      this.rounds(2);
      await this.store(true);
    }
    this.#runtime.close();
  }
}
