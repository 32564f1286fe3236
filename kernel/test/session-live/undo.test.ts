// A cell that is deleted and comes back within its grace: the operators are the same, nothing is
// read again, and no row is missing.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('an armed sink writes no row while its cell is deleted, and goes on from the undo', { timeout }, async () => {
  await using session = new LiveSession({ graceMillis: 120_000, lossless: true });
  const path = join(session.folder, 'out.jsonl');
  const written = (): readonly number[] =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map((line) => (JSON.parse(line) as { n: number }).n)
      : [];
  const source = `import { generate } from 'sluice';\nconst rows = generate({ rate: 500 }, ({ n }) => ({ n }));\nrows.show();`;
  const sink = `rows.filter((row) => row.n >= 0).toFile(${JSON.stringify(path)});`;
  const read = (): number => session.everyRow('rows').length;
  const more = async (count: number): Promise<void> => {
    const until = read() + count;
    await session.until(read, (rows) => rows >= until, `${until} rows`);
  };
  session.edit('rows', source);
  session.edit('out', sink);
  await session.ran('rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(
    () => written().length,
    (count) => count > 200,
    'written rows',
  );
  const changed = async (act: () => void): Promise<void> => {
    const { length } = session.mutations;
    act();
    await session.until(
      () => session.mutations.length,
      (count) => count > length,
      'the change',
    );
  };
  await changed(() => session.delete('out'));
  await more(200);
  const last = written().at(-1)!;
  await more(500);
  assert.equal(written().at(-1), last, 'nothing is written meanwhile');
  await changed(() => session.edit('out', sink));
  const numbers = await session.until(written, (rows) => rows.at(-1)! > last + 1000, 'rows after the undo');
  const gaps = numbers.flatMap((n, place) => (place > 0 && n !== numbers[place - 1]! + 1 ? [numbers[place - 1]] : []));
  assert.deepEqual(gaps, [last], 'one gap, and no row twice');
  assert.match(session.state('out')?.notes?.join(' ') ?? '', /goes on from now/);
});

/** Ten calls are under way when their cell is deleted. Their answers come during its grace. */
async function answeredWhileDeleted(session: LiveSession): Promise<{ readonly text: string; readonly path: string }> {
  const [path, go] = [join(session.folder, 'out.txt'), join(session.folder, 'go')];
  writeFileSync(path, '');
  const text = `import { appendFileSync, existsSync } from 'node:fs';
rows
  .mapAsync(async (row) => {
    while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20));
    return row.n;
  })
  .sink((n) => appendFileSync(${JSON.stringify(path)}, n + '\\n'));`;
  const calls = (): number | undefined =>
    session.control.session.metrics?.operators.find(({ kind }) => kind === 'mapAsync')?.status?.inFlight ?? 0;
  session.edit(
    'rows',
    `import { generate } from 'sluice';\nconst rows = generate({ rate: 100 }, ({ n }) => ({ n })).take(10);`,
  );
  session.edit('out', text);
  await session.ran('rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(calls, (count) => count === 10, 'ten calls');
  const { length } = session.mutations;
  session.delete('out');
  await session.until(
    () => session.mutations.length,
    (count) => count > length,
    'the deletion',
  );
  writeFileSync(go, '');
  await session.until(calls, (count) => count === 0, 'the answers');
  assert.ok(session.control.session.cells.has('out'), 'the deletion can still be undone');
  assert.equal(readFileSync(path, 'utf8'), '');
  return { text, path };
}

test('answers that come while a cell is deleted are written after the undo', { timeout }, async () => {
  await using session = new LiveSession({ graceMillis: 120_000 });
  const { text, path } = await answeredWhileDeleted(session);
  session.edit('out', text);
  const numbers = await session.until(
    () => readFileSync(path, 'utf8').trim().split('\n'),
    (lines) => lines.length >= 10,
    'ten rows',
  );
  assert.deepEqual(
    numbers,
    Array.from({ length: 10 }, (_, n) => String(n)),
  );
});

test('answers that come while a cell is deleted are not written if nobody undoes it', { timeout }, async () => {
  await using session = new LiveSession({ graceMillis: 20_000 });
  const { path } = await answeredWhileDeleted(session);
  await session.until(
    () => session.control.session.plan.nodes.some(({ group }) => group === 'out'),
    (isThere) => !isThere,
    'the end of the grace',
  );
  assert.equal(readFileSync(path, 'utf8'), '');
});

test(
  'armed sinks over a source that other cells read, and that can be read again, stay armed',
  { timeout },
  async () => {
    await using session = new LiveSession({ graceMillis: 120_000, lossless: true });
    const [one, two] = ['one', 'two'].map((name) => join(session.folder, `${name}.jsonl`)) as [string, string];
    const linesOf = (path: string): readonly string[] =>
      existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    session.edit('rows', `${paced(3000)}\nrows.show();`);
    for (const [cell, path] of [
      ['one', one],
      ['two', two],
    ] as const)
      session.edit(cell, `rows.toFile(${JSON.stringify(path)});`);
    await session.ran('rows', 'one', 'two');
    for (const cell of ['one', 'two']) session.control.dispatch({ kind: 'arm', cell, armed: true });
    await session.until(
      () => [one, two].map((path) => linesOf(path).length),
      (counts) => counts.every((count) => count > 100),
      'written rows',
    );
    const before = instances(session);
    const isDetached = (): boolean => session.control.session.plan.edges.some(({ from }) => from === '');
    session.delete('one');
    await session.until(isDetached, (isCut) => isCut, 'a lost input');
    const until = session.everyRow('rows').length + 100;
    await session.until(
      () => session.everyRow('rows').length,
      (count) => count > until,
      'rows of other cells',
    );
    session.edit('one', `rows.toFile(${JSON.stringify(one)});`);
    await session.until(isDetached, (isCut) => !isCut, 'the input');
    assert.deepEqual(instances(session), before);
    assert.equal(session.state('one')?.sink?.armed, true);
    await session.finished();
    const all = Array.from({ length: 3000 }, (_, n) => `{"n":${n}}`);
    await session.until(
      () => [one, two].map((path) => linesOf(path).length),
      (counts) => counts.every((count) => count >= 3000),
      'all rows',
    );
    assert.deepEqual([linesOf(one), linesOf(two)], [all, all]);
  },
);
