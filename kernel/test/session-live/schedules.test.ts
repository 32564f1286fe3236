// Law: over sources that can be read again, each cell ends with the rows of its current text. It
// holds for any order of runs, edits and deletions, and for any end of the executor in between.
// `SLUICE_SCHEDULES=200` tries that many. A failure prints the seed and path that repeat it.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { type Choice, choices, files, multiset, runAll, shown, texts } from './file-notebook.ts';
import { LiveSession } from './live-session.ts';

const ids = Object.keys(texts);
/** More than an immediate undo takes, less than anybody wants to wait. */
const graceMillis = 150;

type Step =
  | { readonly kind: 'edit'; readonly id: string; readonly text: number; readonly run: boolean }
  | { readonly kind: 'run'; readonly ids: readonly string[] }
  /** Several clients, or a fast one: the next step does not wait for the end of the run. */
  | { readonly kind: 'start'; readonly ids: readonly string[] }
  | { readonly kind: 'delete'; readonly id: string; readonly back: 'at once' | 'past its grace' | 'later' }
  | { readonly kind: 'crash'; readonly after: number }
  /** A cell that never returns: the executor's thread is ended. */
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'pause'; readonly millis: number };

const someIds = fc.shuffledSubarray(ids, { minLength: 1, maxLength: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(...ids).chain((id) =>
      fc.record({
        ...{ kind: fc.constant('edit' as const), id: fc.constant(id) },
        ...{ text: fc.nat(texts[id]!.length - 1), run: fc.boolean() },
      }),
    ),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), ids: someIds }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), ids: someIds }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      id: fc.constantFrom(...ids),
      back: fc.constantFrom('at once' as const, 'past its grace' as const, 'later' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), after: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'interrupt' as const }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pause' as const), millis: fc.nat(300) }) },
);

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

/** Runs the steps. Returns the text of each cell at the end. */
async function follow(session: LiveSession, first: Choice, steps: readonly Step[]): Promise<Choice> {
  const choice: Record<string, number> = { ...first };
  const write = (id: string): void => session.edit(id, texts[id]![choice[id]!]!);
  const there = (some: readonly string[]): readonly string[] => some.filter((id) => session.ids.includes(id));
  const started: Promise<unknown>[] = [];
  for (const id of ids) write(id);
  for (const one of steps)
    switch (one.kind) {
      case 'edit':
        choice[one.id] = one.text;
        write(one.id);
        // A run may fail, because a cell that it needs may be deleted.
        if (one.run) await session.run(one.id);
        break;
      case 'run':
        await session.run(...there(one.ids));
        break;
      case 'start':
        started.push(session.run(...there(one.ids)));
        break;
      case 'delete':
        session.delete(one.id);
        if (one.back === 'past its grace')
          await session.until(
            () => session.control.session.cells.has(one.id),
            (isThere) => !isThere,
            `the end of the grace of ${one.id}`,
          );
        if (one.back !== 'later') write(one.id);
        break;
      case 'crash':
        await pause(one.after);
        await session.crash();
        break;
      case 'interrupt':
        await interrupted(session);
        break;
      case 'pause':
        await pause(one.millis);
    }
  await Promise.all(started);
  for (const id of ids) if (!session.ids.includes(id)) write(id);
  return choice;
}

async function interrupted(session: LiveSession): Promise<void> {
  await session.executorReady();
  session.edit('stuck', 'while (true) {}');
  const run = session.run('stuck');
  await session.evaluating('stuck');
  session.control.dispatch({ kind: 'interrupt', cell: 'stuck' });
  const [result] = await run;
  assert.equal(result?.error?.code, 'interrupted');
  session.delete('stuck');
  await session.executorReady();
}

test('any schedule of runs, edits, deletions and crashes ends with the rows of the texts at hand', async () => {
  const began = performance.now();
  let runs = 0;
  let rows = 0;
  const law = fc.asyncProperty(choices, fc.array(step, { minLength: 6, maxLength: 16 }), async (first, steps) => {
    await using session = new LiveSession({ files, lossless: true, graceMillis, interruptMillis: 100 });
    const choice = await follow(session, first, steps);
    // Runs all cells that are edited, stale or lost in a crash, until there are none.
    await session.ran(...ids);
    await session.finished();
    const expected = await runAll(choice);
    for (const id of shown) {
      assert.ok(expected[id]!.length > 10, `${id} has rows to compare`);
      assert.deepEqual(multiset(session.everyRow(id)), expected[id], id);
      rows += expected[id]!.length;
    }
    runs++;
  });
  const { SLUICE_SCHEDULES: wanted, SLUICE_SEED: seed } = process.env;
  await fc.assert(law, {
    ...(wanted ? { numRuns: Number(wanted) } : { numRuns: 12, interruptAfterTimeLimit: 60_000 }),
    ...(seed && { seed: Number(seed) }),
  });
  assert.ok(runs > 0);
  console.log(`${runs} schedules, ${rows} rows in ${((performance.now() - began) / 1000).toFixed(0)} s`);
});
