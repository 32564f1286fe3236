// A cell whose operator failed or was stopped says so until it runs again, and so does what reads
// from it. Errors without a line of their own are at the call.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { TablePart } from '../../protocol/displays.ts';
import { LiveSession } from './live-session.ts';

const timeout = { timeout: 300_000 };
const ticks = `import { generate } from 'sluice';
const ticks = generate({ rate: 100 }, ({ n }) => ({ n }));
ticks.show();`;

const table = (session: LiveSession, cell: string): TablePart | undefined =>
  session.parts(cell).find((part) => part.kind === 'table');
const phaseIs = (session: LiveSession, cell: string, phase: string): Promise<unknown> =>
  session.until(
    () => session.phase(cell),
    (seen) => seen === phase,
    `${cell} is ${phase}`,
  );

test('a failed operator, what reads from it, and what goes on beside it', timeout, async () => {
  await using session = new LiveSession();
  session.edit('ticks', ticks);
  session.edit(
    'broken',
    `const broken = ticks.map((tick) => {\n  if (tick.n >= 0) throw new Error('boom');\n  return tick;\n});\nbroken.show();`,
  );
  session.edit('below', 'broken.map(({ n }) => n).show();');
  session.edit('beside', 'broken.union(ticks).show();');
  await session.ran('ticks', 'broken', 'below', 'beside');
  await phaseIs(session, 'broken', 'failed');
  await phaseIs(session, 'below', 'stopped');
  assert.equal(session.state('below')!.reason, 'map of cell broken has failed');
  await session.until(
    () => [table(session, 'broken'), table(session, 'below')],
    (tables) => tables.every((one) => one === undefined),
    'no empty tables',
  );
  await phaseIs(session, 'ticks', 'live');
  await phaseIs(session, 'beside', 'live');
});

test('a table with rows stays, without a rate, and says why it has stopped', timeout, async () => {
  await using session = new LiveSession();
  session.edit('ticks', ticks);
  session.edit(
    'broken',
    `ticks.map((tick) => {\n  if (tick.n > 50) throw new Error('boom');\n  return tick;\n}).show();`,
  );
  await session.ran('ticks', 'broken');
  await phaseIs(session, 'broken', 'failed');
  const stopped = await session.until(
    () => table(session, 'broken'),
    (part) => part?.caption.waiting === true,
    'the caption',
  );
  assert.deepEqual(stopped!.caption.pieces, ['stopped: map of cell broken has failed']);
  assert.equal(stopped!.rate, 0);
  assert.ok(stopped!.total > 0);
});

test('an error without a line of its own is at the call', timeout, async () => {
  await using session = new LiveSession();
  session.edit('lost', "import { file } from 'sluice';\n\nconst lost = file('missing.jsonl');\nlost.show();");
  await session.ran('lost');
  await phaseIs(session, 'lost', 'failed');
  const [error] = session.state('lost')!.errors;
  assert.deepEqual([error?.line, error?.column], [3, 14]);
  const box = session.parts('lost').find((part) => part.kind === 'error');
  assert.match(box!.where, /cell lost, line 3$/);
  assert.equal(box!.excerpt, "const lost = file('missing.jsonl');");
});

test('a cell whose last run failed is failed, and its table is that of the former version', timeout, async () => {
  await using session = new LiveSession();
  session.edit('ticks', ticks);
  await session.ran('ticks');
  session.edit('ticks', ticks.replace('rate: 100', 'rate: -1'));
  assert.equal((await session.run('ticks'))[0]!.ok, false);
  assert.equal(session.phase('ticks'), 'failed');
  assert.deepEqual(session.state('ticks')!.notes, ['the former version still runs: the last run failed']);
  assert.equal(table(session, 'ticks')?.title, 'ticks · former version');
  session.edit('ticks', ticks);
  await session.ran('ticks');
  assert.equal(table(session, 'ticks')?.title, 'ticks');
  await phaseIs(session, 'ticks', 'live');
});

test('what an interrupt has stopped is failed at its call, and its reader is stopped', timeout, async () => {
  await using session = new LiveSession({ interruptMillis: 200 });
  session.edit('ticks', ticks);
  session.edit(
    'stuck',
    'const stuck = ticks\n  .map((tick) => { while (tick.n > 200) {} return tick; });\nstuck.show();',
  );
  session.edit('below', 'stuck.map(({ n }) => n).show();');
  await session.ran('ticks', 'stuck', 'below');
  await session.stuckIn('stuck');
  session.control.dispatch({ kind: 'interrupt' });
  await phaseIs(session, 'stuck', 'failed');
  await session.executorReady();
  assert.equal(session.state('stuck')!.errors[0]!.line, 2);
  await phaseIs(session, 'below', 'stopped');
  assert.equal(session.state('below')!.reason, 'its input has stopped: stuck of cell stuck');
  await phaseIs(session, 'ticks', 'live');
});
