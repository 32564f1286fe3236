// A cell that is deleted and comes back within its grace: the operators are the same, nothing is
// read again, and no row is missing.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = 300_000;
const paced = (limit: number): string =>
  `import { generate } from 'sluice';\nconst rows = generate({ rate: 200, limit: ${limit} }, ({ n }) => ({ n }));`;
const counted = `import { count } from 'sluice';\nconst totals = rows.keyBy(() => 'all').aggregate({ c: count() });\ntotals.show();`;

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 600));
}
function instances(session: LiveSession): readonly string[] {
  return session.control.session.plan.nodes.map(({ id }) => id).toSorted();
}

for (const [name, deleted] of [
  ['the source', 'rows'],
  ['its reader', 'totals'],
] as const)
  test(`${name} is deleted and comes back: each row is counted once`, { timeout }, async () => {
    await using session = new LiveSession({ graceMillis: 20_000 });
    const texts = { rows: `${paced(600)}\nrows.show();`, totals: counted };
    session.edit('rows', texts.rows);
    await session.ran('rows');
    session.edit('totals', texts.totals);
    await session.ran('totals');
    await pause();
    const before = instances(session);
    session.delete(deleted);
    await session.until(
      () => session.control.session.plan.edges.some((edge) => edge.from === ''),
      (isCut) => isCut,
      'a lost input',
    );
    await pause();
    session.edit(deleted, texts[deleted]);
    await session.until(
      () => session.control.session.plan.edges.every((edge) => edge.from !== ''),
      (isBack) => isBack,
      'the input',
    );
    assert.deepEqual(instances(session), before);
    await session.finished();
    assert.deepEqual(session.rows('totals').at(-1), { key: 'all', c: 600 });
  });
