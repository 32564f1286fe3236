// Drives one source by hand under a clock that moves only when told. The test chooses the room of
// each poll. Snapshots are serialized to bytes.
import { createSource } from '../../connectors/registry.ts';
import { SourceStarts } from '../../connectors/source-starts.ts';
import type { FunctionRef, Json } from '../../graph/spec.ts';
import { FunctionTable, type PlanNode } from '../../graph/plan.ts';
import type { Source, SourceColumns, SourceContext } from '../../contract/source.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { ManualClock } from '../../contract/clock.ts';

export interface Emission {
  readonly value: unknown;
  readonly timestamp: number;
  readonly offset: number;
}
export interface ErrorRow {
  readonly offset: string;
  readonly raw: string;
  readonly error: string;
}
export interface SourceSetup {
  readonly kind: 'generate' | 'from' | 'file';
  readonly parameters: Readonly<Record<string, Json | undefined>>;
  /** The functions of the parameters, by slot. */
  readonly functions?: Readonly<Record<string, unknown>>;
  readonly clock?: ManualClock;
  readonly starts?: SourceStarts;
  readonly snapshot?: TaskSnapshot;
  readonly shape?: string;
  readonly watchErrors?: boolean;
}

export function functionRef(slot: string): { readonly fn: FunctionRef & { readonly [name: string]: Json } } {
  return { fn: { uid: 'source', slot, textHash: '1' } };
}

export class PolledSource {
  readonly source: Source;
  readonly clock: ManualClock;
  readonly emitted: Emission[] = [];
  readonly errors: ErrorRow[] = [];
  /** Watermarks and idleness, in the order of their emission. */
  readonly marks: (number | 'idle' | 'active')[] = [];
  wakeUps = 0;
  wakeAt = Infinity;
  #room = 0;

  constructor(setup: SourceSetup) {
    this.clock = setup.clock ?? new ManualClock(1_000_000);
    const functions = new FunctionTable();
    for (const [slot, value] of Object.entries(setup.functions ?? {})) functions.set(functionRef(slot).fn, value);
    const node = {
      id: 'source',
      uid: 'source',
      kind: setup.kind,
      name: 'orders',
      group: '',
      parameters: setup.parameters,
      own: '',
      shape: setup.shape ?? '',
    };
    this.source = createSource(node as unknown as PlanNode, functions, { starts: setup.starts ?? new SourceStarts() });
    this.source.open(this.#context(setup.watchErrors ?? true));
    if (setup.snapshot) this.source.restore(readSnapshot(setup.snapshot));
  }

  /** Rows in the columns count only up to `length`. */
  #columns(records: number): SourceColumns {
    const values = new Array<unknown>(records);
    const timestamps = new Float64Array(records);
    const offsets = new Float64Array(records);
    const emit = (count: number): void => {
      this.#room -= count;
      for (let i = 0; i < count; i++)
        this.emitted.push({ value: values[i], timestamp: timestamps[i]!, offset: offsets[i]! });
    };
    return {
      values,
      timestamps,
      offsets,
      partitions: new Int32Array(records),
      get length() {
        return 0;
      },
      set length(count) {
        emit(count);
      },
    };
  }

  #context(watchErrors: boolean): SourceContext {
    const isFull = (): boolean => this.#room <= 0;
    const room = (): number => Math.max(0, this.#room);
    return {
      id: 'source',
      uid: 'source',
      name: 'orders',
      freeze: true,
      clock: this.clock,
      output: {
        get full() {
          return isFull();
        },
        emit: () => {
          throw new Error('Sources say where a record comes from: emitAt.');
        },
        emitAt: (value, timestamp, _partition, offset) => {
          this.#room--;
          this.emitted.push({ value, timestamp, offset });
        },
        get room() {
          return room();
        },
        get allowance() {
          return this.room;
        },
        emitRun(values, from, to, timestamps, partition, offset) {
          for (let i = from; i < to; i++) this.emitAt(values[i], timestamps[i - from]!, partition, offset + i - from);
        },
        prepare: (records) => this.#columns(records),
        emitTo: (_port, value) => {
          this.#room--;
          this.errors.push(value as ErrorRow);
        },
        hasReader: (port) => port === 'out' || watchErrors,
        watermark: (time) => void this.marks.push(time),
        idle: () => void this.marks.push('idle'),
        active: () => void this.marks.push('active'),
        finish: () => {},
      },
      wake: () => void this.wakeUps++,
      wakeAt: (millis) => void (this.wakeAt = Math.min(this.wakeAt, millis)),
      fail: (error) => {
        throw error;
      },
      countLate: () => {},
      failPartitions: () => {},
    };
  }

  get values(): unknown[] {
    return this.emitted.map(({ value }) => value);
  }

  poll(room = Infinity): 'more' | 'wait' | 'end' {
    this.#room = room;
    this.wakeAt = Infinity;
    return this.source.poll();
  }
  /** Polls until it ends, moving the clock to where it wants to be woken. */
  runToEnd(room: () => number = () => Infinity): void {
    for (;;) {
      const answer = this.poll(room());
      if (answer === 'end') return;
      if (answer === 'more') continue;
      if (this.wakeAt === Infinity) throw new Error('It waits and has not said until when.');
      if (this.wakeAt > this.clock.now()) this.clock.advanceTo(this.wakeAt);
    }
  }
  snapshot(): TaskSnapshot {
    const writer = new SnapshotWriter(true);
    this.source.snapshot(writer);
    return writer.done(-Infinity);
  }
}

/**
 * Runs a source in several lives. After each piece of work it may end and start again from its
 * snapshot. Returns the rows of all lives.
 */
export function runInLives(
  setup: SourceSetup,
  steps: readonly { readonly room: number; readonly restart: boolean; readonly pauseMillis: number }[],
): { readonly emitted: Emission[]; readonly errors: ErrorRow[]; readonly lives: number } {
  const emitted: Emission[] = [];
  const errors: ErrorRow[] = [];
  let lives = 1;
  let life = new PolledSource(setup);
  const collect = (): void => {
    emitted.push(...life.emitted.splice(0));
    errors.push(...life.errors.splice(0));
  };
  for (const { room, restart, pauseMillis } of steps) {
    const answer = life.poll(room);
    collect();
    if (answer === 'end' && !restart) break;
    life.clock.advanceTo(life.clock.now() + pauseMillis);
    if (!restart) continue;
    const snapshot = life.snapshot();
    life.source.close();
    life = new PolledSource({ ...setup, clock: life.clock, snapshot });
    lives++;
  }
  life.runToEnd();
  collect();
  life.source.close();
  return { emitted, errors, lives };
}
