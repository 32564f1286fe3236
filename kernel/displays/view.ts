// The parts shown under one cell, in order, and the messages that bring a client from the state it
// last saw to the current one.
//
// `seq` grows by one per frame. While a client watches, each frame makes a delta, and the last
// deltas are remembered. While no client watches, no deltas are made. Then the next hello finds a
// gap and gets a snapshot.
import { keptBytes, sizeOf } from '../protocol/kept-rows.ts';
import type { Part, PartChange, ViewDelta, ViewHello, ViewSnapshot } from '../protocol/displays.ts';

/** A part of a view. It knows its own changes since the last frame. */
export interface LivePart {
  readonly id: string;
  readonly hasChanged: boolean;
  part(): Part;
  takeChange(at: number): PartChange | undefined;
  forgetChanges(): void;
}

const rememberedFrames = 20;

export class View {
  readonly cell: string;
  #epoch: string;
  #seq = 0;
  #parts: readonly LivePart[] = [];
  #removed: string[] = [];
  #history: ViewDelta[] = [];
  #historyBytes = 0;
  /** Last `seq` sent to each client. */
  readonly #cursors = new Map<string, number>();

  constructor(cell: string, epoch: string) {
    this.cell = cell;
    this.#epoch = epoch;
  }

  get parts(): readonly LivePart[] {
    return this.#parts;
  }
  get isWatched(): boolean {
    return this.#cursors.size > 0;
  }
  /** Its `seq` has begun to count. */
  get hasShown(): boolean {
    return this.#seq > 0 || this.hasChanged;
  }
  get hasChanged(): boolean {
    return this.#removed.length > 0 || this.#parts.some((part) => part.hasChanged);
  }

  /**
   * The same object means the same part. A new object with an old id replaces the part of that id.
   */
  setParts(parts: readonly LivePart[]): void {
    const ids = new Set(parts.map(({ id }) => id));
    this.#removed = [...this.#removed, ...this.#parts.map(({ id }) => id)].filter((id) => !ids.has(id));
    this.#parts = parts;
  }

  /** Invalidates everything sent so far, because rows were taken back. */
  beginEpoch(epoch: string): void {
    this.#epoch = epoch;
    this.#seq = 0;
    this.#forgetHistory();
    for (const client of this.#cursors.keys()) this.#cursors.set(client, -1);
  }

  /**
   * Starts watching for the client and returns its first messages: none, the deltas it lacks, or a
   * snapshot.
   */
  hello(client: string, { epoch, lastSeq }: ViewHello): readonly (ViewSnapshot | ViewDelta)[] {
    this.#advance();
    this.#cursors.set(client, this.#seq);
    const missing = epoch === this.#epoch && lastSeq !== undefined ? this.#since(lastSeq) : undefined;
    return missing ?? [this.#snapshot()];
  }
  hide(client: string): void {
    this.#cursors.delete(client);
    if (!this.isWatched) this.#forgetHistory();
  }

  /**
   * Makes one frame: the messages for each client that is ready. Other clients are behind and get
   * theirs with a later frame.
   */
  frame(isReady: (client: string) => boolean): {
    readonly messages: readonly (readonly [client: string, message: ViewSnapshot | ViewDelta])[];
    readonly isBehind: boolean;
  } {
    this.#advance();
    const messages: (readonly [string, ViewSnapshot | ViewDelta])[] = [];
    let isBehind = false;
    for (const [client, seen] of this.#cursors) {
      if (seen === this.#seq) continue;
      if (!isReady(client)) {
        isBehind = true;
        continue;
      }
      for (const message of this.#since(seen) ?? [this.#snapshot()]) messages.push([client, message]);
      this.#cursors.set(client, this.#seq);
    }
    return { messages, isBehind };
  }

  #advance(): void {
    if (!this.hasChanged) return;
    this.#seq++;
    if (!this.isWatched) {
      for (const part of this.#parts) part.forgetChanges();
      this.#removed = [];
      return;
    }
    const changes: PartChange[] = this.#removed.map((id) => ({ kind: 'remove', id }));
    this.#removed = [];
    for (const [at, part] of this.#parts.entries()) {
      const change = part.takeChange(at);
      if (change) changes.push(change);
    }
    this.#history.push({ type: 'delta', view: this.cell, epoch: this.#epoch, seq: this.#seq, changes });
    this.#historyBytes += sizeOfChanges(changes);
    while (this.#history.length > rememberedFrames || (this.#historyBytes > keptBytes && this.#history.length > 1))
      this.#historyBytes -= sizeOfChanges(this.#history.shift()?.changes ?? []);
  }

  #forgetHistory(): void {
    this.#history = [];
    this.#historyBytes = 0;
  }
  #since(seq: number): readonly ViewDelta[] | undefined {
    if (seq === this.#seq) return [];
    const first = this.#history[0];
    if (!first || seq < first.seq - 1 || seq > this.#seq) return undefined;
    return this.#history.filter((delta) => delta.seq > seq);
  }
  #snapshot(): ViewSnapshot {
    const parts = this.#parts.map((part) => part.part());
    return { type: 'snapshot', view: this.cell, epoch: this.#epoch, seq: this.#seq, parts };
  }
}

function sizeOfChanges(changes: readonly PartChange[]): number {
  return changes.reduce((sum, change) => {
    if (change.kind === 'rows') return sum + sizeOf(change.rows) + sizeOf(change.open ?? []);
    return change.kind === 'put' && 'rows' in change.part ? sum + sizeOf(change.part.rows) : sum;
  }, 0);
}
