// A notebook over a file, with several texts for each cell, for the laws about schedules, Run All
// and `sluice run`.
import fc from 'fast-check';
import { LiveSession } from './live-session.ts';

const records = Array.from({ length: 400 }, (_, n) => ({
  n,
  at: 1_700_000_000_000 + n * 250 + ((n * 7) % 5) * 100,
  who: `w${n % 4}`,
  amount: (n * 13) % 50,
}));
export const files = { 'data.jsonl': records.map((record) => JSON.stringify(record)).join('\n') };

/** Cells with several texts each. A text is correct with any texts of the other cells. */
export const texts: Readonly<Record<string, readonly string[]>> = {
  source: [
    `import { count, file, sum, tumbling, valueState } from 'sluice';
     const events = file<{ n: number; at: number; who: string; amount: number }>('data.jsonl', { timestamp: 'at', watermark: { outOfOrderness: '1s' } });`,
    `import { count, file, sum, tumbling, valueState } from 'sluice';
     const events = file<{ n: number; at: number; who: string; amount: number }>('data.jsonl', { timestamp: 'at', watermark: { outOfOrderness: '1s' } }).filter((e) => e.n % 3 !== 0);`,
    `import { count, file, sum, tumbling, valueState } from 'sluice';
     // Half a second, so that something is in flight when the notebook changes.
     const events = file<{ n: number; at: number; who: string; amount: number }>('data.jsonl', { timestamp: 'at', speed: 200, watermark: { outOfOrderness: '1s' } });`,
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
export const shown = ['large', 'totals', 'running'];

/** Sorts rows, because keys may come in any order. */
export function multiset(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** Which text of each cell. */
export type Choice = Readonly<Record<string, number>>;
export const choices: fc.Arbitrary<Choice> = fc.record(
  Object.fromEntries(Object.entries(texts).map(([id, { length }]) => [id, fc.nat(length - 1)])),
);

const known = new Map<string, Promise<Record<string, string[]>>>();
/** The rows of a fresh session that runs everything once, in order. */
export function runAll(choice: Choice): Promise<Record<string, string[]>> {
  const name = JSON.stringify(Object.keys(texts).map((id) => choice[id]));
  if (!known.has(name)) known.set(name, freshRun(choice));
  return known.get(name)!;
}
async function freshRun(choice: Choice): Promise<Record<string, string[]>> {
  await using session = new LiveSession({ files, lossless: true });
  for (const id of Object.keys(texts)) session.edit(id, texts[id]![choice[id]!]!);
  await session.ran(...Object.keys(texts));
  await session.finished();
  return Object.fromEntries(shown.map((id) => [id, multiset(session.everyRow(id))]));
}
