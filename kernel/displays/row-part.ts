// A table or a chart under a cell: the rows that it keeps, the rows since the last frame, and the
// caption with the watermark.
import type { DisplayRow, OpenFrame } from '../executor/display-rows.ts';
import type { ExecutorEvent } from '../executor/executor-protocol.ts';
import type {
  Caption,
  ChartPart,
  Part,
  PartChange,
  RestartMark,
  TablePart,
  Wire,
  WireRow,
} from '../protocol/displays.ts';
import { duration } from '../protocol/figures.ts';
import { keepRows, keptBytes, sizeOf } from '../protocol/kept-rows.ts';
import { cannotBeShown, toWire } from '../protocol/values.ts';
import type { SavedRows } from '../session/state.ts';
import type { RowLayout } from './layout.ts';

/** Marks of restarts that a part keeps. */
const keptMarks = 10;

type Frame = Extract<ExecutorEvent, { kind: 'display-rows' }>;

/** Why no rows arrive. `isOver`: none will, until something runs again. */
export interface Reason {
  readonly pieces: Caption['pieces'];
  readonly isOver?: boolean;
  /** Beside the usual caption: it is no reason to wait. */
  readonly isNote?: boolean;
}

export class RowPart {
  readonly id: string;
  readonly display: string;
  readonly installed: number;
  readonly layout: RowLayout;
  #rows: readonly WireRow[] = [];
  /** Rows of a table that were deleted since the last frame. */
  #gone: readonly WireRow[] = [];
  /** Rows of windows that are still open. */
  #open: readonly WireRow[] = [];
  #openChanged = false;
  #closesInMillis: number | undefined;
  /** The open windows have more rows than `#open`. */
  #isOpenCut = false;
  /** Number of the last row that was sent in a frame. */
  #sentTo = 0;
  #rate = 0;
  #sampled = 1;
  #total = 0;
  #watermark: number | undefined;
  #lastWindow: number | undefined;
  #finished = false;
  /** Fewer rows than the limit are kept, because rows are large. */
  #dropsLarge = false;
  #reason: Caption | undefined;
  #isOver = false;
  #isFormer = false;
  #firstRow: Readonly<Record<string, unknown>> | undefined;
  #spec: Readonly<Record<string, unknown>>;
  #restarts: readonly RestartMark[] = [];
  /** The last restart, until a row has come after it. */
  #restarted: RestartMark | undefined;
  #isNew = true;
  #changed = false;

  constructor(id: string, display: string, installed: number, layout: RowLayout) {
    this.id = id;
    this.display = display;
    this.installed = installed;
    this.layout = layout;
    this.#spec = layout.spec(undefined);
  }

  /**
   * For the same stream after a re-run of its cell: the rows stay, title and spec come from the new
   * run.
   */
  withLayout(layout: RowLayout): RowPart {
    const spec = layout.spec(this.#firstRow);
    if (JSON.stringify([layout, spec]) === JSON.stringify([this.layout, this.#spec])) return this;
    const part = new RowPart(this.id, this.display, this.installed, layout);
    part.#rows = keepRows([], this.#rows, layout);
    part.#open = this.#open;
    part.#closesInMillis = this.#closesInMillis;
    part.#isOpenCut = this.#isOpenCut;
    part.#rate = this.#rate;
    part.#sampled = this.#sampled;
    part.#total = this.#total;
    part.#watermark = this.#watermark;
    part.#lastWindow = this.#lastWindow;
    part.#finished = this.#finished;
    part.#dropsLarge = this.#dropsLarge;
    part.#reason = this.#reason;
    part.#isOver = this.#isOver;
    part.#firstRow = this.#firstRow;
    part.#restarts = this.#restarts;
    part.#restarted = this.#restarted;
    part.#spec = spec;
    return part;
  }

  add(frame: Frame): void {
    const first = frame.rows.find(({ gone }) => !gone) ?? frame.open?.rows[0];
    if (frame.open) this.#setOpen(frame.open);
    if (!this.#firstRow && first) {
      this.#firstRow = asFields(first.value);
      this.#spec = this.layout.spec(this.#firstRow);
      this.#isNew ||= this.layout.kind === 'chart';
    }
    const arrived = frame.rows.map((row) => this.#toWire(row));
    this.#mark(arrived);
    const bytes = sizeOf(this.#rows) + sizeOf(arrived);
    this.#rows = keepRows(this.#rows, arrived, this.layout);
    if (arrived.length > 0) this.#dropsLarge = bytes > keptBytes && this.#rows.length < this.layout.limit;
    // Clients that show a deleted row must get its deletion, unless the row has been inserted
    // again.
    const gone = arrived.filter((row) => row.gone);
    if (gone.length > 0 || this.#gone.length > 0) {
      const keys = new Set(arrived.map(({ key }) => key));
      this.#gone = [...this.#gone.filter(({ key }) => !keys.has(key)), ...gone];
    }
    this.#rate = frame.rate;
    this.#sampled = frame.sampled;
    this.#total = frame.total;
    this.#watermark = frame.watermark ?? this.#watermark;
    this.#finished = frame.finished;
    this.#changed = true;
  }

  #setOpen({ rows, closesInMillis, isCut = false }: OpenFrame): void {
    this.#open = rows.map(({ n, timestamp: t, value, size, partial }) => ({
      ...{ n, t, value: wireOf(value), open: true },
      ...(size !== undefined && { size }),
      ...(partial && { partial }),
    }));
    this.#openChanged = true;
    this.#closesInMillis = closesInMillis;
    this.#isOpenCut = isCut;
  }

  /** The mark of a restart stands at the first row after it. */
  #mark(arrived: readonly WireRow[]): void {
    const row = arrived.find(({ gone }) => !gone);
    if (!this.#restarted || !row) return;
    const mark = { ...this.#restarted, ...(row.size === undefined && { row }) };
    this.#restarts = [...this.#restarts, mark].slice(-keptMarks);
    this.#restarted = undefined;
    // A frame of rows has no marks.
    this.#isNew ||= this.layout.kind === 'chart';
  }

  /** Sets the reason why no rows arrive, or undefined if there is none. */
  explain(reason: Reason | undefined): void {
    const caption = reason && { pieces: reason.pieces, waiting: reason.isNote !== true };
    this.#isOver = reason?.isOver === true;
    if (this.#isOver) this.#rate = 0;
    if (JSON.stringify(caption) === JSON.stringify(this.#reason)) return;
    this.#reason = caption;
    this.#changed = true;
  }

  /** No row has come, and none will, so it is not shown. When it is shown again, it is new. */
  hidesAsEmpty(): boolean {
    const hides = this.#isOver && this.#total === 0 && this.#rows.length === 0;
    if (hides) this.#isNew = true;
    return hides;
  }
  /** The last run of its cell failed, and the rows are those of the run before. */
  set isFormer(isFormer: boolean) {
    if (isFormer === this.#isFormer) return;
    this.#isFormer = isFormer;
    this.#isNew = true;
  }

  /** The whole part for clients that do not have it, or the rows since the last frame. */
  takeChange(at: number): PartChange | undefined {
    const { id } = this;
    const rows = [...this.#rows, ...this.#gone].filter(({ n }) => n > this.#sentTo);
    const open = this.#openChanged ? this.#open : undefined;
    const isNew = this.#isNew;
    if (!isNew && !this.#changed) return undefined;
    this.forgetChanges();
    if (isNew) return { kind: 'put', part: this.part(), at };
    return { kind: 'rows', id, rows, ...(open && { open }), ...this.#figures() };
  }
  get hasChanged(): boolean {
    return this.#isNew || this.#changed;
  }
  forgetChanges(): void {
    for (const { n } of [...this.#rows, ...this.#gone]) if (n > this.#sentTo) this.#sentTo = n;
    this.#gone = [];
    this.#isNew = false;
    this.#changed = false;
    this.#openChanged = false;
  }

  part(): Part {
    const { id } = this;
    const { kind, limit, lastMillis } = this.layout;
    const title = this.#isFormer ? `${this.layout.title} · former version` : this.layout.title;
    const open = this.#open.length > 0 && { open: this.#open };
    const common = { id, title, limit, rows: this.#rows, ...open, ...this.#figures() };
    return kind === 'table'
      ? ({ kind, ...common } satisfies TablePart)
      : ({ kind, ...common, lastMillis, spec: this.#spec, ...this.#marks() } satisfies ChartPart);
  }
  get rows(): readonly WireRow[] {
    return this.#rows;
  }

  save(): SavedRows {
    return { installed: this.installed, rows: this.#rows, total: this.#total, ...this.#marks() };
  }
  #marks(): { readonly restarts?: readonly RestartMark[] } {
    return this.#restarts.length > 0 ? { restarts: this.#restarts } : {};
  }
  /** Restores the rows as of a snapshot; undefined removes all rows. */
  rewind(saved: SavedRows | undefined, restart: RestartMark): void {
    this.#restarts = saved?.restarts ?? [];
    // A display that had no rows has nothing that went on.
    this.#restarted = saved && saved.total > 0 ? restart : undefined;
    this.#rows = saved?.rows ?? [];
    this.#total = saved?.total ?? 0;
    this.#gone = [];
    this.#open = [];
    this.#closesInMillis = undefined;
    this.#sentTo = 0;
    this.#finished = false;
    this.#dropsLarge = false;
    this.#isNew = true;
  }

  #figures(): Pick<TablePart, 'rate' | 'sampled' | 'total' | 'caption'> {
    return { rate: this.#rate, sampled: this.#sampled, total: this.#total, caption: this.#caption() };
  }

  #caption(): Caption {
    const closing = this.#closing();
    if (this.#reason?.waiting)
      return { pieces: [...this.#reason.pieces, ...closing.map((text) => ` · ${text}`)], waiting: true };
    const pieces: (string | { readonly time: number })[] = [...(this.#reason?.pieces ?? [])];
    if (this.#lastWindow !== undefined)
      pieces.push(pieces.length > 0 ? ' · windows to ' : 'windows to ', { time: this.#lastWindow });
    if (this.#watermark !== undefined && Number.isFinite(this.#watermark))
      pieces.push(pieces.length > 0 ? ' · watermark ' : 'watermark ', { time: this.#watermark });
    for (const text of closing) pieces.push(pieces.length > 0 ? ` · ${text}` : text);
    if (this.#finished) pieces.push(pieces.length > 0 ? ' · finished' : 'finished');
    const restarted = this.#restarted ?? this.#restarts.at(-1);
    if (restarted) pieces.push(pieces.length > 0 ? ' · restarted ' : 'restarted ', { time: restarted.at });
    if (this.#dropsLarge) {
      const cut = `showing the newest ${this.#rows.length}, because the rows are large`;
      pieces.push(pieces.length > 0 ? ` · ${cut}` : cut);
    }
    return { pieces, waiting: false };
  }

  #closing(): readonly string[] {
    if (this.#open.length === 0) return [];
    const millis = this.#closesInMillis;
    const closing =
      millis === undefined
        ? 'lighter: windows that are still open'
        : `the next open window closes in ${millis < 1000 ? '< 1 s' : `≈ ${duration(millis)}`}`;
    return this.#isOpenCut
      ? [closing, `showing the first ${this.#open.length} of the rows of open windows`]
      : [closing];
  }

  #toWire(row: DisplayRow): WireRow {
    const fields = asFields(row.value);
    const end = fields['windowEnd'];
    if (end instanceof Date && end.getTime() > (this.#lastWindow ?? -Infinity)) this.#lastWindow = end.getTime();
    const { n, timestamp: t, partition, offset, partial, gone } = row;
    const { value, size } = row;
    const wire: WireRow = { n, t, value: wireOf(value), ...(size !== undefined && { size }) };
    if (row.key) return { ...wire, key: JSON.stringify(toWire(row.key)), ...(gone && { value: null, gone }) };
    const { key } = this.layout;
    return {
      ...wire,
      ...(key && { key: rowKey(key, fields) }),
      ...(partition !== undefined && { partition }),
      ...(offset !== undefined && { offset }),
      ...(partial && { partial }),
    };
  }
}

/** A row that cannot be encoded spoils no other row. */
function wireOf(value: unknown): Wire {
  try {
    return toWire(value);
  } catch (error) {
    return cannotBeShown(error);
  }
}

/** Rows with the same key and window replace each other. */
function rowKey(key: readonly string[], fields: Readonly<Record<string, unknown>>): string {
  const names = [
    ...key,
    ...['windowStart', 'windowEnd'].filter((name) => Object.hasOwn(fields, name) && !key.includes(name)),
  ];
  return JSON.stringify(names.map((name) => (Object.hasOwn(fields, name) ? toWire(fields[name]) : undefined) ?? null));
}

function asFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
