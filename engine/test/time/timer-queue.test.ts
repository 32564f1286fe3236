// The queue of timers: by time, then by order of addition.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { TimerQueue } from '../../time/timer-queue.ts';

test('law: any mix of adding, taking and dropping gives what a sorted list gives', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom('take' as const, 'retain' as const)), {
        maxLength: 200,
      }),
      (steps) => {
        const queue = new TimerQueue<number>();
        let list: (readonly [time: number, item: number])[] = [];
        steps.forEach((step, item) => {
          if (step === 'retain') {
            queue.retain((one, time) => (one + time) % 3 !== 0);
            list = list.filter(([time, one]) => (one + time) % 3 !== 0);
          } else if (step !== 'take') {
            queue.add(step, item);
            list = [...list, [step, item] as const].sort(([a, first], [b, second]) => a - b || first - second);
          } else {
            const [first] = list;
            assert.equal(queue.nextTime, first?.[0] ?? Infinity);
            assert.equal(queue.next, first?.[1]);
            assert.equal(queue.shift(), first?.[1]);
            list = list.slice(1);
          }
          assert.equal(queue.size, list.length);
        });
      },
    ),
  );
});
test('nothing is due in an empty queue, not even at the end of time', () => {
  const queue = new TimerQueue<string>();
  assert.equal(queue.isDue(Infinity), false);
  queue.add(5, 'a');
  assert.equal(queue.isDue(4), false);
  assert.equal(queue.isDue(5), true);
  assert.equal(queue.isDue(Infinity), true);
});
