// The executor's part of a display: it takes rows as fast as they come and sends as many as a
// person can see. It conflates, it never queues.
//
// A frame goes to the control thread five times a second, with `limit` rows at most. The others are
// left out evenly: a full buffer drops every other row and from then on keeps every second one,
// then every fourth, until the frame is sent. In lossless mode (`sluice run --json`) every row is
// sent, as soon as the thread has a moment, and credit limits the rate.
import { createHash } from 'node:crypto';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../../engine/contract/operator.ts';
import { type Change, streamedChange } from '../../engine/tables/change.ts';
import { keyText } from '../../engine/state/key-text.ts';
import { maxTimestamp } from '../../engine/time/event-time.ts';
import { cutForDisplay, smallSize } from '../protocol/display-cut.ts';
import { keptBytes, sizeOf, withinBytes } from '../protocol/kept-rows.ts';
import { ChangedRows, type ChangedRowsState } from './changed-rows.ts';
import type { DisplayRow, OpenFrame } from './display-rows.ts';
import type { DisplayInstall, ExecutorEvent } from './executor-protocol.ts';
import type { OpenWindowsLook } from './open-windows.ts';
import type { RecordPlace } from './record.ts';
import { RefusedRows } from './refused-rows.ts';

/**
 * A little more than the four frames that are promised, so that a late frame is not missed.
 */
export const framesPerSecond = 5;

/** A burst may be as large as what comes in this time at the full rate. */
const burstSeconds = 2;

type Frame = Extract<ExecutorEvent, { kind: 'display-rows' }>;

/** A row in a window whose start lies before this has seen only a part of the window. */
export interface DisplayState {
  readonly total: number;
  readonly pending: readonly DisplayRow[];
  readonly partialBefore: number;
  readonly changed: ChangedRowsState;
}

export class DisplayOperator implements Operator {
  install: DisplayInstall | undefined;
  total = 0;
  watermark = -Infinity;
  finished = false;
  /**
   * Windows that began before this event time were already open when the display came to a live
   * source.
   */
  partialBefore = -Infinity;
  /** Rows that cannot leave the thread. */
  readonly refused = new RefusedRows();
  #rows: DisplayRow[] = [];
  readonly #changedRows = new ChangedRows();
  /** Size of the rows that were added since the last frame, or since large rows were dropped. */
  #pendingBytes = 0;
  #stride = 1;
  #credit = 0;
  #changed = true;
  #context: OperatorContext | undefined;
  readonly #onWaiting: () => void;
  /** Rows that may go beyond a frame's share. */
  #saved = Infinity;
  #countAtFrame = 0;
  /**
   * Present rows of a table since the last frame. They are not new, so the rate has none of them.
   */
  #contentInFrame = 0;
  #frameAt = performance.now();

  /** `onWaiting`: in lossless mode something waits for a frame, which may go at once. */
  constructor(onWaiting: () => void = () => undefined) {
    this.#onWaiting = onWaiting;
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { lossless, limit } = this.#bounds();
    let i = from;
    for (; i < batch.length; i++) {
      if (lossless && this.#rows.length >= this.#credit) break;
      this.total++;
      if (!this.install) continue;
      if (this.install.changes !== undefined) {
        this.#change(batch.values[i] as Change, batch.timestamps[i]!, lossless);
        continue;
      }
      if (this.total % this.#stride !== 0) continue;
      if (this.refused.refuses(batch.values[i], lossless ? 'text' : 'display', placeIn(batch, i))) continue;
      const row = this.#row(batch, i, lossless);
      this.#rows.push(row);
      if (lossless) continue;
      this.#pendingBytes += row.size ?? 0;
      if (this.#rows.length >= 2 * limit) this.#thin();
      if (this.#pendingBytes > 2 * keptBytes) this.#dropLarge();
    }
    if (batch.isContent) this.#contentInFrame += i - from;
    this.#changed = true;
    if (lossless && this.#rows.length > 0) this.#onWaiting();
    return i;
  }
  advance(watermark: number): boolean {
    this.watermark = watermark;
    this.#changed = true;
    return true;
  }
  end(): boolean {
    this.finished = true;
    this.#changed = true;
    if (this.isLossless) this.#onWaiting();
    return true;
  }
  /** Every row is sent. */
  get isLossless(): boolean {
    return this.#bounds().lossless;
  }
  /** Lossless: this many rows more may be sent. */
  credit(rows: number): void {
    this.#credit += rows;
    this.#context?.wake();
  }

  /**
   * What has come since the last frame; undefined when nothing has. `look`: open windows that have
   * changed.
   */
  frame(now: number, look?: OpenWindowsLook): Frame | undefined {
    if (!this.install || !(this.#changed || look)) return undefined;
    const { display, instance, installed } = this.install;
    const { lossless, limit } = this.#bounds();
    const arrived = this.total - this.#countAtFrame;
    const elapsed = Math.max(1, now - this.#frameAt);
    // The newest are what a table shows; a chart gets them evenly.
    const ofTable = this.install.changes !== undefined && !lossless;
    const rows = ofTable ? this.#changedRows.take() : lossless ? this.#rows : withinBytes(this.#rows.slice(-limit));
    const sampled = lossless || ofTable || rows.length === 0 ? 1 : Math.max(1, Math.round(arrived / rows.length));
    this.#spend(rows.length, elapsed);
    const rate = (Math.max(0, arrived - this.#contentInFrame) * 1000) / elapsed;
    this.#contentInFrame = 0;
    this.#rows = [];
    this.#pendingBytes = 0;
    this.#stride = 1;
    this.#credit -= lossless ? rows.length : 0;
    this.#countAtFrame = this.total;
    this.#frameAt = now;
    // A rate that has come to rest is said once more.
    this.#changed = arrived > 0;
    return {
      kind: 'display-rows',
      display,
      instance,
      installed,
      rows,
      rate,
      sampled,
      total: this.total,
      ...(this.watermark > -Infinity && { watermark: this.watermark }),
      finished: this.finished,
      ...(look && { open: this.#openFrame(look) }),
    };
  }
  #openFrame({ results, closesInMillis, isCut }: OpenWindowsLook): OpenFrame {
    const rows = results.map(({ value, start, end }, index): DisplayRow => {
      const partial = this.#isPartial(start);
      return { n: index + 1, timestamp: end - 1, ...shown(value), ...(partial && { partial }) };
    });
    return { rows, ...(closesInMillis !== undefined && { closesInMillis }), ...(isCut && { isCut }) };
  }
  /**
   * A global window has the least Date as its start, also in a late display. Like a rolling
   * aggregate it holds the elements since then.
   */
  #isPartial(windowStart: number): boolean {
    return windowStart < this.partialBefore && windowStart > -maxTimestamp;
  }

  snapshot(writer: StateWriter): void {
    const { total, partialBefore } = this;
    const changed = this.#changedRows.save();
    writer.value({ total, pending: this.#rows, partialBefore, changed } satisfies DisplayState);
  }
  restore(reader: StateReader): void {
    const state = reader.value() as DisplayState | undefined;
    if (!state) return;
    this.total = state.total;
    this.#countAtFrame = state.total;
    this.#rows = [...state.pending];
    this.partialBefore = state.partialBefore;
    this.#changedRows.restore(state.changed);
  }
  status(): OperatorStatus {
    return { entries: 0 };
  }

  /**
   * Rows of the present frame. Without a limit every row is sent. A share that was not used lately
   * may be used at once, so a file that is read in a moment is shown whole.
   */
  #bounds(): { lossless: boolean; limit: number } {
    const perSecond = this.install?.perSecond;
    if (perSecond === undefined) return { lossless: this.install !== undefined, limit: Infinity };
    return {
      lossless: false,
      limit: Math.max(
        1,
        Math.ceil(perSecond / framesPerSecond),
        Math.floor(Math.min(this.#saved, burstSeconds * perSecond)),
      ),
    };
  }
  /** Called when a frame goes out. */
  #spend(rows: number, elapsedMillis: number): void {
    const perSecond = this.install?.perSecond ?? 0;
    this.#saved = Math.min(
      burstSeconds * perSecond,
      Math.max(0, this.#saved - rows) + (elapsedMillis / 1000) * perSecond,
    );
  }

  /**
   * On screen a row replaces its former row. In JSON lines every change is a line, as toStream()
   * gives it.
   */
  #change(change: Change, timestamp: number, lossless: boolean): void {
    const value = streamedChange(change);
    if (value === undefined) {
      this.total--;
      return;
    }
    if (lossless) {
      if (!this.refused.refuses(value.row, 'text') && !this.refused.refuses(value.former, 'text'))
        this.#rows.push({ n: this.total, timestamp, value });
      return;
    }
    const { key, row } = change;
    this.#changedRows.limit = this.install!.changes!;
    // A row that is refused removes the older row of its key from the screen.
    const gone = row === undefined || this.refused.refuses(row, 'display');
    const text = keyText(key);
    const shownKey = text.length > smallSize ? [createHash('sha256').update(text).digest('base64')] : key;
    this.#changedRows.put(text, {
      n: this.total,
      timestamp,
      ...shown(gone ? undefined : row),
      key: shownKey,
      ...(gone && { gone }),
    });
  }
  #row(batch: Batch, i: number, lossless: boolean): DisplayRow {
    const value = batch.values[i];
    const start =
      value !== null && typeof value === 'object' ? (value as { windowStart?: unknown }).windowStart : undefined;
    const partial = start instanceof Date && this.#isPartial(start.getTime());
    return {
      n: this.total,
      timestamp: batch.timestamps[i]!,
      ...(lossless ? { value } : shown(value)),
      ...placeIn(batch, i),
      ...(partial && { partial }),
    };
  }
  /** More rows than the display would keep do not wait for a frame. */
  #dropLarge(): void {
    this.#rows = [...withinBytes(this.#rows)];
    this.#pendingBytes = sizeOf(this.#rows);
  }
  #thin(): void {
    if (this.install?.newest) {
      this.#rows = this.#rows.slice(-this.#rows.length / 2);
      return;
    }
    this.#rows = this.#rows.filter((_, index) => index % 2 === 1);
    this.#stride *= 2;
  }
}

function placeIn({ partitions, offsets }: Batch, i: number): RecordPlace {
  return partitions && offsets && offsets[i]! >= 0 ? { partition: partitions[i]!, offset: offsets[i]! } : {};
}

/**
 * A row as a display shows it. The snapshot of a huge row would not fit into memory several times.
 */
function shown(element: unknown): Pick<DisplayRow, 'value' | 'size'> {
  const { value, size } = cutForDisplay(element);
  return size > smallSize ? { value, size } : { value };
}
