// Laws of the session under any order of events.
//
// Every request is answered once, one run at a time has the turn, one mutation is in flight, and at
// the end no event is pending.
// A new executor gets the last known state of each instance, or that of its predecessor, and the
// displays get the rows of the same snapshot. No step changes the state before it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { SessionEffect } from '../../session/events.ts';
import { planInstances } from './instance-planner.ts';
import { Stage } from './stage.ts';

const texts = ['x = ', 'x = #2', 'y = x', 'y$ = x', 'z = y', 'z = y$ #2', 'x = z', 'w$ = !orders', ''];
const ids = ['a', 'b', 'c'];
const cell = fc.constantFrom(...ids);

type Move =
  | { readonly kind: 'document'; readonly cells: Readonly<Record<string, string>> }
  | { readonly kind: 'run'; readonly cells: readonly string[] }
  | { readonly kind: 'interrupt'; readonly cell: string | undefined }
  | { readonly kind: 'arm'; readonly cell: string }
  | { readonly kind: 'world'; readonly pick: number; readonly outcome: number };

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    kind: fc.constant('document' as const),
    cells: fc.dictionary(cell, fc.constantFrom(...texts), { minKeys: 1, maxKeys: 3, size: 'max' }),
  }),
  fc.record({ kind: fc.constant('run' as const), cells: fc.uniqueArray(cell, { minLength: 1 }) }),
  fc.record({ kind: fc.constant('interrupt' as const), cell: fc.option(cell, { nil: undefined }) }),
  fc.record({ kind: fc.constant('arm' as const), cell }),
  fc.record({ kind: fc.constant('world' as const), pick: fc.nat(), outcome: fc.nat(9) }),
);
// The world must get most of the moves, or nothing ever gets far.
const script = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: move },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('world' as const), pick: fc.nat(), outcome: fc.nat(9) }) },
  ),
  { minLength: 20, maxLength: 80, size: 'max' },
);

/** The pending answers of compiler, executor and clock. */
class World {
  readonly stage: Stage;
  readonly #seen = { effects: 0 };
  readonly answers: number[] = [];
  readonly #timers = new Set<string>();
  /** The runs that this executor was asked to evaluate. An earlier executor no longer answers. */
  readonly #evaluating = new Set<number>();
  readonly #states = new KnownStates();
  /** The executor was asked for a snapshot, or changes its graph with one. */
  #owesSnapshot = false;
  #planFails = false;
  #pull = 0;

  constructor(stage: Stage) {
    this.stage = stage;
    stage.planner = (request) => {
      const fails = this.#planFails;
      this.#planFails = false;
      if (fails) throw new Error('No such plan.');
      return planInstances(request);
    };
  }

  look(): void {
    const { effects } = this.stage;
    for (; this.#seen.effects < effects.length; this.#seen.effects++) this.#take(effects[this.#seen.effects]!);
  }
  #take(effect: SessionEffect): void {
    if (effect.kind === 'answer') this.answers.push(effect.request);
    if (effect.kind === 'start-executor') {
      this.#evaluating.clear();
      this.#owesSnapshot = false;
    }
    if (effect.kind === 'mutate' && effect.restore)
      this.#states.assertRestored(
        effect.plan.nodes.map(({ id }) => id),
        new Map(effect.restore.map(({ instance, state }) => [instance, state.watermark])),
      );
    if (effect.kind === 'snapshot' || effect.kind === 'mutate') this.#owesSnapshot = true;
    if (effect.kind === 'evaluate') this.#evaluating.add(effect.run);
    if (effect.kind === 'set-timer') this.#timers.add(effect.timer);
    if (effect.kind === 'clear-timer') this.#timers.delete(effect.timer);
  }

  owed(): (() => void)[] {
    const s = this.stage;
    const { state } = s;
    const owed: ((outcome?: number) => void)[] = [];
    if (state.executor === 'starting') owed.push(() => s.ready());
    if (state.executor === 'ending') owed.push(() => s.event({ kind: 'executor-ended', reason: 'interrupt' }));
    if (state.mutation) owed.push(() => this.#mutated());
    // The snapshot of the mutation that ends a restore is reported after it.
    if (this.#owesSnapshot && state.executor !== 'restoring') owed.push(() => this.#snapshot());
    const [restoring] = state.restoring;
    if (restoring !== undefined && state.executor === 'restoring') owed.push(() => s.restoredRun(restoring));
    for (const run of state.runs) {
      if (run.status !== 'compiling' && !this.#evaluating.has(run.id)) continue;
      if (run.status === 'compiling') owed.push(() => s.compiled(run.cell));
      if (run.status === 'evaluating') owed.push(() => s.evaluated(run.cell));
      if (run.status === 'pulling') {
        const open = [...state.pulls].find(([, pull]) => pull.run === run.id);
        owed.push(() => (open ? s.pulled(open[0]) : s.evaluated(run.cell)));
      }
    }
    for (const timer of this.#timers)
      owed.push(() => {
        this.#timers.delete(timer);
        s.event({ kind: 'timer', timer });
      });
    return owed;
  }

  #mutated(): void {
    const { handover } = this.stage.state.mutation!;
    this.stage.mutated();
    this.#states.handedOver(handover);
  }
  #snapshot(): void {
    this.#owesSnapshot = false;
    const instances = this.stage.state.plan.nodes.map(({ id }) => id);
    this.stage.snapshot(this.#states.snapshot(instances));
  }

  move(pick: number, outcome: number): void {
    const s = this.stage;
    const evaluating = s.state.runs.find(({ status }) => status === 'evaluating');
    const compiling = s.state.runs.find(({ status }) => status === 'compiling');
    if (outcome === 0 && evaluating) s.threw(evaluating.cell);
    else if (outcome === 1 && compiling) s.refused(compiling.cell);
    else if (outcome === 2 && s.state.mutation) s.mutationFailed();
    else if (outcome === 3 && evaluating) s.pulls(evaluating.cell, `p${++this.#pull}`);
    else if (outcome === 5) this.#planFails = true;
    else if (outcome === 6) s.event({ kind: 'heartbeat' });
    else if (outcome === 7 && s.state.executor !== 'broken')
      s.event({ kind: 'executor-ended', reason: 'out of memory', whereabouts: { cell: 'a', millis: 700 } });
    else if (outcome === 4 && s.state.interrupt)
      s.event({ kind: 'interrupted', interrupt: s.state.interrupt.id, stopped: [] });
    else {
      const owed = this.owed();
      owed[pick % Math.max(1, owed.length)]?.();
    }
    this.look();
  }
}

/** The results of snapshots and handovers, without the session. */
class KnownStates {
  snapshots = 0;
  /** Instance → number of the last snapshot, as it was written or inherited. */
  #known: ReadonlyMap<string, number> = new Map();
  readonly #predecessors = new Map<string, string>();

  snapshot(instances: readonly string[]): Readonly<Record<string, number>> {
    const number = ++this.snapshots;
    this.#known = new Map(instances.map((instance) => [instance, number]));
    return Object.fromEntries(this.#known);
  }
  handedOver(handover: Readonly<Record<string, string>>): void {
    for (const [successor, from] of Object.entries(handover)) this.#predecessors.set(successor, from);
  }
  assertRestored(instances: readonly string[], restored: ReadonlyMap<string, number>): void {
    for (const instance of instances) {
      let origin: string | undefined = instance;
      while (origin !== undefined && !this.#known.has(origin)) origin = this.#predecessors.get(origin);
      const expected = origin === undefined ? undefined : this.#known.get(origin);
      assert.equal(restored.get(instance), expected, `${instance} starts from the last known state`);
    }
  }
}

test('whatever happens, every request is answered exactly once and the session comes to rest', () => {
  fc.assert(
    fc.property(script, (moves) => {
      const stage = new Stage();
      const world = new World(stage);
      stage.document({ a: 'x = ', b: 'y$ = x', c: 'z = y$' });
      stage.shows.set('b', { parts: [{ kind: 'table', from: { node: 'b', port: 'out' }, rows: 9 }] });
      let requests = 0;
      for (const next of moves) {
        if (next.kind === 'run') requests++;
        play(next, stage, world);
        assertInvariants(stage);
      }
      for (let left = 400; world.owed().length > 0; left--) {
        assert.ok(left > 0, 'the session goes on for ever');
        world.move(0, 9);
        assertInvariants(stage);
      }
      assert.deepEqual(
        world.answers.toSorted((a, b) => a - b),
        Array.from({ length: requests }, (_, index) => index + 1),
      );
      assert.deepEqual(stage.state.runs, []);
      assert.equal(stage.state.pulls.size, 0);
      assert.equal(stage.state.graphChanged && stage.state.executor === 'ready', false);
    }),
    { numRuns: 400 },
  );
});

function play(next: Move, stage: Stage, world: World): void {
  switch (next.kind) {
    case 'document':
      stage.document(next.cells);
      break;
    case 'run':
      stage.run(...next.cells);
      break;
    case 'interrupt':
      stage.event({ kind: 'interrupt', cell: next.cell });
      break;
    case 'arm':
      stage.event({ kind: 'arm', cell: next.cell, armed: true });
      break;
    case 'world':
      world.move(next.pick, next.outcome);
  }
  world.look();
}

test('after any runs, failures and snapshots a new executor starts each instance from its last known state', () => {
  const deed = fc.record({ cell, does: fc.constantFrom('run', 'run', 'fail', 'snapshot', 'crash') });
  fc.assert(
    fc.property(fc.array(deed, { minLength: 5, maxLength: 30, size: 'max' }), (deeds) => {
      const s = new Stage({ endsWithoutCause: Infinity });
      s.planner = planInstances;
      const states = new KnownStates();
      s.document({ a: 'x = ', b: 'y$ = x', c: 'z$ = ' });
      s.ready();
      for (const id of ids) s.runs(id);
      for (const { cell: id, does } of [...deeds, { cell: 'a', does: 'crash' }]) {
        const instances = s.state.plan.nodes.map((node) => node.id);
        if (does === 'snapshot') s.snapshot(states.snapshot(instances));
        else if (does === 'crash') assertRestores(s, states);
        else {
          s.run(id);
          s.compiled(id);
          s.evaluated(id);
          if (does === 'run') states.handedOver(s.state.mutation!.handover);
          else s.mutationFailed();
          s.mutated();
        }
      }
    }),
    { numRuns: 200 },
  );
});

function assertRestores(s: Stage, states: KnownStates): void {
  s.event({ kind: 'executor-ended', reason: 'out of memory' });
  s.ready();
  while (s.state.restoring.length > 0) s.restoredRun(s.state.restoring[0]!);
  const mutate = s.effects.at(-1);
  const rewind = s.effects.at(-2);
  assert.ok(mutate?.kind === 'mutate' && mutate.restore);
  assert.ok(rewind?.kind === 'rewind-views');
  assert.equal(rewind.views.get('a/0')?.total ?? 0, states.snapshots, 'rows and state are of one snapshot');
  states.assertRestored(
    mutate.plan.nodes.map(({ id }) => id),
    new Map(mutate.restore.map(({ instance, state }) => [instance, state.watermark])),
  );
  s.mutated();
}

test('no step changes the state before it', () => {
  fc.assert(
    fc.property(script, (moves) => {
      const stage = new Stage();
      const world = new World(stage);
      stage.document({ a: 'x = ', b: 'y$ = x', c: 'z = y$' });
      for (const next of moves) {
        const before = stage.state;
        const copy = structuredClone(before);
        play(next, stage, world);
        assert.deepEqual(before, copy);
      }
    }),
    { numRuns: 60 },
  );
});

function assertInvariants({ state }: Stage): void {
  const holders = state.runs.filter(({ status }) =>
    ['compiling', 'compiled', 'evaluating', 'committing'].includes(status),
  );
  assert.ok(
    holders.length <= 1,
    `${holders.map(({ cell, status }) => `${cell} ${status}`).join(' and ')} hold the turn`,
  );
  for (const pull of state.pulls.values())
    assert.ok(
      state.runs.some(({ id }) => id === pull.run),
      'a pull outlives its run',
    );
  for (const run of state.runs) assert.ok(state.requests.has(run.request), 'a run has nobody who asked');
  const running = new Set(state.plan.nodes.map(({ id }) => id));
  for (const { install } of state.displays) assert.ok(running.has(install.instance), 'a display without its instance');
  for (const successor of state.recovery.successors.keys())
    assert.ok(!state.recovery.parts.has(successor), 'a successor that is known under its own name');
  if (state.mutation?.run !== undefined)
    assert.ok(state.runs.every((run) => run.status !== 'committing' || run.id === state.mutation?.run));
}
