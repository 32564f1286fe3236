// The queue that spills acts as an array, for any contents of the file.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { SpillingQueue } from '../../state/spilling-queue.ts';

test('what goes in comes out in order, over memory and file', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -30_000, max: 30_000 }), { maxLength: 12 }), (steps) => {
      const queue = new SpillingQueue<{ readonly n: number; readonly at: Date }>();
      const model: number[] = [];
      let next = 0;
      for (const step of steps) {
        for (let i = 0; i < step; i++) {
          queue.push({ n: next, at: new Date(next) });
          model.push(next++);
        }
        for (let i = 0; i > step && model.length > 0; i--) {
          const taken = queue.shift()!;
          if (taken.n !== model.shift() || taken.at.getTime() !== taken.n) assert.fail(`${taken.n} came out`);
        }
        assert.equal(queue.size, model.length);
      }
      assert.deepEqual(
        Array.from(queue, ({ n }) => n),
        model,
      );
      queue.clear();
      assert.equal(queue.size, 0);
    }),
    { numRuns: 30 },
  );
});

test('many entries lie in the file, not in memory', () => {
  const queue = new SpillingQueue<number>();
  for (let n = 0; n < 100_000; n++) queue.push(n);
  assert.ok(queue.spilled > 60_000, `${queue.spilled} spilled`);
  for (let n = 0; n < 100_000; n++) if (queue.shift() !== n) assert.fail(`not ${n}`);
  assert.equal(queue.spilled, 0);
});
