// Law: over a live source a cell has the rows of its texts, each from the source position at which
// its run joined the graph.
// No row is lost, doubled, early or late.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';
import { seeded } from './seeded.ts';

interface Click {
  readonly n: number;
  readonly user: string;
}
const clickOf = (n: number): Click => ({ n, user: `u${n % 4}` });
const source = `import { count, generate, sum, valueState } from 'sluice';
const clicks = generate({ rate: 300 }, ({ n }) => ({ n, user: 'u' + (n % 4) }));
clicks.show();`;

/**
 * One text of a cell. `step` maps a record to rows. The state lasts as long as `shape` is the same.
 */
interface Text {
  readonly text: string;
  readonly reads: 'clicks' | 'kept';
  readonly shape?: string;
  step(click: Click, state: Map<unknown, Record<string, unknown>>, least: number): readonly unknown[];
}
const stateless = (
  reads: Text['reads'],
  text: string,
  step: (click: Click, least: number) => readonly unknown[],
): Text => ({
  text,
  reads,
  step: (click, _state, least) => step(click, least),
});
const stateful = (
  shape: string,
  reads: Text['reads'],
  text: string,
  keyOf: (click: Click) => unknown,
  row: (before: Record<string, unknown> | undefined, click: Click) => Record<string, unknown>,
  isIn: (click: Click) => boolean = () => true,
): Text => ({
  text,
  reads,
  shape,
  step: (click, state) => {
    if (!isIn(click)) return [];
    const key = keyOf(click);
    state.set(key, row(state.get(key), click));
    return [state.get(key)];
  },
});
const counted = (before: Record<string, unknown> | undefined, { user, n }: Click): Record<string, unknown> => ({
  user,
  clicks: Number(before?.['clicks'] ?? 0) + 1,
  upTo: Number(before?.['upTo'] ?? 0) + n,
});

const texts: Readonly<Record<string, readonly Text[]>> = {
  kept: [
    stateless('clicks', 'const kept = clicks.filter((c) => c.n % 4 >= least); kept.show();', (c, least) =>
      c.n % 4 >= least ? [c] : [],
    ),
    stateless(
      'clicks',
      'const kept = clicks.filter((c) => c.n % 5 !== least).map((c) => ({ ...c, n: c.n * 2 })); kept.show();',
      (c, least) => (c.n % 5 !== least ? [{ ...c, n: c.n * 2 }] : []),
    ),
    stateless(
      'clicks',
      'const kept = clicks.flatMap((c) => (c.n % 3 < least ? [c, c] : [])); kept.show();',
      (c, least) => (c.n % 3 < least ? [c, c] : []),
    ),
  ],
  counts: [
    stateful(
      'count and sum by user',
      'kept',
      `const counts = kept.keyBy('user').aggregate({ clicks: count(), upTo: sum('n') }); counts.show();`,
      (c) => c.user,
      counted,
    ),
    stateful(
      'count and sum by user',
      'kept',
      `const counts = kept.filter((c) => c.n % 3 !== 1).keyBy('user').aggregate({ clicks: count(), upTo: sum('n') }); counts.show();`,
      (c) => c.user,
      counted,
      (c) => c.n % 3 !== 1,
    ),
    stateful(
      'count by user',
      'kept',
      `const counts = kept.keyBy('user').aggregate({ clicks: count() }); counts.show();`,
      (c) => c.user,
      (before, { user }) => ({ user, clicks: Number(before?.['clicks'] ?? 0) + 1 }),
    ),
    stateful(
      'count and sum by user and n',
      'kept',
      `const counts = kept.keyBy((c) => ({ user: c.user, odd: c.n % 2 })).aggregate({ clicks: count(), upTo: sum('n') }); counts.show();`,
      (c) => `${c.user} ${c.n % 2}`,
      (before, c) => ({ user: c.user, odd: c.n % 2, ...counted(before, c) }),
    ),
  ],
  gaps: [
    stateful(
      'last n',
      'clicks',
      `const gaps = clicks.keyBy('user').process({ state: { last: valueState<number>() }, *onElement({ user, n }, { state }) { const last = state.last.get() ?? -1; state.last.set(n); yield { user, n, gap: n - last }; } }); gaps.show();`,
      (c) => c.user,
      (before, { user, n }) => ({ user, n, gap: n - Number(before?.['n'] ?? -1) }),
    ),
    stateful(
      'last n',
      'clicks',
      `const gaps = clicks.keyBy('user').process({ state: { last: valueState<number>() }, *onElement({ user, n }, { state }) { const last = state.last.get() ?? -1; state.last.set(n); yield { user, n, gap: last - n }; } }); gaps.show();`,
      (c) => c.user,
      (before, { user, n }) => ({ user, n, gap: Number(before?.['n'] ?? -1) - n }),
    ),
  ],
};
const cells = Object.keys(texts);

/** The text of a cell from a source position on. */
interface Version {
  readonly from: number;
  readonly text: Text;
  readonly least: number;
}

/** Each cell's rows for records 0 … until − 1. */
function oracle(history: ReadonlyMap<string, readonly Version[]>, until: number): Map<string, unknown[]> {
  const rows = new Map<string, unknown[]>(cells.map((id) => [id, []]));
  const states = new Map(cells.map((id) => [id, { shape: '', state: new Map<unknown, Record<string, unknown>>() }]));
  const versionAt = (id: string, n: number): Version | undefined => history.get(id)!.findLast(({ from }) => from <= n);
  for (let n = 0; n < until; n++) {
    const given = new Map<string, readonly unknown[]>([['clicks', [clickOf(n)]]]);
    for (const id of cells) {
      const version = versionAt(id, n);
      const held = states.get(id)!;
      if (!version) {
        given.set(id, []);
        continue;
      }
      const { text, least } = version;
      if (text.shape !== undefined && held.shape !== text.shape) {
        held.shape = text.shape;
        held.state = new Map();
      }
      const out = (given.get(text.reads) as readonly Click[]).flatMap((click) => text.step(click, held.state, least));
      given.set(id, out);
      rows.get(id)!.push(...out);
    }
  }
  return rows;
}

for (const seed of [11, 12, 13, 14])
  test(
    `schedule ${seed}: over a live source every row is that of the text which ran at its source position`,
    { timeout: 300_000 },
    async () => {
      const chance = seeded(seed);
      await using session = new LiveSession({ lossless: true });
      const history = new Map<string, Version[]>(cells.map((id) => [id, []]));
      const steps: string[] = [];
      const choice: Record<string, number> = { kept: 0, counts: 0, gaps: 0 };
      let least = 1;
      /** The mutation in question is the last one: from its position on the cell does this. */
      const since = (id: string, text: Text, captured: number): void => {
        const { cell, positions } = session.mutations.at(-1)!;
        assert.ok(cell === undefined || cell === id, `the last mutation is that of ${id}`);
        const last = history.get(id)!.at(-1);
        const [position] = Object.values(positions);
        steps.push(`${id} ${texts[id]!.indexOf(text)} least ${captured} from ${position}`);
        // A run that changes nothing waits for no barrier.
        if (position === undefined)
          assert.deepEqual([text, id === 'kept' && captured], [last?.text, id === 'kept' && last?.least]);
        else history.get(id)!.push({ from: Number(/^n=(\d+)$/.exec(position)![1]), text, least: captured });
      };
      const run = async (id: string): Promise<void> => {
        const text = texts[id]![choice[id]!]!;
        session.edit(id, text.text);
        await session.ran(id);
        since(id, text, least);
      };
      const mutation = (after: number, what: string) =>
        session.until(
          () => session.mutations.length,
          (n) => n > after,
          what,
        );
      const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, chance.next() * 200));

      session.edit('source', source);
      session.edit('limit', 'const least = 1;');
      await session.ran('source', 'limit');
      for (const id of cells) await run(id);
      for (let step = 0; step < 14; step++) {
        const id = chance.pick(cells);
        const dice = chance.next();
        if (dice < 0.6) {
          choice[id] = chance.pick(texts[id]!.map((_, index) => index));
          await run(id);
        } else if (dice < 0.75) {
          least = 1 + Math.floor(chance.next() * 2);
          session.edit('limit', `const least = ${least};`);
          await session.ran('limit');
        } else if (dice < 0.85) {
          await session.ran('source');
        } else {
          // The records go on for other cells, and an undo changes nothing.
          const before = session.mutations.length;
          session.delete(id);
          await mutation(before, 'the deletion');
          await pause();
          session.edit(id, history.get(id)!.at(-1)!.text.text);
          await mutation(before + 1, 'the undo');
          steps.push(`${id} deleted and back`);
        }
        await pause();
      }

      const lastChange = Math.max(...[...history.values()].map((versions) => versions.at(-1)!.from));
      const wanted = oracle(history, lastChange + 60);
      for (const [id, rows] of wanted) {
        await session.until(
          () => session.everyRow(id).length,
          (n) => n >= rows.length,
          `${rows.length} rows of ${id}`,
        );
        assert.ok(rows.length > 50, `${id} has rows to compare`);
        const seen = session.everyRow(id).slice(0, rows.length);
        const wrong = rows.findIndex((row, i) => JSON.stringify(row) !== JSON.stringify(seen[i]));
        assert.equal(
          wrong,
          -1,
          `${id}, row ${wrong}: ${JSON.stringify(seen.slice(wrong - 1, wrong + 3))} for ${JSON.stringify(rows.slice(wrong - 1, wrong + 3))} after ${steps.join(', ')}`,
        );
      }
      const clicks = session.everyRow('source');
      assert.deepEqual(
        clicks,
        clicks.map((_, n) => clickOf(n)),
        'the source was opened once and lost nothing',
      );
    },
  );
