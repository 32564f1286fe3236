// Law: restore(snapshot) at any moment gives the output of an uninterrupted run, with records and
// watermarks in flight in every channel.
// The graph has two sources, two-input operators, timers, windows and a slow branch. It survives
// several crashes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { count, sum } from '../../api/aggregates.ts';
import { Builder, toEndpoint } from '../../api/builder.ts';
import { makeSources } from '../../api/sources.ts';
import { valueState } from '../../api/state.ts';
import type { PlannedStream } from '../../api/stream.ts';
import type { Stream } from '../../api/surface.ts';
import { sliding, tumbling } from '../../api/windows.ts';
import type { Plan, PlanNode } from '../../graph/plan.ts';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import { planOf } from '../../runtime/environment.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { mergeSnapshots, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { ManualClock } from '../../contract/clock.ts';

interface Order {
  readonly n: number;
  readonly who: string;
  readonly at: number;
}
const start = 1_700_000_000_000;
/** Out of order by less than a second, so that nothing is late whenever watermarks go out. */
const orders = Array.from({ length: 300 }, (_, n): Order => ({
  n,
  who: `w${n % 7}`,
  at: start + n * 100 + ((n * 7) % 5) * 150,
}));
const prices = Array.from({ length: 90 }, (_, n): Order => ({
  n,
  who: `w${n % 5}`,
  at: start + n * 330 + ((n * 3) % 4) * 200,
}));

/** Keeps its input as state. A test can block it. */
class Shelf implements Operator {
  rows: string[] = [];
  isStopped = false;
  #context: OperatorContext | undefined;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    // A few at a time, so that the channel before it fills up.
    const to = this.isStopped ? from : Math.min(batch.length, from + 3);
    for (let i = from; i < to; i++) this.rows.push(JSON.stringify([batch.timestamps[i], batch.values[i]]));
    if (to < batch.length && !this.isStopped) this.#context?.wake();
    return to;
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

/** The notebook of this test. Each display has a shelf for its rows. */
function program() {
  const builder = new Builder({ group: '' });
  const { from } = makeSources(builder, {});
  const time = { timestamp: 'at', watermark: { outOfOrderness: '1s' } } as const;
  const placed = from(orders, time);
  const priced = from(prices, time);
  const twice = placed.flatMap(function* (order) {
    yield order;
    if (order.n % 3 === 0) yield { ...order, n: -order.n };
  });
  const shown = {
    sliding: twice
      .keyBy('who')
      .window(sliding('4s', '1s'))
      .aggregate({ n: count(), total: sum('n') }),
    rolling: twice
      .filter((order) => order.n % 2 === 0)
      .keyBy('who')
      .aggregate({ total: sum('n') }),
    together: placed.union(priced).windowAll(tumbling('2s')).aggregate({ n: count() }),
    timers: placed.keyBy('who').process({
      state: { seen: valueState<number>() },
      *onElement({ who, n, at }, { state, timers }) {
        const before = state.seen.get() ?? 0;
        state.seen.set(before + 1);
        timers.eventTime(at + 2500);
        yield `${who} ${n} after ${before}`;
      },
      *onTimer(due, { key: { who } }) {
        yield `${who} ${due}`;
      },
    }),
    // Rows of both sides wait for a timer, so the output does not depend on which side is ahead.
    joined: placed
      .connect(priced)
      .keyBy(
        ({ who }) => who,
        ({ who }) => who,
      )
      .process({
        state: { waiting: valueState<readonly Order[]>() },
        onLeft(order, { state, timers }) {
          state.waiting.set([...(state.waiting.get() ?? []), order]);
          timers.eventTime(endOfThree(order));
        },
        onRight(price, { state, timers }) {
          state.waiting.set([...(state.waiting.get() ?? []), { ...price, n: -price.n }]);
          timers.eventTime(endOfThree(price));
        },
        *onTimer(due, { state }) {
          const all = state.waiting.get() ?? [];
          const ready = all.filter((one) => endOfThree(one) === due);
          state.waiting.set(all.filter((one) => endOfThree(one) > due));
          yield `${due}: ${ready
            .map(({ who, n }) => `${who} ${n}`)
            .toSorted()
            .join(', ')}`;
        },
      }),
    looped: placed.iterate(goingRound),
    inWaves: placed.iterate(goingRound, { maxRounds: 4 }),
  };
  return { builder, shown };
}
/** Every element makes up to five rounds, and its value doubles in each. */
function goingRound(loop: Stream<Order>) {
  const next = loop.flatMap(function* (order) {
    yield { ...order, at: order.at + 1_000_000 };
    if (order.n % 5 === 0) yield { ...order, at: order.at + 2_000_000 };
  });
  const isDone = ({ n, at }: Order): boolean => at - start > ((n % 5) + 1) * 1_000_000;
  return { feedback: next.filter((order) => !isDone(order)), output: next.filter(isDone) };
}
const endOfThree = ({ at }: Order): number => (Math.floor(at / 3000) + 1) * 3000;

const { builder, shown } = program();
const names = Object.keys(shown) as readonly (keyof typeof shown)[];
const fragment = builder.fragment();
const shelfOf = (id: string): PlanNode => ({
  ...{ id, uid: id, kind: 'display', name: id, group: id, parameters: { leaf: id }, own: id, shape: '' },
});
const endpointOf = (stream: unknown) => toEndpoint((stream as PlannedStream<unknown>).place.origin) as Place;
interface Place {
  readonly node: string;
  readonly port: string;
}
const plan: Plan = planOf(fragment, [...names], {
  nodes: names.map(shelfOf),
  edges: names.map((name) => {
    const { node, port } = endpointOf(shown[name]);
    return { from: node, port, to: name, input: 0, exchange: 'forward' };
  }),
});

/** One life of the job, from a snapshot or from the start. */
class Life {
  readonly runtime: Runtime;
  readonly shelves = new Map<string, Shelf>();
  constructor(clock: ManualClock, restore?: ReadonlyMap<string, TaskSnapshot>) {
    this.runtime = new Runtime({
      ...{ functions: fragment.functions, clock, freeze: true },
      host: (node) => {
        if (node.kind !== 'display') return undefined;
        const shelf = new Shelf();
        this.shelves.set(node.id, shelf);
        return shelf;
      },
      onFailure: ({ node, error }) => assert.fail(`${node}: ${String(error)}`),
    });
    this.runtime.mutate(plan, { ...(restore && { restore }) });
  }
  /** Records that wait in channels, half-consumed batches included. */
  get inFlight(): number {
    const slots = [...this.runtime.tasks.values()].flatMap((task) => task.gate.slots);
    return slots.reduce((sum, { channel }) => sum + (channel?.records ?? 0), 0);
  }
  get isOver(): boolean {
    return [...this.runtime.tasks.values()].every(({ status }) => status === 'ended');
  }
  toTheEnd(clock: ManualClock): Record<string, string[]> {
    for (const shelf of this.shelves.values()) shelf.stop(false);
    for (let turn = 0; !this.isOver; turn++) {
      assert.ok(turn < 100_000, 'the job ends');
      if (!this.runtime.round()) clock.advanceTo(clock.now() + 50);
    }
    return Object.fromEntries(names.map((name) => [name, this.shelves.get(name)!.rows.toSorted()]));
  }
}

type Move =
  /** Every task, or only the first that has something to do. */
  | { readonly kind: 'rounds'; readonly count: number; readonly one: boolean }
  | { readonly kind: 'clock'; readonly millis: number }
  | { readonly kind: 'stop' | 'go on'; readonly shelf: keyof typeof shown }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'crash' };
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('rounds' as const),
      count: fc.integer({ min: 1, max: 12 }),
      one: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('clock' as const), millis: fc.constantFrom(50, 250, 2000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('stop' as const, 'go on' as const),
      shelf: fc.constantFrom(...names),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ kind: 'snapshot' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
);

test(
  'restored from a snapshot at any moment, a job gives the rows of an uninterrupted one',
  { timeout: 600_000 },
  () => {
    const plain = new ManualClock();
    const expected = new Life(plain).toTheEnd(plain);
    for (const name of names) assert.ok(expected[name]!.length > 10, `${name}: ${expected[name]!.length} rows`);
    const seen = { snapshots: 0, whileInFlight: 0, restores: 0 };
    fc.assert(
      fc.property(fc.array(move, { minLength: 10, maxLength: 80 }), (moves) => {
        const clock = new ManualClock();
        let life = new Life(clock);
        let known: ReadonlyMap<string, TaskSnapshot> | undefined;
        const keep = ({ tasks }: Snapshot): void => {
          known = new Map([...tasks].map(([id, next]) => [id, mergeSnapshots(known?.get(id), next)]));
          seen.snapshots++;
        };
        for (const one of moves)
          switch (one.kind) {
            case 'rounds':
              for (let i = 0; i < one.count; i++) life.runtime.round(one.one ? 0 : Infinity);
              break;
            case 'clock':
              clock.advanceTo(clock.now() + one.millis);
              break;
            case 'stop':
            case 'go on':
              life.shelves.get(one.shelf)!.stop(one.kind === 'stop');
              break;
            case 'snapshot':
              if (life.inFlight > 50) seen.whileInFlight++;
              life.runtime.snapshot(keep);
              break;
            case 'crash':
              life.runtime.close();
              if (known) seen.restores++;
              life = new Life(clock, known);
          }
        assert.deepEqual(life.toTheEnd(clock), expected);
      }),
      { numRuns: 150 },
    );
    // The law would hold of a job that never had anything on its way.
    assert.ok(seen.whileInFlight > 20 && seen.restores > 20, JSON.stringify(seen));
    console.log(JSON.stringify(seen));
  },
);
