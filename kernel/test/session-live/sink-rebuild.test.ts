// An edit above an armed sink: a sink that would read from the start again becomes a preview and
// says how much it has written; a sink that goes on stays armed.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = 300_000;
const files = { 'h.jsonl': Array.from({ length: 100 }, (_, n) => JSON.stringify({ n })).join('\n') + '\n' };

function sinkTo(path: string): string {
  return `import { appendFileSync } from 'node:fs';\nrows.sink((row) => appendFileSync(${JSON.stringify(path)}, row.n + '\\n'));`;
}
function linesOf(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0;
}
async function armed(session: LiveSession, path: string, rows: number): Promise<void> {
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(
    () => linesOf(path),
    (count) => count >= rows,
    `${rows} written rows`,
  );
  // The metrics count them too.
  await session.until(
    () => session.operators().some(({ id, recordsIn }) => id.startsWith('out/') && recordsIn >= 100),
    (isCounted) => isCounted,
    'metrics of the sink',
  );
}

const history = (text: string): string =>
  `import { file } from 'sluice';\nconst rows = file<{ n: number }>('h.jsonl', { follow: true }).filter((r) => r.n >= ${text});`;

test('a rebuilt sink writes no old row again, until it is armed anew', { timeout }, async () => {
  await using session = new LiveSession({ files });
  const path = join(session.folder, 'out.txt');
  session.edit('rows', history('0'));
  session.edit('out', sinkTo(path));
  await session.ran('rows', 'out');
  await armed(session, path, 100);
  session.edit('rows', history('-1'));
  await session.ran('rows');
  await session.until(
    () => session.state('out')?.notes.join(' ') ?? '',
    (notes) => /wrote at least 100 rows before this edit; arm it again/.test(notes),
    'the note',
  );
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(linesOf(path), 100);
  assert.equal(session.state('out')?.sink?.armed, false);
  await armed(session, path, 200);
  assert.equal(linesOf(path), 200);
});

test('a sink over a live source goes on and stays armed', { timeout }, async () => {
  await using session = new LiveSession();
  const path = join(session.folder, 'out.txt');
  const source = (least: number): string =>
    `import { generate } from 'sluice';\nconst rows = generate({ rate: 500 }, ({ n }) => ({ n })).filter((r) => r.n >= ${least});`;
  session.edit('rows', source(0));
  session.edit('out', sinkTo(path));
  await session.ran('rows', 'out');
  await armed(session, path, 100);
  session.edit('rows', source(-1));
  await session.ran('rows');
  const before = linesOf(path);
  assert.equal(session.state('out')?.sink?.armed, true);
  await session.until(
    () => linesOf(path),
    (count) => count > before + 100,
    'more rows',
  );
});

test(
  'groups of a table that start anew write no old group again, until the sink is armed anew',
  { timeout },
  async () => {
    await using session = new LiveSession();
    const path = join(session.folder, 'out.txt');
    const users = (least: number): string =>
      `import { count, generate } from 'sluice';
const users = generate({ rate: 500 }, ({ n }) => ({ id: n % 40, group: n % 4 })).keyBy('id').toTable().filter((row) => row.id >= ${least});
const rows = users.groupBy('group').aggregate({ n: count() }).toStream().map(({ group }) => ({ n: group }));`;
    session.edit('rows', users(0));
    session.edit('out', sinkTo(path));
    await session.ran('rows', 'out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await session.until(
      () => linesOf(path),
      (count) => count > 0,
      'written groups',
    );
    session.edit('rows', users(-1));
    await session.ran('rows');
    const before = linesOf(path);
    assert.equal(session.state('out')?.sink?.armed, false);
    await session.until(
      () => session.state('out')?.notes.join(' ') ?? '',
      (notes) => /before this edit; arm it again/.test(notes),
      'the note',
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    assert.equal(linesOf(path), before);
  },
);
