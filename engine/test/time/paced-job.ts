// A job whose rows show everything that depends on event time, over any source. A test sets its
// pace: the clock, the room of the readers, and restores.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { count, sum } from '../../api/aggregates.ts';
import { Builder } from '../../api/builder.ts';
import { endpointOf } from '../../api/reference.ts';
import { pattern } from '../../api/pattern.ts';
import { makeSources, type Sources } from '../../api/sources.ts';
import { valueState } from '../../api/state.ts';
import type { Stream } from '../../api/surface.ts';

import { session, sliding, trigger, tumbling } from '../../api/windows.ts';
import { ManualClock } from '../../contract/clock.ts';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import type { PlanNode } from '../../graph/plan.ts';
import { planOf } from '../../runtime/environment.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { mergeSnapshots, type TaskSnapshot } from '../../runtime/snapshot.ts';

export interface Row {
  readonly n: number;
  readonly who: string;
  readonly at: number;
}
/** Its time is above that of all other records, so all their windows and timers fire. */
export const lastRow = { n: -1, who: 'end', at: 10_000 };

/** Rows of random times: many are out of order by more than any bound. */
export const anyRows: fc.Arbitrary<readonly Row[]> = fc
  .array(fc.record({ who: fc.constantFrom('a', 'b'), step: fc.nat(4), behind: fc.oneof(fc.nat(3), fc.nat(40)) }), {
    minLength: 20,
    maxLength: 60,
  })
  .map((steps) => {
    let newest = 100;
    const rows = steps.map(({ who, step, behind }, n): Row => ({ n, who, at: (newest += step) - behind }));
    return [...rows, lastRow];
  });

interface Timed {
  readonly who: string;
  readonly time: number;
}
/** Counts since the last timer. What a timer sees depends on the records before it. */
function countTimers(rows: Stream<Timed>) {
  return rows.keyBy('who').process({
    state: { seen: valueState<number>() },
    *onElement({ who, time }, { state, timers, watermark }) {
      state.seen.set((state.seen.get() ?? 0) + 1);
      timers.eventTime(time + 7);
      yield { who, time, watermark: String(watermark) };
    },
    *onTimer(due, { key: { who }, state }) {
      yield { who, due, seen: state.seen.get() ?? 0 };
      state.seen.set(0);
    },
  });
}

function whoMatched(match: Record<string, Row[]>) {
  return { who: Object.values(match)[0]?.[0]?.who, ids: Object.values(match).map((rows) => rows.map(({ n }) => n)) };
}

/** One kind of operator in each job, so that none depends on what the others need. */
export const parts = {
  windows(rows: Stream<Row>) {
    const windows = rows.keyBy('who').window(tumbling('10ms')).allowedLateness('6ms');
    const counts = windows.aggregate({ n: count(), total: sum('n') });
    return { counts, late: counts.late };
  },
  slices(rows: Stream<Row>) {
    const counts = rows
      .keyBy('who')
      .window(sliding('12ms', '4ms'))
      .aggregate({ total: sum('n') });
    return { counts, late: counts.late };
  },
  sessions(rows: Stream<Row>) {
    const counts = rows.keyBy('who').window(session('5ms')).allowedLateness('3ms').aggregate({ n: count() });
    return { counts, late: counts.late };
  },
  early(rows: Stream<Row>) {
    const windows = rows.keyBy('who').window(tumbling('30ms')).trigger(trigger.early('5ms'));
    return { counts: windows.aggregate({ n: count() }) };
  },
  timers: (rows: Stream<Row>) => ({ timers: countTimers(rows.map(({ who, at }) => ({ who, time: at }))) }),
  timersBelowWindows(rows: Stream<Row>) {
    const counts = rows.keyBy('who').window(tumbling('4ms')).aggregate({ n: count() });
    return { timers: countTimers(counts.map(({ who, windowEnd }) => ({ who, time: windowEnd.getTime() }))) };
  },
  patterns(rows: Stream<Row>) {
    const first = pattern<Row>('first').where(({ n }) => n % 2 === 0);
    const wanted = first.followedBy('second').where(({ n }) => n % 3 === 0);
    const counts = rows
      .keyBy('who')
      .pattern(wanted.within('6ms'))
      .select((match) => whoMatched(match));
    return { counts, timedOut: counts.timedOut.map((match) => whoMatched(match)), late: counts.late };
  },
  sessionsBelowWindows(rows: Stream<Row>) {
    const counts = rows.keyBy('who').window(tumbling('4ms')).aggregate({ n: count() });
    return {
      counts: counts
        .keyBy('who')
        .window(session('4ms'))
        .aggregate({ total: sum('n') }),
    };
  },
};
export type Part = keyof typeof parts;

/** Keeps its input as state. A test can stop it. */
class Shelf implements Operator {
  rows: string[] = [];
  isStopped = false;
  #context: OperatorContext | undefined;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.isStopped) return from;
    for (let i = from; i < batch.length; i++)
      if (batch.timestamps[i]! < lastRow.at / 2) this.rows.push(JSON.stringify([batch.timestamps[i], batch.values[i]]));
    return batch.length;
  }
  stop(isStopped: boolean): void {
    this.isStopped = isStopped;
    if (!isStopped) this.#context?.wake();
  }
  snapshot(writer: StateWriter): void {
    writer.value(this.rows);
  }
  restore(reader: StateReader): void {
    this.rows = [...((reader.value() as string[] | undefined) ?? [])];
  }
}

export type Move =
  | { readonly kind: 'rounds'; readonly count: number }
  | { readonly kind: 'clock'; readonly millis: number }
  | { readonly kind: 'stop'; readonly isStopped: boolean }
  | { readonly kind: 'restore' }
  /** Of a file that is followed: so many records are appended. */
  | { readonly kind: 'append'; readonly count: number };
export const anyMoves: fc.Arbitrary<readonly Move[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('rounds' as const), count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('clock' as const), millis: fc.constantFrom(1, 20, 200, 700) }),
    fc.record({ kind: fc.constant('stop' as const), isStopped: fc.boolean() }),
    fc.constant({ kind: 'restore' as const }),
    fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 15 }) }),
  ),
  { maxLength: 40 },
);

export class PacedJob {
  readonly clock = new ManualClock(1_000_000);
  restores = 0;
  readonly #fragment;
  readonly #plan;
  readonly #names: readonly string[];
  readonly #append: (count: number) => void;
  #shelves = new Map<string, Shelf>();
  #runtime: Runtime;
  #known: ReadonlyMap<string, TaskSnapshot> | undefined;

  /** `append`: gives the source more records, if it is a file that is followed. */
  constructor(part: Part, source: (sources: Sources) => Stream<Row>, append: (count: number) => void = () => {}) {
    this.#append = append;
    const builder = new Builder({ group: '' });
    const shown: Readonly<Record<string, unknown>> = parts[part](source(makeSources(builder, {})));
    this.#names = Object.keys(shown);
    this.#fragment = builder.fragment();
    this.#plan = planOf(this.#fragment, this.#names, {
      nodes: this.#names.map((id): PlanNode => ({
        ...{ id, uid: id, kind: 'display', name: id, group: id, parameters: { leaf: id }, own: id, shape: '' },
      })),
      edges: this.#names.map((name) => {
        const { node, port } = endpointOf(shown[name]) as { readonly node: string; readonly port: string };
        return { from: node, port, to: name, input: 0 as const, exchange: 'forward' as const };
      }),
    });
    this.#runtime = this.#begin();
  }
  #begin(): Runtime {
    this.#shelves = new Map();
    const runtime = new Runtime({
      functions: this.#fragment.functions,
      clock: this.clock,
      freeze: true,
      host: (node) => {
        if (node.kind !== 'display') return undefined;
        const shelf = new Shelf();
        this.#shelves.set(node.id, shelf);
        return shelf;
      },
      onFailure: ({ node, error }) => assert.fail(`${node}: ${String(error)}`),
    });
    runtime.mutate(this.#plan, { ...(this.#known && { restore: this.#known }) });
    return runtime;
  }

  move(move: Move): void {
    switch (move.kind) {
      case 'rounds':
        for (let i = 0; i < move.count; i++) this.#runtime.round(0);
        break;
      case 'clock':
        this.clock.advanceTo(this.clock.now() + move.millis);
        break;
      case 'stop':
        for (const shelf of this.#shelves.values()) shelf.stop(move.isStopped);
        break;
      case 'append':
        this.#append(move.count);
        break;
      case 'restore':
        this.#restore();
    }
  }
  /** A snapshot, some more work that is lost, and the next life. */
  #restore(): void {
    this.#runtime.snapshot(({ tasks }) => {
      this.#known = new Map([...tasks].map(([id, next]) => [id, mergeSnapshots(this.#known?.get(id), next)]));
    });
    for (let i = 0; i < 12; i++) this.#runtime.round();
    if (this.#known) this.restores++;
    this.#runtime.close();
    this.#runtime = this.#begin();
  }
  /** Everything is read, and the last watermark has passed. The rows, and the late ones, by key. */
  toTheEnd(): Readonly<Record<string, readonly string[]>> {
    this.#append(Infinity);
    for (const shelf of this.#shelves.values()) shelf.stop(false);
    const until = this.clock.now() + 3000;
    for (let round = 0; this.clock.now() < until; round++) {
      assert.ok(round < 100_000, 'the job comes to rest');
      if (!this.#runtime.round()) this.clock.advanceTo(this.clock.now() + 25);
    }
    this.#runtime.close();
    return Object.fromEntries(this.#names.map((name) => [name, this.#shelves.get(name)!.rows]));
  }
}
