// Rows that cannot leave the executor's thread: each is left out and counted, the first is the
// error of its cell, and everything else goes on, the cell itself too.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const source = `import { generate } from 'sluice';
const ticks = generate({ rate: 100 }, ({ n }) => ({ n }));`;

/** Every fifth row is bad, so good rows show that the cell goes on. */
const everyFifth = (bad: string): string => `ticks.map((r): unknown => (r.n % 5 === 3 ? ${bad} : r)).show();`;

const cases: readonly { readonly what: string; readonly text: string; readonly error: RegExp }[] = [
  { what: 'a Promise', text: everyFifth('Promise.resolve(r.n)'), error: /The row is a Promise\. Use mapAsync/ },
  { what: 'a function', text: everyFifth('{ n: r.n, f: () => r.n }'), error: /f is the function f/ },
  { what: 'a symbol', text: everyFifth("{ n: r.n, s: Symbol('s') }"), error: /s is Symbol\(s\)/ },
  { what: 'a Proxy', text: everyFifth('{ p: new Proxy(r, {}) }'), error: /p is a Proxy/ },
  {
    what: 'a row that contains itself',
    text: `const around = (n: number): unknown => { const row: { n: number; self?: unknown } = { n }; row.self = row; return row; };
${everyFifth('around(r.n)')}`,
    error: /self refers to an object that contains it/,
  },
  {
    what: 'a getter that throws',
    text: everyFifth("{ get price(): number { throw new Error('no price'); } }"),
    error: /price cannot be read: no price/,
  },
  {
    what: '4,000 levels of nesting',
    text: `const deep = (n: number): unknown => { let row: unknown = n; for (let i = 0; i < 4000; i++) row = [row]; return { row }; };
${everyFifth('deep(r.n)')}`,
    error: /row\[0\].* is nested more than 500 levels deep/,
  },
  { what: 'an object such as URL', text: everyFifth("{ page: new URL('https://example.org/') }"), error: /class URL/ },
];

describe('a row that cannot leave the thread is left out, and everything else goes on', () => {
  let session: LiveSession;
  beforeAll(async () => {
    session = new LiveSession();
    session.edit('ticks', source);
    session.edit('ok', 'ticks.show();');
    await session.ran('ticks', 'ok');
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
  });

  for (const { what, text, error } of cases)
    test(what, timeout, async () => {
      session.edit('bad', text);
      await session.ran('bad');
      const [total, ok] = [session.total('bad'), session.total('ok')];
      await session.until(
        () => [session.total('bad'), session.total('ok')],
        ([bad, other]) => bad! > total + 20 && other! > ok + 20,
        'rows of both cells',
      );
      await session.until(
        () => session.phase('bad'),
        (phase) => phase === 'live',
        'the figures of the cell',
      );
      const state = session.state('bad')!;
      assert.equal(state.errors.length, 1);
      assert.equal(state.errors[0]!.code, 'row-not-shown');
      assert.match(state.errors[0]!.message, error);
      assert.match(state.leftOut ?? '', /^\d+ rows were left out$/);
      const shown = session.rows('bad') as { n: number }[];
      assert.ok(shown.length > 10);
      assert.ok(
        shown.every(({ n }) => n % 5 !== 3),
        JSON.stringify(shown.slice(0, 9)),
      );
      const box = session.parts('bad').find((part) => part.kind === 'error');
      assert.ok(box?.record !== undefined && box.record.length > 0);
      assert.deepEqual(session.state('ok')!.errors, []);
      assert.equal(session.control.session.executor, 'ready');
    });

  test('the error goes when the cell shows another stream, and stays when it shows the same', timeout, async () => {
    await session.ran('bad');
    assert.equal(session.state('bad')!.errors.length, 1);
    session.edit('bad', 'ticks.map((r) => r.n).show();');
    await session.ran('bad');
    const { errors, leftOut } = session.state('bad')!;
    assert.deepEqual([errors, leftOut], [[], undefined]);
  });
});

test('a cell that leaves a deep value or a cycle runs, and so does a cell that uses it', timeout, async () => {
  await using session = new LiveSession();
  session.edit(
    'deep',
    `let deep: unknown = 1;
for (let i = 0; i < 4000; i++) deep = [deep];
const ring: { self?: unknown } = {};
ring.self = ring;
deep;`,
  );
  session.edit('user', 'const kind = [Array.isArray(deep), ring.self === ring];\nkind;');
  await session.ran('deep', 'user');
  const part = session.parts('user').find((one) => one.kind === 'value');
  assert.match(part?.text ?? '', /\[ true, true \]/);
});
