// The third sample in a session: its panel names the slow cell and shows HIGH for a backpressured
// part.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'vitest';
import type { BackpressurePart } from '../../protocol/displays.ts';
import { readNotebook } from '../../terminal/notebook.ts';
import { LiveSession } from './live-session.ts';

test('the panel of sample 03 names the operator that holds the stream back', { timeout: 300_000 }, async () => {
  await using session = new LiveSession();
  const code = readNotebook(join(import.meta.dirname, '../../../samples/03-backpressure.sluice.ts')).cells.filter(
    ({ kind }) => kind === 'code',
  );
  for (const { id, text } of code) session.edit(id, text);
  await session.ran(...code.map(({ id }) => id));
  const panel = (): BackpressurePart | undefined => session.parts('panel').find((part) => part.kind === 'backpressure');
  const seen = await session.until(
    panel,
    (part) => part?.operators.some(({ cell, level }) => cell === 'readings' && level === 'HIGH') === true,
    'HIGH at the source',
  );
  const culprits = seen!.operators.filter(({ culprit }) => culprit !== undefined);
  assert.deepEqual(
    culprits.map(({ cell }) => cell),
    ['calibrated'],
  );
  const [culprit] = culprits;
  assert.match(culprit!.culprit!, /^limits the flow: \d+ (ms|µs) a record$/);
  assert.ok(culprit!.busy > 0.5, `busy ${culprit!.busy}`);
  assert.equal(culprit!.level, 'OK', 'nobody holds it back');
  for (const { cell, level } of seen!.operators)
    if (cell === 'averages') assert.equal(level, 'OK', 'what is behind it waits for records, not for room');
  for (const { name, busy, idle, backpressured } of seen!.operators)
    assert.ok(Math.abs(busy + idle + backpressured - 1) < 0.01, `the shares of ${name} add up to one`);
  const history = seen!.history.find(({ id }) => id.startsWith('readings/'));
  assert.ok(history!.points.at(-1)! > 0.5, 'its history shows it');

  // The text of the sample proposes this edit. Without the loop no operator is backpressured.
  const { id, text } = code.find((cell) => cell.id === 'calibrated')!;
  session.edit(id, text.replace(/  const began.*\n  while.*\n/, ''));
  await session.ran(id);
  await session.until(
    panel,
    (part) => part?.operators.every(({ level, culprit: named }) => level === 'OK' && named === undefined) === true,
    'OK everywhere',
  );
});
