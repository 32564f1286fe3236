// Laws of the session under any order of events: every request is answered once, one run at a time holds the turn, one mutation is in flight, and it always comes to rest.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { SessionEffect } from '../../session/events.ts';
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

/** What compiler, executor and clock owe the session at this moment. */
class World {
  readonly stage: Stage;
  readonly #seen = { effects: 0 };
  readonly answers: number[] = [];
  readonly #timers = new Set<string>();
  /** What this executor was told to evaluate; the one before answers nothing any more. */
  readonly #evaluating = new Set<number>();
  #pull = 0;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  look(): void {
    const { effects } = this.stage;
    for (; this.#seen.effects < effects.length; this.#seen.effects++) this.#take(effects[this.#seen.effects]!);
  }
  #take(effect: SessionEffect): void {
    if (effect.kind === 'answer') this.answers.push(effect.request);
    if (effect.kind === 'start-executor') this.#evaluating.clear();
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
    if (state.mutation) owed.push(() => s.mutated());
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

  move(pick: number, outcome: number): void {
    const s = this.stage;
    const evaluating = s.state.runs.find(({ status }) => status === 'evaluating');
    const compiling = s.state.runs.find(({ status }) => status === 'compiling');
    if (outcome === 0 && evaluating) s.threw(evaluating.cell);
    else if (outcome === 1 && compiling) s.refused(compiling.cell);
    else if (outcome === 2 && s.state.mutation) s.mutationFailed();
    else if (outcome === 3 && evaluating) s.pulls(evaluating.cell, `p${++this.#pull}`);
    else if (outcome === 4 && s.state.interrupt)
      s.event({ kind: 'interrupted', interrupt: s.state.interrupt.id, stopped: [] });
    else {
      const owed = this.owed();
      owed[pick % Math.max(1, owed.length)]?.();
    }
    this.look();
  }
}

test('whatever happens, every request is answered exactly once and the session comes to rest', () => {
  fc.assert(
    fc.property(script, (moves) => {
      const stage = new Stage();
      const world = new World(stage);
      stage.document({ a: 'x = ', b: 'y$ = x', c: 'z = y$' });
      let requests = 0;
      for (const next of moves) {
        switch (next.kind) {
          case 'document':
            stage.document(next.cells);
            break;
          case 'run':
            requests++;
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
  if (state.mutation?.run !== undefined)
    assert.ok(state.runs.every((run) => run.status !== 'committing' || run.id === state.mutation?.run));
}
