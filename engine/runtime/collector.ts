// The output of a task: it collects the records of one call, tells the operator when to stop, and
// gives every reader the same immutable batch.
import type { Batch, Operator } from '../contract/operator.ts';
import type { SourceColumns, SourceOutput } from '../contract/source.ts';
import { type Channel, maxCapacity, type Mark } from './channel.ts';
import { CallBudget } from './call-budget.ts';
import { Port } from './port.ts';

export class Collector implements SourceOutput {
  /** Of the present call. */
  readonly budget = new CallBudget();
  readonly out = new Port();
  /**
   * The batch at work of a per-record operator. Partition and offset of record `head.at` go to the
   * records that it emits.
   */
  origin: Batch | undefined;
  head: Operator | undefined;
  recordsOut = 0;
  /** The part of `recordsOut` that no rate counts: see `Batch.isContent`. */
  contentOut = 0;
  /** What is emitted now comes from the present rows of a table. */
  isContent = false;
  lastWatermark = -Infinity;
  isIdle = false;
  finished = false;
  /** The operator has failed: nothing is emitted any more, and no end marker was sent. */
  hasFailed = false;
  /** Within a micro-batch a source emits no watermark. It emits one when the batch is in. */
  holdsTime = false;
  /** Of the readers below, in milliseconds: see engine/graph/time-margin.ts. */
  timeMargin = 0;
  readonly #side = new Map<string, Port>();
  #sideFull = false;

  get full(): boolean {
    return this.out.length >= this.out.limit || this.#sideFull || this.budget.isSpent;
  }
  emit(value: unknown, timestamp: number): void {
    const origin = this.origin;
    const at = this.head?.at;
    if (origin?.partitions && origin.offsets && at !== undefined)
      this.out.appendAt(value, timestamp, origin.partitions[at]!, origin.offsets[at]!);
    else this.out.append(value, timestamp);
  }
  emitAt(value: unknown, timestamp: number, partition: number, offset: number): void {
    this.out.appendAt(value, timestamp, partition, offset);
  }
  get room(): number {
    return this.out.limit - this.out.length;
  }
  get allowance(): number {
    return this.full ? 0 : Math.min(this.room, Math.max(1, this.budget.left));
  }
  prepare(records: number): SourceColumns {
    this.budget.left -= records - 1;
    this.out.prepare(records);
    this.out.hasOrigin = true;
    return this.out;
  }
  emitRun(
    values: readonly unknown[],
    from: number,
    to: number,
    timestamps: Float64Array,
    partition: number,
    offset: number,
  ): void {
    this.budget.left -= to - from;
    this.out.appendRun(values, from, to, timestamps, partition, offset);
  }
  emitTo(port: string, value: unknown, timestamp: number): void {
    const side = this.#side.get(port);
    if (!side || side.channels.length === 0) return;
    side.append(value, timestamp);
    if (side.length >= side.limit) this.#sideFull = true;
  }
  hasReader(port: string): boolean {
    return port === 'out' ? this.out.channels.length > 0 : (this.#side.get(port)?.channels.length ?? 0) > 0;
  }
  watermark(time: number): void {
    if (time <= this.lastWatermark && !(time === Infinity && this.lastWatermark < Infinity)) return;
    this.lastWatermark = time;
    this.mark({ kind: 'watermark', time });
  }
  idle(): void {
    if (this.isIdle) return;
    this.isIdle = true;
    this.mark({ kind: 'idle' });
  }
  active(): void {
    if (!this.isIdle) return;
    this.isIdle = false;
    this.mark({ kind: 'active' });
  }
  finish(): void {
    this.finished = true;
  }

  // ------------------------------------------------------------------ for the task

  /** Room for at least one record on every port? */
  get hasRoom(): boolean {
    if (this.out.room() <= 0) return false;
    for (const side of this.#side.values()) if (side.room() <= 0) return false;
    return true;
  }
  /** There is room and time for another call in the same turn. */
  get mayGoOn(): boolean {
    return this.out.length < this.out.limit && !this.#sideFull && !this.budget.isSpent;
  }
  /** For people: the readers without room, and how many records wait for them. */
  get fullReaders(): string {
    const full = this.channels().filter(({ room }) => room <= 0);
    return full.map(({ reader, records, capacity }) => `${reader} has ${records} of ${capacity} records`).join(', ');
  }
  /** Records that no reader can see yet. */
  get hasUnsent(): boolean {
    return this.out.length > 0;
  }
  /** A source runs while somebody reads it. */
  get hasReaders(): boolean {
    if (this.hasFailed) return false;
    return this.channels().some((channel) => !channel.closed);
  }
  /** Every reader of every port has gone. */
  get abandoned(): boolean {
    const channels = this.channels();
    return channels.length > 0 && channels.every((channel) => channel.closed);
  }
  /** `most`: the records that this call may emit. */
  begin(now: number, most = Infinity): void {
    this.budget.start(now);
    this.#sideFull = false;
    this.goOn(most);
  }
  /** Another call in the same turn. Records of the calls before it may not have been sent yet. */
  goOn(most = Infinity): void {
    this.out.limit = Math.min(this.out.room(), maxCapacity, most);
    for (const side of this.#side.values()) side.limit = side.room();
  }
  flush(): void {
    this.recordsOut += this.out.length;
    if (this.isContent) this.contentOut += this.out.length;
    this.out.flush(this.isContent);
    for (const side of this.#side.values()) side.flush(this.isContent);
  }
  /** A batch has content only, or none. */
  beginContent(isContent: boolean): void {
    if (isContent === this.isContent) return;
    this.flush();
    this.isContent = isContent;
  }
  /** Records before it, then the mark, to the readers of all ports. */
  mark(mark: Mark): void {
    this.flush();
    for (const channel of this.channels()) channel.pushMark(mark);
  }
  channels(): readonly Channel[] {
    if (this.#side.size === 0) return this.out.channels;
    return [...this.out.channels, ...[...this.#side.values()].flatMap((side) => side.channels)];
  }
  connect(byPort: ReadonlyMap<string, readonly Channel[]>): void {
    this.out.channels = byPort.get('out') ?? [];
    for (const side of this.#side.values()) side.channels = [];
    for (const [port, channels] of byPort) {
      if (port === 'out') continue;
      let side = this.#side.get(port);
      if (!side) this.#side.set(port, (side = new Port()));
      side.channels = channels;
    }
  }
}
