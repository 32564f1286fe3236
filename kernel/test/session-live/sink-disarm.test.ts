// An edit above an armed sink, over sources that can be read again, rebuilds what is between them
// from the start. Whatever is between them, the sink is a preview then: no old row is written
// again, it says how many it has written, and the user arms it anew.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const data = Array.from({ length: 40 }, (_, n) => ({ n, k: n % 4, at: n * 1000 }));
const files = { 'h.jsonl': data.map((row) => `${JSON.stringify(row)}\n`).join('') };
const sources = {
  'a file': "file<{ n: number; k: number; at: number }>('h.jsonl', { timestamp: 'at' })",
  values: "from(Array.from({ length: 40 }, (_, n) => ({ n, k: n % 4, at: n * 1000 })), { timestamp: 'at' })",
  'generated records': "generate({ limit: 40, timestamp: 'at' }, ({ n }) => ({ n, k: n % 4, at: n * 1000 }))",
};

interface Case {
  readonly what: string;
  /** The cells between the source and the sink. `tag` is in each row. */
  readonly cells: Readonly<Record<string, string>>;
  /** What is edited in which cell, and which cells run then. */
  readonly edit: { readonly cell: string; readonly from: string; readonly to: string; readonly run: readonly string[] };
}
const tagged = { cell: 'rows', from: 'tag: 1', to: 'tag: 2', run: ['rows'] };
const cases: readonly Case[] = [
  {
    what: 'the groups of a table',
    cells: {
      rows: `import { count } from 'sluice';
const rows = source.map((r) => ({ ...r, tag: 1 })).keyBy('n').toTable().groupBy('k', 'tag').aggregate({ c: count() }).toStream().map(({ row }) => row);`,
    },
    edit: tagged,
  },
  {
    what: 'a join of two tables',
    cells: {
      names: `const names = from([0, 1, 2, 3].map((k) => ({ k, name: 'k' + k }))).keyBy('k').toTable();`,
      rows: `const rows = source.keyBy('k').toTable().join(names).select((r, name) => ({ n: r!.n, name: name!.name, tag: 1 })).toStream().map(({ row }) => row);`,
    },
    edit: tagged,
  },
  {
    what: 'a join in windows, edited on its other side',
    cells: {
      others: 'const others = source.map((r) => ({ ...r, tag: 1 }));',
      rows: `import { tumbling } from 'sluice';
const rows = source.keyBy('k').join(others.keyBy('k')).window(tumbling('10s')).select((a, b) => ({ a: a!.n, b: b!.n, tag: b!.tag }));`,
    },
    edit: { ...tagged, cell: 'others', run: ['others'] },
  },
  {
    what: 'an interval join',
    cells: {
      rows: `const rows = source.keyBy('k').intervalJoin(source.keyBy('k')).between('-5s', '5s').select((a, b) => ({ a: a.n, b: b.n, tag: 1 }));`,
    },
    edit: tagged,
  },
  {
    what: 'a window',
    cells: {
      rows: `import { sum, tumbling } from 'sluice';
const rows = source.map((r) => ({ ...r, tag: 1 })).keyBy('k', 'tag').window(tumbling('10s')).aggregate({ s: sum('n') });`,
    },
    edit: tagged,
  },
  {
    what: 'an iteration',
    cells: {
      rows: `const rows = source.map(({ n }) => ({ n, rest: n, tag: 1 })).iterate((loop) => {
  const halved = loop.map((r) => ({ ...r, rest: Math.floor(r.rest / 2) }));
  return { feedback: halved.filter((r) => r.rest > 0), output: halved.filter((r) => r.rest === 0) };
});`,
    },
    edit: tagged,
  },
  {
    what: 'a delta iteration',
    cells: {
      rows: `const rows = source.map((r) => ({ ...r, tag: 1 })).keyBy('k').toTable().iterateDelta(source, { key: ({ k }) => ({ k }), step: (r, row) => ({ row: { ...row!, n: r.n } }) }).toStream().map(({ row }) => row);`,
    },
    edit: tagged,
  },
  {
    what: 'a cell between them, when the cell above it is edited',
    cells: {
      upper: 'const upper = source.map((r) => ({ ...r, tag: 1 }));',
      middle: 'const middle = upper.filter((r) => r.k < 3);',
      rows: "const rows = middle.keyBy('k').pairwise().map(([a, b]) => ({ from: a.n, to: b.n, tag: b.tag }));",
    },
    edit: { ...tagged, cell: 'upper', run: ['upper'] },
  },
  {
    what: 'a helper two cells up',
    cells: {
      helper: 'const tagOf = (n: number) => ({ n, tag: 1 });',
      between: 'const rowOf = (n: number) => ({ ...tagOf(n), twice: n * 2 });',
      rows: 'const rows = source.map(({ n }) => rowOf(n));',
    },
    edit: { ...tagged, cell: 'helper', run: ['helper', 'between', 'rows'] },
  },
];

/** The rows that were written, one a line. */
function written(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
}

describe('an edit writes no old row again, until the sink is armed anew', () => {
  for (const [index, { what, cells, edit }] of cases.entries()) {
    const [source, text] = Object.entries(sources)[index % 3]!;
    test(`${what}, over ${source}`, timeout, async () => {
      await using session = new LiveSession({ files });
      const path = join(session.folder, 'out.txt');
      const texts: Readonly<Record<string, string>> = {
        source: `import { file, from, generate } from 'sluice';\nconst source = ${text};`,
        ...cells,
        out: `import { appendFileSync } from 'node:fs';
rows.sink((row) => appendFileSync(${JSON.stringify(path)}, JSON.stringify(row) + '\\n'));`,
      };
      for (const [id, cell] of Object.entries(texts)) session.edit(id, cell);
      await session.ran(...Object.keys(texts));
      session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
      await session.finished();
      const before = written(path);
      assert.ok(before.length > 0 && before.every((row) => row.includes('"tag":1')), before.join());

      session.edit(edit.cell, texts[edit.cell]!.replace(edit.from, edit.to));
      await session.ran(...edit.run);
      await session.finished();
      const { sink, notes } = session.state('out')!;
      assert.equal(sink?.armed, false);
      const note = `wrote at least ${before.length.toLocaleString('en-US')} rows before this edit; arm it again`;
      assert.ok(notes.join().includes(note), notes.join());
      // The preview has the rows of the edit, and none of them is written.
      const [shown] = session.rows('out') as { tag: number }[];
      assert.equal(shown?.tag, 2);
      assert.deepEqual(written(path), before);

      session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
      await session.finished();
      const after = written(path).slice(before.length);
      assert.ok(after.length > 0 && after.every((row) => row.includes('"tag":2')), after.join());
      assert.equal(session.state('out')?.sink?.armed, true);
    });
  }
});

const appending = (path: string): string => `(row) => appendFileSync(${JSON.stringify(path)}, row.n + '\\n')`;
const withFs = "import { appendFileSync } from 'node:fs';\n";
const formers = {
  'gets a name': [(f: string) => `const out = source.sink(${f});`],
  'reads from another operator': [(f: string) => `source.filter(() => true).sink(${f});`],
  'is gone in one run and comes back in the next': [() => '', (f: string) => `source.sink(${f});`],
};
for (const [what, next] of Object.entries(formers))
  test(`a sink that ${what} writes no old row again`, timeout, async () => {
    await using session = new LiveSession({ files });
    const path = join(session.folder, 'out.txt');
    session.edit('source', `import { file } from 'sluice';\nconst source = ${sources['a file']};`);
    session.edit('out', `${withFs}source.sink(${appending(path)});`);
    await session.ran('source', 'out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await session.finished();
    const before = written(path);
    assert.equal(before.length, data.length);
    for (const text of next) {
      session.edit('out', `${withFs}${text(appending(path))}`);
      await session.ran('out');
      await session.finished();
    }
    assert.deepEqual(written(path), before);
    assert.equal(session.state('out')?.sink?.armed, false);
    assert.match(session.state('out')!.notes.join(), /wrote at least 40 rows before this edit; arm it again/);
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await session.finished();
    assert.equal(written(path).length, 2 * data.length);
  });

test('an operator that failed and is mended above the sink writes no old row again', timeout, async () => {
  await using session = new LiveSession({ files });
  const path = join(session.folder, 'out.txt');
  session.edit('source', `import { file } from 'sluice';\nconst source = ${sources['a file']};`);
  const rows = (check: string): string =>
    `const rows = source.map((r) => { if (${check}) throw new Error('poison'); return r; });`;
  session.edit('rows', rows('r.n === 20'));
  session.edit(
    'out',
    `import { appendFileSync } from 'node:fs';
rows.sink((row) => appendFileSync(${JSON.stringify(path)}, row.n + '\\n'));`,
  );
  await session.ran('source', 'rows', 'out');
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(
    () => written(path).length,
    (count) => count === 20,
    'the rows before the failure',
  );
  await session.until(
    () => session.operators().find(({ id }) => id.startsWith('out/'))?.recordsIn,
    (count) => count === 20,
    'metrics of the sink',
  );
  session.edit('rows', rows('false'));
  await session.ran('rows');
  await session.finished();
  assert.equal(written(path).length, 20);
  assert.equal(session.state('out')?.sink?.armed, false);
  assert.match(session.state('out')!.notes.join(), /wrote at least 20 rows before this edit; arm it again/);
});

test(
  'a sink that was taken out because it did not return writes no old row when its cell runs again',
  timeout,
  async () => {
    await using session = new LiveSession({ files, interruptMillis: 500 });
    const path = join(session.folder, 'out.txt');
    session.edit('source', `import { file } from 'sluice';\nconst source = ${sources['a file']};`);
    const sink = (after: string): string => `import { appendFileSync } from 'node:fs';
source.sink((row) => { appendFileSync(${JSON.stringify(path)}, row.n + '\\n'); ${after} });`;
    session.edit('out', sink('for (; row.n === 20;);'));
    await session.ran('source', 'out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    await session.stuckIn('out');
    session.control.dispatch({ kind: 'interrupt' });
    await session.until(
      () => session.phase('out'),
      (phase) => phase === 'failed',
      'the failure',
    );
    await session.executorReady();
    const before = written(path);
    assert.equal(before.length, 21);
    session.edit('out', sink(''));
    await session.ran('out');
    await session.finished();
    assert.deepEqual(written(path), before);
    assert.equal(session.state('out')?.sink?.armed, false);
    assert.match(session.state('out')!.notes.join(), /wrote at least \d+ rows before this edit; arm it again/);
  },
);
