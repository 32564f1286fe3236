// What the schedule of the chaos has planned and what never happened.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Happened } from './happened.ts';
import type { Life } from './schedule.ts';

const life: Life = {
  moves: [
    { kind: 'run-again', after: 1, cell: 'counts' },
    { kind: 'add-partition', after: 1 },
    { kind: 'executor', atWork: true, after: 1 },
  ],
  end: { kind: 'failpoint', name: 'before-commit', times: 1 },
};

test('each kind that was planned is missing until it has happened once', () => {
  const happened = new Happened();
  assert.deepEqual(happened.missing, []);
  happened.plan(life);
  happened.plan({ moves: [], end: { kind: 'kernel', atWork: false, after: 0 } });
  assert.deepEqual(happened.missing, ['add-partition', 'before-commit', 'executor', 'kernel', 'run-again']);
  for (const kind of ['before-commit', 'run-again', 'kernel', 'run-again'] as const) happened.count(kind);
  assert.deepEqual(happened.missing, ['add-partition', 'executor']);
  assert.equal(happened.of('run-again'), 2);
  assert.equal(
    happened.text,
    '0 of the broker, 0 of the executor, 1 of the kernel; at failpoints: after-precommit 0, before-commit 1, ' +
      'while-committing 0, after-commit 0, after-init 0; 0 partitions were added, 2 cells ran again',
  );
});
