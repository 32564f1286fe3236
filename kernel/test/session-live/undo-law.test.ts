// Law: cells that are deleted and come back within their grace have the rows of an undisturbed run,
// late rows too. The source cannot be read again, and other cells go on reading it meanwhile.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';
import { seeded } from './seeded.ts';

const timeout = 300_000;
const records = 1500;
const seeds = Array.from({ length: Number(process.env['SLUICE_SCHEDULES'] ?? 3) }, (_, place) => 21 + place);

/**
 * An iterator that begins when the file "go" is there, so that all cells see it from its first
 * record. Every seventh record is three seconds behind the newest one, and so late for its window.
 */
const source = (folder: string): string => `import { count, from, sum, tumbling, valueState } from 'sluice';
import { existsSync } from 'node:fs';
async function* numbers() {
  while (!existsSync(${JSON.stringify(join(folder, 'go'))})) await new Promise((resolve) => setTimeout(resolve, 10));
  for (let n = 0; n < ${records}; n++) {
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 4));
    yield { n, user: 'u' + (n % 4), at: n * 100 - (n % 7 === 6 ? 3000 : 0) };
  }
}
const clicks = from(numbers(), { timestamp: 'at' });
clicks.show();`;

type Chance = ReturnType<typeof seeded>;
/** A program: the text of each cell. What gives clicks can be read by the cells behind it. */
function program(chance: Chance, folder: string): ReadonlyMap<string, string> {
  const cells = new Map([['clicks', source(folder)]]);
  const readable = ['clicks'];
  for (let place = 1; place <= 4; place++) {
    const name = `c${place}`;
    const input = chance.pick(readable);
    const other = chance.pick(readable);
    const text = chance.pick([
      `const ${name} = ${input}.filter((c) => c.n % ${place + 2} !== 0);`,
      `const ${name} = ${input}.flatMap((c) => (c.n % 2 === 0 ? [c, c] : []));`,
      `const ${name} = ${input}.union(${other}).map((c) => ({ ...c }));`,
      `const ${name} = ${input}.keyBy('user').aggregate({ seen: count(), upTo: sum('n') });`,
      `const ${name} = ${input}.keyBy('user').window(tumbling('1s')).aggregate({ seen: count() });`,
      `const ${name} = ${input}.keyBy('user').process({ state: { last: valueState<number>() }, *onElement({ n, at }, { state }) { const last = state.last.get() ?? -1; state.last.set(n); yield { n, gap: n - last, at }; } });`,
    ]);
    if (/filter|flatMap|union/.test(text)) readable.push(name);
    cells.set(name, `${text}\n${name}.show();`);
    if (text.includes('.window(')) cells.set(`${name}-late`, `${name}.late.show();`);
  }
  // A window and its late rows are in each program.
  cells.set(
    'windows',
    `const windows = ${chance.pick(readable)}.windowAll(tumbling('1s')).aggregate({ seen: count() });`,
  );
  cells.set('counted', 'windows.show();');
  cells.set('late', 'windows.late.show();');
  return cells;
}

/** The rows of each cell, of a run in which `disturb` deletes cells and brings them back. */
async function rowsOf(
  seed: number,
  disturb: (session: LiveSession, cells: ReadonlyMap<string, string>, chance: Chance) => Promise<void>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const chance = seeded(seed);
  await using session = new LiveSession({ lossless: true, graceMillis: 120_000 });
  const cells = program(chance, session.folder);
  for (const [id, text] of cells) {
    session.edit(id, text);
    await session.ran(id);
  }
  const before = instances(session);
  writeFileSync(join(session.folder, 'go'), '');
  await disturb(session, cells, chance);
  assert.deepEqual(instances(session), before, 'no new lane');
  await session.finished();
  const shown = [...cells].filter(([, text]) => text.includes('.show()')).map(([id]) => id);
  // The order of the two inputs of a union is any order.
  return new Map(
    shown.map((id) => [
      id,
      session
        .everyRow(id)
        .map((row) => JSON.stringify(row))
        .toSorted(),
    ]),
  );
}
function instances(session: LiveSession): readonly string[] {
  return session.control.session.plan.nodes.map(({ id }) => id).toSorted();
}
async function mutated(session: LiveSession, act: () => void, what: string): Promise<void> {
  const { length } = session.mutations;
  act();
  await session.until(
    () => session.mutations.length,
    (count) => count > length,
    what,
  );
}

for (const seed of seeds)
  test(`program ${seed}: deletions that are undone change no row and no late row`, { timeout }, async () => {
    const wanted = await rowsOf(seed, () => Promise.resolve());
    let passed = 0;
    const seen = await rowsOf(seed, async (session, cells, chance) => {
      const ids = [...cells.keys()];
      const read = (): number => session.everyRow('clicks').length;
      const deleted = new Set<string>();
      const back = async (id: string): Promise<void> => {
        deleted.delete(id);
        // The editor has the document in its order, so this cell is now the last one.
        await mutated(session, () => session.edit(id, cells.get(id)!), `the undo of ${id}`);
      };
      for (let step = 0; step < 12; step++) {
        // Nothing comes while the cell of the source is deleted, so it comes back at once.
        const id = deleted.has('clicks') ? 'clicks' : chance.pick(ids);
        if (deleted.has(id)) await back(id);
        else {
          deleted.add(id);
          await mutated(session, () => session.delete(id), `the deletion of ${id}`);
        }
        if (deleted.has('clicks')) continue;
        const before = read();
        const until = Math.min(before + Math.floor(chance.next() * 90), records);
        await session.until(read, (rows) => rows >= until, `${until} records`);
        if (deleted.size > 0) passed += read() - before;
      }
      for (const id of deleted) await back(id);
    });
    assert.ok(passed > 100, `${passed} records passed while a cell was deleted`);
    for (const [id, rows] of wanted) assert.deepEqual(seen.get(id), rows, id);
    assert.equal(wanted.get('clicks')!.length, records);
    assert.ok(wanted.get('late')!.length > 20, 'there are late rows');
  });
