// Bad input gives one clear error in its cell, and the session goes on.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const ticks = `import { configure, from, file, generate, kafka, tumbling } from 'sluice';
const ticks = generate({ rate: 100, timestamp: 'at' }, ({ n, now }) => ({ n, at: now }));
ticks.chart({ x: 'at', y: 'n' });`;

async function sessionWithTicks(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<LiveSession> {
  const session = new LiveSession({ files });
  session.edit('ticks', ticks);
  await session.ran('ticks');
  return session;
}
async function livesOn(session: LiveSession): Promise<void> {
  const total = session.total('ticks');
  await session.until(
    () => session.total('ticks'),
    (now) => now > total + 10,
    'rows of the other cell',
  );
}

const refused: readonly { what: string; text: string; code: string; message: RegExp; line?: number }[] = [
  {
    what: 'a syntax error',
    text: 'const a = 1;\nconst b = ;',
    code: 'syntax',
    message: /Expression expected/,
    line: 2,
  },
  {
    what: 'an exception in a cell',
    text: 'const a = 1;\nnull.b;',
    code: 'exception',
    message: /TypeError: Cannot read properties of null/,
    line: 2,
  },
  {
    what: 'a name that is defined twice',
    text: 'const ticks = 1;',
    code: 'duplicate-name',
    message: /ticks is already defined in cell "ticks"\. Rename one of them\./,
  },
  {
    what: 'an import that is not installed',
    text: `import zod from 'zod';\nzod.string();`,
    code: 'missing-module',
    message: /Cannot find "zod"\. npm install zod in /,
  },
  {
    what: 'a file that is missing',
    text: `file('nowhere.jsonl').show();`,
    code: 'no-file',
    message: /nowhere\.jsonl/,
  },
  { what: 'a window of size zero', text: `ticks.windowAll(tumbling('0s'));`, code: 'bad-window', message: /size/ },
  {
    what: 'a name of a later version',
    text: `configure({ parallelism: 4 });`,
    code: 'not-yet',
    message: /^not-yet: .* in a later version/,
  },
  {
    what: 'toArray of a stream that never ends',
    text: `await ticks.toArray();`,
    code: 'unbounded',
    message: /would never end/,
  },
];
describe('each mistake of a cell is one clear error, in place, and nothing else changes', () => {
  let session: LiveSession;
  beforeAll(async () => {
    session = await sessionWithTicks();
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
  });

  for (const { what, text, code, message, line } of refused)
    test(what, timeout, async () => {
      session.edit('bad', text);
      const [result] = await session.run('bad');
      const failed = result!.ok
        ? await session.until(
            () => session.state('bad')!.errors[0],
            (error) => error !== undefined,
            'the error',
          )
        : result!.error!;
      assert.equal(failed!.code, code, failed!.message);
      assert.match(failed!.message, message);
      if (line !== undefined) assert.equal(failed!.line, line);
      await livesOn(session);
      session.delete('bad');
    });

  test('after all of them the other cell has no error and its stream goes on', timeout, async () => {
    assert.deepEqual(session.state('ticks')!.errors, []);
    await livesOn(session);
  });
});

test('a cycle of cells is refused with its path', timeout, async () => {
  await using session = await sessionWithTicks();
  session.edit('a', 'const x = () => y();');
  session.edit('b', 'const y = () => x();');
  const [result] = await session.run('a');
  assert.equal(result!.ok, false);
  assert.match(result!.error!.message, /"a" uses y of "b", "b" uses x of "a"/);
  await livesOn(session);
});

test('of two cells with one id the later does not run until it is renamed', timeout, async () => {
  await using session = await sessionWithTicks();
  session.control.dispatch({
    kind: 'sync',
    cells: [
      { id: 'ticks', kind: 'code', text: ticks },
      { id: 'ticks', kind: 'code', text: 'const other = 1;' },
      { id: 'user', kind: 'code', text: 'console.log(other);' },
    ],
  });
  const results = await session.run('ticks', 'user');
  assert.equal(results.at(-1)!.ok, false, 'what only the later one defines is not there');
  assert.match(results.at(-1)!.error!.message, /other/);
  await livesOn(session);
});

test(
  'records that are not JSON or have no event time go to errors, with their line, and the others come through',
  timeout,
  async () => {
    await using session = await sessionWithTicks({
      'data.jsonl': ['{"at":1000,"n":1}', 'nonsense', '{"n":2}', '{"at":2000,"n":3}'].join('\n'),
    });
    session.edit(
      'data',
      `const data = file<{ at: number; n: number }>('data.jsonl', { timestamp: 'at' });\ndata.show();`,
    );
    session.edit('errors', `data.errors.show();`);
    await session.ran('data', 'errors');
    await session.until(
      () => session.rows('data').length,
      (n) => n === 2,
      'two good rows',
    );
    const rows = (await session.until(
      () => session.rows('errors'),
      (seen) => seen.length === 2,
      'two bad ones',
    )) as { raw: string; error: string }[];
    assert.equal(rows[0]!.raw, 'nonsense');
    assert.match(rows[1]!.error, /"at"/);
  },
);

test('a line that is not UTF-8 goes to errors, and the session lives on', timeout, async () => {
  const lines = [Buffer.from('{"n":1,"name":"Zürich"}\n'), Buffer.from('{"n":2,"name":"Z\xfcrich"}\n', 'latin1')];
  await using session = await sessionWithTicks({
    'names.jsonl': Buffer.concat([...lines, Buffer.from('{"n":3,"name":"Genève"}\n')]),
  });
  session.edit('names', `const names = file<{ n: number }>('names.jsonl');\nnames.show();`);
  session.edit('errors', `names.errors.show();`);
  await session.ran('names', 'errors');
  const [error] = (await session.until(
    () => session.rows('errors'),
    (seen) => seen.length === 1,
    'the line that is not UTF-8',
  )) as { raw: string; error: string }[];
  assert.match(error!.error, /^names\.jsonl line 2: It is not UTF-8, .* It went to names\.errors; 1 of 2 so far\.$/);
  await session.until(
    () => session.rows('names') as { n: number }[],
    (seen) => seen.length === 2,
    'the others',
  );
  await livesOn(session);
});

test('a broker that is not there, and one that never answers, are named in their cell', timeout, async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port: nobody } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const before = process.env['SLUICE_BROKERS'];
  try {
    for (const [broker, what] of [
      [nobody, 'refused the connection'],
      [port, 'accepted the connection but did not answer within 8 s'],
    ] as const) {
      process.env['SLUICE_BROKERS'] = `127.0.0.1:${broker}`;
      await using session = await sessionWithTicks();
      session.edit('orders', `kafka('orders').show();`);
      await session.run('orders');
      await session.until(
        () => JSON.stringify([session.state('orders'), session.parts('orders')]),
        (seen) =>
          seen.includes(`Kafka cannot be reached: 127.0.0.1:${broker} ${what}`) && seen.includes('SLUICE_BROKERS'),
        'the reason in the cell',
      );
      assert.deepEqual(session.state('orders')!.errors, []);
      await livesOn(session);
    }
  } finally {
    if (before === undefined) delete process.env['SLUICE_BROKERS'];
    else process.env['SLUICE_BROKERS'] = before;
    silent.close();
  }
});

test('an error in a timer or a promise of a cell stands under the cell and ends no cell', timeout, async () => {
  await using session = await sessionWithTicks();
  const start = session.total('ticks');
  session.edit('timer', `setTimeout(() => {\n  throw new Error('too late');\n}, 50);\nconst timer = 1;`);
  session.edit('promise', `void Promise.reject(new Error('nobody waits'));\nconst promise = 1;`);
  session.edit(
    'pulls',
    `const a = from([1, 0]).map((n) => {\n  if (n === 0) throw new Error('zero');\n  return n;\n}).toArray();\nvoid a;\nawait ticks.take(30).toArray();`,
  );
  await session.run('timer', 'promise', 'pulls');
  const said = (cell: string): string => JSON.stringify(session.parts(cell));
  await session.until(
    () => said('timer'),
    (text) => /Uncaught error \(line 2\): Error: too late/.test(text),
    'the timer',
  );
  await session.until(
    () => said('promise'),
    (text) => /Uncaught error.*nobody waits/.test(text),
    'the promise',
  );
  await livesOn(session);
  assert.ok(session.total('ticks') > start, 'the thread is the same: nothing began anew');
});
