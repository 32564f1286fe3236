// The records of a file, in the order of its lines. With `speed` it is replayed by event time: a
// record is emitted when (its timestamp − the first timestamp) / speed has passed since the first
// opening. A record that is behind is emitted at once. A record never passes an earlier one.
import { basename } from 'node:path';
import type { FunctionTable, NodeOf } from '../graph/plan.ts';
import type { StateReader, StateWriter } from '../contract/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../contract/source.ts';
import { compileEventTime, type EventTimeOrProblem } from '../time/event-time.ts';
import { SourceTime, type SourceTimeState } from '../time/source-time.ts';
import type { AlignmentGroups } from '../time/watermark-alignment.ts';
import type { FilePosition } from './file-records.ts';
import { CsvColumns, type SavedColumns } from './csv-columns.ts';
import type { FileRow, FileRows } from './file-row.ts';
import { type FileReading, openRows } from './file-rows.ts';
import { FollowedRows } from './followed-rows.ts';
import { RateAllowance } from '../time/rate-allowance.ts';
import { RejectedRecords, type RejectedState } from './rejected-records.ts';
import { compileSchema } from '../values/standard-schema.ts';
import type { SourceStarts } from './source-starts.ts';

/** The longest time until an appended record is seen. */
const lookEveryMillis = 200;

/** Of the file. An instance without it reads nothing. */
interface SavedFile {
  readonly position: FilePosition;
  /** The types of a CSV file's columns. */
  readonly columns?: SavedColumns;
  readonly ended: boolean;
  /** The start of the replay; undefined until the first record with a timestamp. */
  readonly start?: number;
  readonly first?: number;
  readonly time: SourceTimeState;
}
interface Saved {
  readonly emitted: number;
  readonly rejected: RejectedState;
  /** Places of a followed file where rows may be missing. */
  readonly gaps?: Gaps;
  readonly opened: number;
}

interface Gaps {
  readonly count: number;
  readonly last: string;
}

export function createFileSource(
  node: NodeOf<'file'>,
  functions: FunctionTable,
  starts: SourceStarts,
  alignment: AlignmentGroups,
): Source {
  return new FileSource(node, functions, starts, alignment);
}

class FileSource implements Source {
  readonly #node: NodeOf<'file'>;
  readonly #parameters: NodeOf<'file'>['parameters'];
  readonly #starts: SourceStarts;
  readonly #alignment: AlignmentGroups;
  readonly #allowance: RateAllowance | undefined;
  readonly #timestampOf: EventTimeOrProblem | undefined;
  readonly #validate: ReturnType<typeof compileSchema> | undefined;
  #context!: SourceContext;
  #time!: SourceTime;
  #rejected!: RejectedRecords;
  #columns: CsvColumns;
  #rows: FileRows | FollowedRows | undefined;
  #position: FilePosition = { byte: 0, lines: 0 };
  /** A record that was read, but is not due yet, or waits for the rate. */
  #held: FileRow | undefined;
  #start: number | undefined;
  #first: number | undefined;
  #hasJoined = false;
  #ended = false;
  #emitted = 0;
  #gaps: Gaps | undefined;
  #opened = 0;
  /** Another instance has what there is to read. */
  #isElsewhere = false;

  constructor(node: NodeOf<'file'>, functions: FunctionTable, starts: SourceStarts, alignment: AlignmentGroups) {
    this.#alignment = alignment;
    this.#node = node;
    this.#starts = starts;
    this.#parameters = node.parameters;
    const { timestamp, schema, csv, integers, rate } = this.#parameters;
    this.#allowance = rate === undefined ? undefined : new RateAllowance(rate);
    this.#columns = new CsvColumns(csv, integers);
    this.#timestampOf = timestamp && compileEventTime(timestamp, functions, node.name, node.parameters.time);
    this.#validate = schema && compileSchema(functions.get(schema.fn), 'file()');
  }

  open(context: SourceContext): void {
    this.#context = context;
    const { watermark } = this.#parameters;
    const aligned = this.#alignment.join(watermark?.alignment, this.#node, context);
    this.#time = new SourceTime(context.output, context.clock.now(), watermark, aligned);
    this.#rejected = new RejectedRecords(context);
    this.#opened = 1;
  }

  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (!saved) return;
    this.#emitted = saved.emitted;
    this.#rejected.restore(saved.rejected);
    this.#gaps = saved.gaps;
    this.#opened += saved.opened;
    const [file] = (reader.splits()?.values() ?? []) as Iterable<SavedFile>;
    if (file) this.#goOn(file);
    else this.#ended = this.#isElsewhere = true;
  }
  #goOn({ time, position, columns, ended, first, start }: SavedFile): void {
    this.#time.restore(time);
    this.#position = position;
    if (columns) {
      const { csv, integers } = this.#parameters;
      this.#columns = new CsvColumns(csv, integers, columns);
    }
    this.#ended = ended;
    if (first === undefined || start === undefined) return;
    this.#first = first;
    this.#join(start);
    this.#start = start;
  }

  snapshot(writer: StateWriter): void {
    const file = {
      position: this.#position,
      ...this.#savedColumns(),
      ended: this.#ended,
      ...(this.#first !== undefined && { first: this.#first, start: this.#start }),
      time: this.#time.snapshot(),
    } satisfies SavedFile;
    writer.splits(new Map(this.#isElsewhere ? [] : [[this.#parameters.path, file]]));
    writer.value({
      emitted: this.#emitted,
      rejected: this.#rejected.snapshot(),
      ...(this.#gaps && { gaps: this.#gaps }),
      opened: this.#opened,
    } satisfies Saved);
  }

  /** Types that no emitted row shows yet are found again after a restore. */
  #savedColumns(): { readonly columns?: SavedColumns } {
    const columns = this.#position.byte > 0 ? this.#columns.saved() : undefined;
    return columns ? { columns } : {};
  }

  poll(): 'more' | 'wait' | 'end' {
    if (this.#ended) return 'end';
    const { output, clock } = this.#context;
    const now = clock.now();
    const rows = (this.#rows ??= this.#open());
    const allowance = output.holdsTime ? undefined : this.#allowance;
    this.#time.partition(0);
    for (;;) {
      if (this.#time.isAhead(0)) {
        this.#time.onClock(now);
        this.#context.wakeAt(this.#time.wakeAt);
        return 'wait';
      }
      const row = this.#held ?? rows.next();
      if (!row) {
        if (!(rows instanceof FollowedRows)) return this.#end();
        // Another file may have the name now, without a record so far.
        this.#position = rows.position();
        this.#time.onClock(now);
        this.#context.wakeAt(Math.min(now + lookEveryMillis, this.#time.wakeAt));
        return 'wait';
      }
      if (allowance && allowance.left(now) < 1) {
        this.#held = row;
        this.#time.onClock(now, 'by its rate');
        this.#context.wakeAt(Math.min(allowance.next(now), this.#time.nextAt));
        return 'wait';
      }
      this.#held = undefined;
      const due = this.#take(row, now);
      if (due > now) {
        this.#held = row;
        this.#time.onClock(now);
        this.#context.wakeAt(Math.min(due, this.#time.nextAt));
        return 'wait';
      }
      allowance?.spend(1);
      if (!output.full) continue;
      this.#time.onClock(now, true);
      return 'more';
    }
  }

  #open(): FileRows | FollowedRows {
    const { path, format, follow, csv, encoding, integers } = this.#parameters;
    const reading: FileReading = { csv, encoding, integers, columns: this.#columns };
    const { byte, file } = this.#position;
    if (!follow) return openRows(path, format, byte > 0 ? this.#position : undefined, reading);
    const onGap = (last: string): void => void (this.#gaps = { count: (this.#gaps?.count ?? 0) + 1, last });
    return new FollowedRows(path, format, this.#context.clock, file ? this.#position : undefined, reading, onGap);
  }
  #end(): 'end' {
    this.#ended = true;
    this.#rows?.close();
    this.#time.final();
    return 'end';
  }

  /** Emits or rejects the row. If the row is due later than `now`, it only returns that time. */
  #take({ value, problem, record }: FileRow, now: number): number {
    const fitted = problem === undefined && this.#validate ? this.#validate(value) : { value, problem };
    const element = fitted.value;
    const timestamp = fitted.problem ?? (this.#timestampOf ? this.#timestampOf(element) : now);
    if (typeof timestamp === 'string') {
      const place = `${basename(this.#parameters.path)} line ${record.line}`;
      this.#rejected.add(timestamp, place, record.line, this.#emitted, () => record.text);
      this.#position = record.after;
      return now;
    }
    const due = this.#dueAt(timestamp, now);
    if (due > now) return due;
    this.#emitted++;
    this.#position = record.after;
    this.#time.record(0, timestamp);
    this.#context.output.emitAt(element, timestamp, 0, record.line);
    return due;
  }

  #dueAt(timestamp: number, now: number): number {
    const { speed } = this.#parameters;
    if (speed === undefined) return now;
    this.#start ??= this.#join(now);
    this.#first ??= timestamp;
    return Math.ceil(this.#start + (timestamp - this.#first) / speed);
  }
  #join(proposed: number): number {
    this.#hasJoined = true;
    return this.#starts.join(this.#node, proposed);
  }

  endBatch(now: number): void {
    this.#time.endBatch(now);
  }

  position(): string {
    return `${basename(this.#parameters.path)} after line ${this.#position.lines}`;
  }
  /** Its lines count from 1 again when a followed file is another one. */
  progress() {
    return { records: this.#emitted + this.#rejected.count };
  }

  status(): SourceStatus {
    return {
      entries: 0,
      opened: this.#opened,
      phase: this.#ended ? 'finished' : this.#emitted === 0 ? 'waiting' : 'live',
      partitions: this.#time.partitions(),
      ...this.#rejected.status(this.#emitted, this.#time),
      ...this.#note(),
      ...(this.#gaps && { mayBeMissing: this.#mayBeMissing() }),
    };
  }

  #mayBeMissing(): string | undefined {
    if (!this.#gaps) return undefined;
    const { count, last } = this.#gaps;
    return count === 1 ? last : `${last} This has happened ${count.toLocaleString('en-US')} times.`;
  }
  #note(): { readonly note?: string } {
    const { note } = this.#timestampOf?.guess?.note(this.#ended) ?? {};
    const gap = this.#mayBeMissing();
    const notes = [this.#rows?.note, note, gap].filter((one) => one !== undefined);
    return notes.length > 0 ? { note: notes.join(' ') } : {};
  }

  close(): void {
    this.#time?.close();
    this.#rows?.close();
    if (this.#hasJoined) this.#starts.leave(this.#node);
    this.#hasJoined = false;
  }
}
