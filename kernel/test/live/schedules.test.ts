// Whatever is run, edited and deleted in whatever order: over sources that can be read again each cell ends with the rows of its current text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveSession } from './live-session.ts';

const records = Array.from({ length: 400 }, (_, n) => ({
  n,
  at: 1_700_000_000_000 + n * 250 + ((n * 7) % 5) * 100,
  who: `w${n % 4}`,
  amount: (n * 13) % 50,
}));
const files = { 'data.jsonl': records.map((record) => JSON.stringify(record)).join('\n') };

/** Cells with several texts each; a text is right by itself, whatever the others are. */
const texts: Readonly<Record<string, readonly string[]>> = {
  source: [
    `import { count, file, sum, tumbling, valueState } from 'sluice';
     const events = file<{ n: number; at: number; who: string; amount: number }>('data.jsonl', { timestamp: 'at', watermark: { outOfOrderness: '1s' } });`,
    `import { count, file, sum, tumbling, valueState } from 'sluice';
     const events = file<{ n: number; at: number; who: string; amount: number }>('data.jsonl', { timestamp: 'at', watermark: { outOfOrderness: '1s' } }).filter((e) => e.n % 3 !== 0);`,
  ],
  limit: ['const limit = 10;', 'const limit = 25;'],
  large: [
    `const large = events.filter((e) => e.amount > limit); large.show();`,
    `const large = events.filter((e) => e.amount > limit).map((e) => ({ ...e, amount: e.amount * 2 })); large.show();`,
  ],
  totals: [
    `const totals = large.keyBy('who').window(tumbling('10s')).aggregate({ total: sum('amount'), n: count() }); totals.show();`,
    `const totals = large.keyBy('who').window(tumbling('20s')).aggregate({ total: sum('amount') }); totals.show();`,
  ],
  running: [
    `const running = events.keyBy('who').aggregate({ total: sum('amount') }); running.show();`,
    `const running = events.keyBy('who').process({ state: { last: valueState<number>() }, *onElement(e, { state }) { const last = state.last.get() ?? 0; state.last.set(e.n); yield { who: e.who, gap: e.n - last }; } }); running.show();`,
  ],
};
const shown = ['large', 'totals', 'running'];

function multiset(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** A small deterministic generator, so that a failure names its seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What a fresh session gives that runs everything once, in order. */
async function runAll(choice: Readonly<Record<string, number>>): Promise<Record<string, string[]>> {
  await using session = new LiveSession({ files, lossless: true });
  for (const id of Object.keys(texts)) session.edit(id, texts[id]![choice[id]!]!);
  await session.ran(...Object.keys(texts));
  await session.finished();
  return Object.fromEntries(shown.map((id) => [id, multiset(session.everyRow(id))]));
}

for (const seed of [1, 2, 3, 4, 5, 6])
  test(
    `schedule ${seed}: random runs, edits and deletions end with the rows of the texts at hand`,
    { timeout: 60_000 },
    async () => {
      const random = randomOf(seed);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
      await using session = new LiveSession({ files, lossless: true });
      const choice: Record<string, number> = Object.fromEntries(Object.keys(texts).map((id) => [id, 0]));
      for (const id of Object.keys(texts)) session.edit(id, texts[id]![0]!);
      const steps: string[] = [];
      for (let step = 0; step < 12; step++) {
        const id = pick(Object.keys(texts));
        const dice = random();
        if (dice < 0.5) {
          choice[id] = Math.floor(random() * texts[id]!.length);
          session.edit(id, texts[id]![choice[id]]!);
          steps.push(`edit ${id}=${choice[id]}`);
          await session.run(id);
        } else if (dice < 0.8) {
          steps.push(`run ${id}`);
          await session.run(id);
        } else if (dice < 0.9) {
          steps.push(`delete ${id} and bring it back`);
          session.delete(id);
          session.edit(id, texts[id]![choice[id]!]!);
        } else {
          steps.push('pause');
          await new Promise((resolve) => setTimeout(resolve, random() * 300));
        }
      }
      // Whatever is edited or stale by now is run, until nothing is.
      await session.ran(...Object.keys(texts));
      await session.finished();
      const expected = await runAll(choice);
      for (const id of shown) {
        assert.ok(expected[id]!.length > 10, `${id} has rows to compare`);
        assert.deepEqual(multiset(session.everyRow(id)), expected[id], `${id} after ${steps.join(', ')}`);
      }
    },
  );
