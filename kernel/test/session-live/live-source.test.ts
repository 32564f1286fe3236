// A live source and the cells around it. A run, edit, deletion or interrupt of another cell loses
// no record and no count of a cell.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const clicks = `import { count, generate, sum, tumbling } from 'sluice';
const clicks = generate({ rate: 200, timestamp: 'at' }, ({ n, now }) => ({ n, user: 'u' + (n % 4), at: now }));
clicks.chart({ x: 'at', y: 'n', last: 1_000_000 });`;
const rolling = `const rolling = clicks.keyBy('user').aggregate({ clicks: count(), upTo: sum('n') }); rolling.chart({ x: 'user', y: 'clicks', last: 1_000_000 });`;

interface Rolling {
  readonly user: string;
  readonly clicks: number;
  readonly upTo: number;
}

/**
 * Each count is one more than the last count of its user. The sum of the counted n also matches: no
 * record is lost or doubled.
 */
function checkRolling(rows: readonly unknown[]): void {
  const last = new Map<string, Rolling>();
  for (const row of rows as Rolling[]) {
    const before = last.get(row.user);
    if (before) {
      assert.equal(row.clicks, before.clicks + 1, `count of ${row.user} after ${before.clicks}`);
      const step = row.upTo - before.upTo;
      assert.equal(step % 4, Number(row.user.slice(1)), `n that was added for ${row.user}`);
    }
    last.set(row.user, row);
  }
  // Sums of n with the same remainder are determined by first n and count: 4k + r, …
  for (const { clicks: k, upTo, user } of last.values()) {
    const first = upTo / k - 2 * (k - 1);
    assert.ok(
      Number.isInteger(first) && first % 4 === Number(user.slice(1)),
      `${user} has seen consecutive n: first would be ${first}`,
    );
  }
}
const consecutive = (rows: readonly unknown[]): void => {
  const seen = (rows as { n: number }[]).map((row) => row.n);
  for (let i = 1; i < seen.length; i++) assert.equal(seen[i], seen[i - 1]! + 1, `after n=${seen[i - 1]}`);
};

async function fiveReruns(reuse: boolean): Promise<void> {
  await using session = new LiveSession({ lossless: true, reuse });
  session.edit('clicks', clicks);
  session.edit('rolling', rolling);
  await session.ran('clicks');
  await session.until(
    () => session.everyRow('clicks').length,
    (n) => n > 20,
    'the first rows',
  );
  for (let i = 0; i < 5; i++) {
    session.edit('rolling', rolling.replace('keyBy(', `filter((c) => c.n >= ${i}).keyBy(`));
    await session.ran('rolling');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const before = session.everyRow('clicks').length;
  await session.until(
    () => session.everyRow('clicks').length,
    (n) => n > Math.max(150, before + 50),
    'more rows',
  );
  assert.equal((session.everyRow('clicks')[0] as { n: number } | undefined)?.n, 0);
  consecutive(session.everyRow('clicks'));
  checkRolling(session.everyRow('rolling'));
  const source = session.operators().find((one) => one.kind === 'generate');
  assert.equal(source?.source?.opened, 1);
}
test('five re-runs of another cell: no gap, no repeat, the source is opened once', timeout, () => fiveReruns(true));
test('with reuse switched off the same does not hold', timeout, () =>
  assert.rejects(fiveReruns(false), /after n=|strictly equal/),
);

test(
  'a run of a cell costs well under a second of CPU, and dependants follow a changed stream with their state',
  timeout,
  async () => {
    await using session = new LiveSession({ lossless: true });
    session.edit('clicks', clicks);
    session.edit('rolling', rolling);
    await session.ran('clicks', 'rolling');
    await session.until(
      () => session.everyRow('rolling').length,
      (n) => n > 50,
      'rows',
    );
    session.edit('clicks', clicks.replace('last: 1_000_000', 'last: 500_000'));
    const used = process.cpuUsage();
    await session.ran('clicks');
    const { user, system } = process.cpuUsage(used);
    // CPU of all threads, so that other programs on the machine cannot fail it.
    assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms`);
    const before = session.everyRow('rolling').length;
    await session.until(
      () => session.everyRow('rolling').length,
      (n) => n > before + 50,
      'more rows',
    );
    checkRolling(session.everyRow('rolling'));
  },
);

test(
  'a value that is redefined makes its users stale, by name, and they run on with the old one',
  timeout,
  async () => {
    await using session = new LiveSession({ lossless: true });
    session.edit('clicks', clicks);
    session.edit('limit', 'const least = 2;');
    session.edit('some', `const some = clicks.filter((c) => c.n % 4 >= least); some.show();`);
    await session.ran('clicks', 'limit', 'some');
    session.edit('limit', '// a comment changes nothing\nconst least = 2;');
    await session.ran('limit');
    assert.deepEqual(session.state('some')?.stale, []);
    session.edit('limit', 'const least = 3;');
    await session.ran('limit');
    assert.deepEqual(session.state('some')?.stale, ['least']);
    const rows = session.everyRow('some').length;
    await session.until(
      () => session.everyRow('some').length,
      (n) => n > rows + 20,
      'rows of the stale cell',
    );
    assert.ok(
      (session.everyRow('some') as { n: number }[]).slice(rows).some((row) => row.n % 4 === 2),
      'it runs on with the old value',
    );
  },
);

test('deleting a cell takes its operators; undoing it in time resumes them with their state', timeout, async () => {
  await using session = new LiveSession({ lossless: true, graceMillis: 8000 });
  session.edit('clicks', clicks);
  session.edit('rolling', rolling);
  await session.ran('clicks', 'rolling');
  await session.until(
    () => session.everyRow('rolling').length,
    (n) => n > 50,
    'rows',
  );
  session.delete('rolling');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const counted = (session.everyRow('rolling') as Rolling[]).findLast((row) => row.user === 'u1')!.clicks;
  session.edit('rolling', rolling);
  const after = await session.until(
    () => (session.everyRow('rolling') as Rolling[]).findLast((row) => row.user === 'u1')?.clicks ?? 0,
    (clicks) => clicks > counted + 10,
    'the count to go on',
  );
  assert.ok(after > counted);
  session.delete('rolling');
  await session.until(
    () => session.operators().filter((one) => one.cell === 'rolling').length,
    (n) => n === 0,
    'the operators to be gone',
  );
});

for (const [what, text] of [
  ['in a cell', 'while (true) {}'],
  ['after an await', 'await null; while (true) {}'],
  ['in a map', 'const stuck = clicks.map((c) => { while (c.n >= 0) {} return c; }); stuck.show();'],
] as const)
  test(`an endless loop ${what} is interrupted, and the others lose and double nothing`, timeout, async () => {
    await using session = new LiveSession({ lossless: true });
    session.edit('clicks', clicks);
    session.edit('rolling', rolling);
    session.edit('second', `clicks.keyBy('user').aggregate({ clicks: count(), upTo: sum('n') }).show({ rows: 50 });`);
    session.edit('stuck', text);
    await session.ran('clicks', 'rolling', 'second');
    await session.until(
      () => session.everyRow('rolling').length,
      (n) => n > 300,
      'rows',
    );
    const running = session.run('stuck');
    await session.stuckIn('stuck');
    session.control.dispatch({ kind: 'interrupt', cell: 'stuck' });
    await running;
    const highest = (): number => Math.max(0, ...(session.everyRow('rolling') as Rolling[]).map((row) => row.clicks));
    const before = highest();
    await session.until(highest, (clicks) => clicks > before + 20, 'counts that go on');
    checkRolling(session.everyRow('rolling').slice(-200));
    checkRolling(session.everyRow('second').slice(-200));
    const state = session.state('stuck')!;
    assert.ok(state.phase === 'failed' || state.phase === 'not-run', `the guilty cell is ${state.phase}`);
  });

test(
  'an exception in an operator shows the line and the record, stops the operators that read from it, and a re-run resumes',
  timeout,
  async () => {
    await using session = new LiveSession({ lossless: true });
    session.edit('clicks', clicks);
    session.edit(
      'bad',
      `const bad = clicks.map((c) => {\n  if (c.n % 100 === 99) throw new TypeError('one hundred');\n  return c;\n});\nbad.show();`,
    );
    await session.ran('clicks', 'bad');
    const state = await session.until(
      () => session.state('bad'),
      (seen) => (seen?.errors.length ?? 0) > 0,
      'the error',
    );
    assert.equal(state!.errors[0]!.line, 2);
    assert.match(state!.errors[0]!.message, /one hundred/);
    const error = session.parts('bad').find((part) => part.kind === 'error');
    assert.ok(error?.kind === 'error' && /"n":\d*99\b/.test(error.record ?? ''), JSON.stringify(error));
    const rows = session.everyRow('clicks').length;
    await session.until(
      () => session.everyRow('clicks').length,
      (n) => n > rows + 20,
      'rows of the other cell',
    );
    session.edit('bad', 'const bad = clicks.map((c) => c);\nbad.show();');
    await session.ran('bad');
    await session.until(
      () => session.everyRow('bad').length,
      (n) => n > 20,
      'rows after the re-run',
    );
  },
);

test(
  'a cell that alone reads the stream of another may change what it shows of it, and the stream goes on with its state',
  timeout,
  async () => {
    await using session = new LiveSession({ lossless: true });
    session.edit(
      'hidden',
      `import { count, generate, sum } from 'sluice';
const clicks = generate({ rate: 200, timestamp: 'at' }, ({ n, now }) => ({ n, user: 'u' + (n % 4), at: now }));
const rolling = clicks.keyBy('user').aggregate({ clicks: count(), upTo: sum('n') });`,
    );
    session.edit('shown', 'rolling.show();');
    await session.ran('hidden', 'shown');
    await session.until(
      () => session.everyRow('shown').length,
      (n) => n > 50,
      'rows',
    );
    for (const text of [
      `rolling.chart({ x: 'user', y: 'clicks' });`,
      'rolling.map((row) => row).show();',
      'rolling.show();',
    ]) {
      const counted = Math.max(...(session.everyRow('shown') as Rolling[]).map((row) => row.clicks));
      session.edit('shown', text);
      await session.ran('shown');
      const rows = await session.until(
        () => session.everyRow('shown') as Rolling[],
        (seen) => seen.length > 20 && Math.min(...seen.slice(-4).map((row) => row.clicks)) > counted,
        `rows after ${text}`,
      );
      checkRolling(rows);
    }
  },
);

test('a state that was handed over a moment before the executor ends is not lost', timeout, async () => {
  await using session = new LiveSession({ lossless: true });
  const process = (note: string): string =>
    `const counted = clicks.keyBy('user').process({ state: { n: valueState<number>() }, *onElement(click, { state }) { const n = (state.n.get() ?? 0) + 1; state.n.set(n); yield { user: click.user, n: click.n, count: n, note: '${note}' }; } }); counted.show();`;
  session.edit('clicks', clicks.replace('import {', 'import { valueState,'));
  session.edit('counted', process('a'));
  session.edit('stuck', 'while (true) {}');
  await session.ran('clicks', 'counted');
  await session.until(
    () => session.everyRow('counted').length,
    (n) => n > 200,
    'rows',
  );
  const first = new Map(
    (session.everyRow('counted') as { user: string; n: number; count: number }[])
      .filter((row) => row.count === 1)
      .map((row) => [row.user, row.n]),
  );
  session.edit('counted', process('b'));
  await session.ran('counted');
  const running = session.run('stuck');
  await session.evaluating('stuck');
  session.control.dispatch({ kind: 'interrupt', cell: 'stuck' });
  await running;
  const rows = await session.until(
    () =>
      (session.everyRow('counted') as { user: string; n: number; count: number; note: string }[]).filter(
        (row) => row.note === 'b',
      ),
    (seen) => seen.length > 400,
    'rows of the new text after the restore',
  );
  for (const { user, n, count } of rows.slice(-50))
    assert.equal(count, (n - first.get(user)!) / 4 + 1, `every click of ${user} up to n=${n} is counted once`);
});

test('a failed operator is started again by a run of its own cell only', timeout, async () => {
  await using session = new LiveSession({ lossless: true });
  session.edit('clicks', clicks);
  session.edit('bad', `clicks.map((c) => { if (c.n % 50 === 49) throw new Error('at ' + c.n); return c; }).show();`);
  session.edit('other', 'clicks.map((c) => c.n).show();');
  await session.ran('clicks', 'bad', 'other');
  await session.until(
    () => session.state('bad')?.errors.length ?? 0,
    (n) => n === 1,
    'the error',
  );
  session.delete('other');
  const seen = session.everyRow('clicks').length;
  await session.until(
    () => session.everyRow('clicks').length,
    (n) => n > seen + 150,
    'more clicks',
  );
  assert.equal(session.state('bad')?.errors.length, 1);
});

test('a pull waits for its rows without holding up other cells', timeout, async () => {
  await using session = new LiveSession({ lossless: true });
  session.edit('clicks', clicks);
  session.edit(
    'first',
    `const three = await clicks.filter((c) => c.n % 50 === 0).take(3).toArray();\nthree.map((c) => c.n)`,
  );
  session.edit('other', `clicks.map((c) => c.n).show()`);
  await session.ran('clicks');
  const pulling = session.run('first');
  await session.until(
    () => session.phase('first'),
    (phase) => phase === 'pulling',
    'the pull',
  );
  await session.ran('other');
  const [result] = await pulling;
  assert.equal(result!.ok, true, result!.error?.message);
  const value = session.parts('first').find((part) => part.kind === 'value');
  assert.match(value?.kind === 'value' ? value.text : '', /^\[ \d+, \d+, \d+ \]$/);
});

test('after the end of an executor a stale cell runs on with the value it had captured', timeout, async () => {
  await using session = new LiveSession({ lossless: true });
  session.edit('clicks', clicks);
  session.edit('limit', 'const least = 2;');
  session.edit('some', `const some = clicks.filter((c) => c.n % 4 === least); some.chart({ x: 'at', y: 'n' });`);
  session.edit('stuck', 'while (true) {}');
  await session.ran('clicks', 'limit', 'some');
  session.edit('limit', 'const least = 3;');
  await session.ran('limit');
  const running = session.run('stuck');
  await session.evaluating('stuck');
  session.control.dispatch({ kind: 'interrupt', cell: 'stuck' });
  await running;
  const rows = session.everyRow('some').length;
  await session.until(
    () => session.everyRow('some').length,
    (n) => n > rows + 20,
    'rows after the restore',
  );
  assert.deepEqual([...new Set((session.everyRow('some') as { n: number }[]).map((row) => row.n % 4))], [2]);
  assert.deepEqual(session.state('some')?.stale, ['least']);
});
