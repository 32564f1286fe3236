// The checker of the chaos finds each row that is missing, comes too often, or should not be there.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Rows } from './batch-result.ts';
import { verdict } from './verdict.ts';

const none: Rows = { windows: [], rolling: [], joins: [], errors: [], late: [] };
/** A row may be expected twice: two equal rows are two rows. */
const expected: Rows = { ...none, windows: ['w1', 'w2'], rolling: ['r1', 'r2', 'r2', 'r3'] };

test('the same rows in another order are right', () => {
  const found = { ...expected, rolling: ['r2', 'r3', 'r1', 'r2'] };
  assert.deepEqual(verdict(20, expected, found), {
    faults: [],
    isRight: true,
    line: '20 kills, 6 rows, 0 lost, 0 doubled',
  });
});

test('a lost row is found, also when it is one of two equal ones', () => {
  const { faults, isRight, line } = verdict(1, expected, { ...expected, windows: ['w2'], rolling: ['r1', 'r2', 'r3'] });
  assert.equal(isRight, false);
  assert.equal(line, '1 kills, 4 rows, 2 lost, 0 doubled');
  assert.deepEqual(faults, [
    { kind: 'lost', topic: 'windows', row: 'w1', times: 1 },
    { kind: 'lost', topic: 'rolling', row: 'r2', times: 1 },
  ]);
});

test('a doubled row is found, with how many times it came too often', () => {
  const { faults, isRight, line } = verdict(3, expected, { ...expected, windows: ['w1', 'w2', 'w1', 'w1'] });
  assert.equal(isRight, false);
  assert.equal(line, '3 kills, 8 rows, 0 lost, 2 doubled');
  assert.deepEqual(faults, [{ kind: 'doubled', topic: 'windows', row: 'w1', times: 2 }]);
});

test('a row in the place of another one is wrong, and the other one is lost', () => {
  const { faults, isRight, line } = verdict(3, expected, { ...expected, windows: ['w1', 'w9'] });
  assert.equal(isRight, false);
  assert.equal(line, '3 kills, 6 rows, 1 lost, 0 doubled, 1 wrong');
  assert.deepEqual(
    faults.map(({ kind, row }) => [kind, row]),
    [
      ['lost', 'w2'],
      ['wrong', 'w9'],
    ],
  );
});

test('a late row is wrong, and no rows at all are no success', () => {
  assert.equal(verdict(3, expected, { ...expected, late: ['l1'] }).isRight, false);
  assert.equal(verdict(3, none, none).isRight, false);
});

test('with all rows right, a late record and what never happened make the run wrong', () => {
  const beside = { late: ['counts'], missing: ['add-partition', 'run-again'] };
  const { faults, isRight, line } = verdict(20, expected, expected, beside);
  assert.deepEqual(faults, []);
  assert.equal(isRight, false);
  assert.equal(
    line,
    '20 kills, 6 rows, 0 lost, 0 doubled; late records in counts; planned, and never happened: add-partition, run-again',
  );
  assert.equal(verdict(20, expected, expected, { ...beside, late: [] }).isRight, false);
  assert.equal(verdict(20, expected, expected, { ...beside, missing: [] }).isRight, false);
  assert.equal(verdict(20, expected, expected, { late: [], missing: [] }).isRight, true);
});
