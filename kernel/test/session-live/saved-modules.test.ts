// A module beside the notebook is saved while its cells run, and the executor ends: each cell goes
// on with the text with which it ran, and its operators with their state.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const helper = (added: number): string => `import { more } from './more.ts';
export const f = (n: number): number => n + ${added} + more;`;
const files = { 'helper.ts': helper(1000), 'more.ts': 'export const more = 0;' };
const numbers = `import { count, generate } from 'sluice';
import { f } from './helper.ts';
const numbers = generate({ rate: 200 }, ({ n }) => ({ n, k: 'a' }));`;
const counts = `const counts = numbers.map((row) => ({ ...row, c: 1, v: f(0) })).keyBy('k').reduce((a, b) => ({ ...b, c: a.c + 1 }));
counts.show();`;

interface Row {
  /** Of the record. */
  readonly n: number;
  /** So many records have been counted. */
  readonly c: number;
  readonly v: number;
}
const lastRow = (session: LiveSession, id: string): Row | undefined => session.rows(id).at(-1) as Row | undefined;

async function moreRows(session: LiveSession, id: string, more = 200): Promise<Row> {
  const before = lastRow(session, id)?.n ?? -1;
  await session.until(
    () => lastRow(session, id)?.n ?? -1,
    (n) => n > before + more,
    `more rows of ${id}`,
  );
  return lastRow(session, id)!;
}
function assertAllCounted({ n, c }: Row): void {
  assert.equal(c, n + 1, 'no record is lost, and none counts twice');
}
/** The session has taken a snapshot from now on. */
async function snapshotTaken(session: LiveSession): Promise<void> {
  const { asked } = session.control.session.recovery;
  await session.until(
    () => session.control.session.recovery,
    (recovery) => recovery.asked > asked + 1 && !recovery.isAwaited,
    'a snapshot',
  );
}

test(
  'a saved module takes no effect at the end of an executor, and takes effect when its cell runs',
  timeout,
  async () => {
    await using session = new LiveSession({ files });
    session.edit('numbers', numbers);
    session.edit('counts', counts);
    await session.ran('numbers', 'counts');
    await moreRows(session, 'counts');
    await snapshotTaken(session);
    assert.equal(lastRow(session, 'counts')!.v, 1000);

    writeFileSync(join(session.folder, 'helper.ts'), helper(2000));
    rmSync(join(session.folder, 'more.ts'));
    await session.crash();
    const after = await moreRows(session, 'counts');
    assert.equal(after.v, 1000, 'the text with which the cell ran');
    assertAllCounted(after);
    const state = session.state('numbers')!;
    assert.deepEqual(state.errors, []);
    assert.match(
      state.notes.join('\n'),
      /^This cell goes on with the former text of helper\.ts and more\.ts, which was saved since/,
    );
    assert.deepEqual(state.stale.map((path) => path.replace(/.*[\\/]/, '')).toSorted(), ['helper.ts', 'more.ts']);

    await session.crash();
    const again = await moreRows(session, 'counts');
    assert.equal(again.v, 1000, 'what was restored is kept as well');
    assertAllCounted(again);
    assert.equal(session.state('numbers')!.notes.length, 1, 'a note is not said twice');

    writeFileSync(join(session.folder, 'more.ts'), 'export const more = 5;');
    await session.ran('numbers', 'counts');
    const ran = await moreRows(session, 'counts');
    assert.equal(ran.v, 2005, 'the new text');
    assertAllCounted(ran);
    assert.deepEqual(session.state('numbers')!.stale, []);
    assert.deepEqual(session.state('counts')!.stale, []);
  },
);

test('cells that ran before and after a save have their own text after the end of an executor', timeout, async () => {
  await using session = new LiveSession({ files });
  session.edit(
    'numbers',
    `import { generate } from 'sluice';\nconst numbers = generate({ rate: 200 }, ({ n }) => ({ n }));`,
  );
  const shown = `numbers.map(({ n }) => ({ n, v: f(0) })).show();`;
  session.edit('before', `import { f } from './helper.ts';\n${shown}`);
  session.edit('after', `import { f as g } from './helper.ts';\n${shown.replace('f(0)', 'g(0)')}`);
  await session.ran('numbers', 'before');
  writeFileSync(join(session.folder, 'helper.ts'), helper(2000));
  await session.ran('after');
  await moreRows(session, 'after');
  await session.crash();
  assert.equal((await moreRows(session, 'before')).v, 1000);
  assert.equal((await moreRows(session, 'after')).v, 2000);
});

test('a module that a callback imports has its text of that time after the end of an executor', timeout, async () => {
  await using session = new LiveSession({ files: { 'lazy.ts': 'export const value = 1;' } });
  session.edit(
    'numbers',
    `import { generate } from 'sluice';\nconst numbers = generate({ rate: 200 }, ({ n }) => ({ n }));`,
  );
  session.edit(
    'lazy',
    `const load = async (n: number) => ({ n, v: (await import('./lazy.ts')).value });
numbers.mapAsync((row) => load(row.n)).show();`,
  );
  await session.ran('numbers', 'lazy');
  assert.equal((await moreRows(session, 'lazy')).v, 1);
  writeFileSync(join(session.folder, 'lazy.ts'), 'export const value = 2;');
  await session.until(
    () => session.state('lazy')!.stale.map((path) => basename(path)),
    (stale) => stale.length > 0,
    'a stale cell',
  );
  assert.deepEqual(
    session.state('lazy')!.stale.map((path) => basename(path)),
    ['lazy.ts'],
  );
  await session.crash();
  assert.equal((await moreRows(session, 'lazy')).v, 1);
  assert.match(session.state('lazy')!.notes.join('\n'), /former text of lazy\.ts/);
});

test(
  'an operator that captured a function of a cell that ran again stays failed, and a run keeps its state',
  timeout,
  async () => {
    await using session = new LiveSession();
    const definition = (added: number): string => `const f = (n: number) => n + ${added};`;
    session.edit('f', definition(1000));
    session.edit('numbers', numbers.replace(/import .* from '.\/helper.ts';\n/, ''));
    session.edit('counts', counts);
    session.edit('others', 'numbers.show();');
    await session.ran('f', 'numbers', 'others', 'counts');
    session.edit('f', definition(2000));
    await session.ran('f');
    await moreRows(session, 'counts');
    await snapshotTaken(session);
    const before = lastRow(session, 'counts')!;
    await session.crash();
    await moreRows(session, 'others');
    assert.equal(session.phase('counts'), 'failed');
    assert.match(
      session.state('counts')!.errors[0]!.message,
      /cannot go on after the restart: it captured f, and a cell behind that has run again since\. Run the cell/,
    );
    await session.ran('counts');
    const after = await session.until(
      () => lastRow(session, 'counts')!,
      ({ v }) => v === 2000,
      'a row of the present text',
    );
    assert.ok(after.c > before.c, `${after.c} counts on from ${before.c}: ${session.state('counts')!.notes.join()}`);
  },
);

test('an operator goes on with a value that is made anew at each start, and a note says so', timeout, async () => {
  await using session = new LiveSession({
    files: {
      'client.ts': `import { randomUUID } from 'node:crypto';\nexport class Client { id = randomUUID(); }\nexport const client = new Client();`,
    },
  });
  session.edit('numbers', numbers.replace('{ f }', '{ client }').replace('helper', 'client'));
  session.edit(
    'counts',
    `const counts = numbers.map((row) => ({ ...row, c: 1 })).keyBy('k');
counts.reduce((a, b) => ({ ...b, c: a.c + client.id.length / 36 })).show();`,
  );
  await session.ran('numbers', 'counts');
  await moreRows(session, 'counts');
  await snapshotTaken(session);
  await session.crash();
  assertAllCounted(await moreRows(session, 'counts'));
  assert.match(session.state('counts')!.notes.join('\n'), /^Something that .* captured is made anew at each start/);
});
