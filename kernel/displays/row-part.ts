// A table or a chart under a cell: the rows that it keeps, the rows since the last frame, and the
// caption with the watermark.
import type { DisplayRow, ExecutorEvent } from '../executor/executor-protocol.ts';
import type { Caption, ChartPart, Part, PartChange, TablePart, Wire, WireRow } from '../protocol/displays.ts';
import { keepRows, keptBytes, sizeOf } from '../protocol/kept-rows.ts';
import { cannotBeShown, toWire } from '../protocol/values.ts';
import type { SavedRows } from '../session/state.ts';
import type { RowLayout } from './layout.ts';

type Frame = Extract<ExecutorEvent, { kind: 'display-rows' }>;

export class RowPart {
  readonly id: string;
  readonly display: string;
  readonly installed: number;
  readonly layout: RowLayout;
  #rows: readonly WireRow[] = [];
  /** Rows of a table that were deleted since the last frame. */
  #gone: readonly WireRow[] = [];
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
  #firstRow: Readonly<Record<string, unknown>> | undefined;
  #spec: Readonly<Record<string, unknown>>;
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
    part.#rate = this.#rate;
    part.#sampled = this.#sampled;
    part.#total = this.#total;
    part.#watermark = this.#watermark;
    part.#lastWindow = this.#lastWindow;
    part.#finished = this.#finished;
    part.#dropsLarge = this.#dropsLarge;
    part.#reason = this.#reason;
    part.#firstRow = this.#firstRow;
    part.#spec = spec;
    return part;
  }

  add(frame: Frame): void {
    const first = frame.rows.find(({ gone }) => !gone);
    if (!this.#firstRow && first) {
      this.#firstRow = asFields(first.value);
      this.#spec = this.layout.spec(this.#firstRow);
      this.#isNew ||= this.layout.kind === 'chart';
    }
    const arrived = frame.rows.map((row) => this.#toWire(row));
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

  /** Sets the reason why no rows arrive, or undefined if there is none. */
  explain(reason: Caption['pieces'] | undefined): void {
    const caption = reason && { pieces: reason, waiting: true };
    if (JSON.stringify(caption) === JSON.stringify(this.#reason)) return;
    this.#reason = caption;
    this.#changed = true;
  }

  /** The whole part for clients that do not have it, or the rows since the last frame. */
  takeChange(at: number): PartChange | undefined {
    const { id } = this;
    const rows = [...this.#rows, ...this.#gone].filter(({ n }) => n > this.#sentTo);
    const isNew = this.#isNew;
    if (!isNew && !this.#changed) return undefined;
    this.forgetChanges();
    if (isNew) return { kind: 'put', part: this.part(), at };
    return { kind: 'rows', id, rows, ...this.#figures() };
  }
  get hasChanged(): boolean {
    return this.#isNew || this.#changed;
  }
  forgetChanges(): void {
    for (const { n } of [...this.#rows, ...this.#gone]) if (n > this.#sentTo) this.#sentTo = n;
    this.#gone = [];
    this.#isNew = false;
    this.#changed = false;
  }

  part(): Part {
    const { id } = this;
    const { kind, title, limit, lastMillis } = this.layout;
    const common = { id, title, limit, rows: this.#rows, ...this.#figures() };
    return kind === 'table'
      ? ({ kind, ...common } satisfies TablePart)
      : ({ kind, ...common, lastMillis, spec: this.#spec } satisfies ChartPart);
  }
  get rows(): readonly WireRow[] {
    return this.#rows;
  }

  save(): SavedRows {
    return { installed: this.installed, rows: this.#rows, total: this.#total };
  }
  /** Restores the rows as of a snapshot; undefined removes all rows. */
  rewind(saved: SavedRows | undefined): void {
    this.#rows = saved?.rows ?? [];
    this.#total = saved?.total ?? 0;
    this.#gone = [];
    this.#sentTo = 0;
    this.#finished = false;
    this.#dropsLarge = false;
    this.#isNew = true;
  }

  #figures(): Pick<TablePart, 'rate' | 'sampled' | 'total' | 'caption'> {
    return { rate: this.#rate, sampled: this.#sampled, total: this.#total, caption: this.#caption() };
  }

  #caption(): Caption {
    if (this.#reason) return this.#reason;
    const pieces: (string | { readonly time: number })[] = [];
    if (this.#lastWindow !== undefined) pieces.push('windows to ', { time: this.#lastWindow });
    if (this.#watermark !== undefined && Number.isFinite(this.#watermark))
      pieces.push(pieces.length > 0 ? ' · watermark ' : 'watermark ', { time: this.#watermark });
    if (this.#finished) pieces.push(pieces.length > 0 ? ' · finished' : 'finished');
    if (this.#dropsLarge) {
      const cut = `showing the newest ${this.#rows.length}, because the rows are large`;
      pieces.push(pieces.length > 0 ? ` · ${cut}` : cut);
    }
    return { pieces, waiting: false };
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
