// The queue of what expires, against a plain list.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { type Expiring, ExpiryQueue } from '../../state/expiry-queue.ts';

interface Item extends Expiring {
  readonly id: number;
}
const at = fc.nat(20);
const id = fc.nat(15);
const op = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('note' as const), id, at }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('forget' as const), id }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('look' as const), at, most: fc.nat(6), next: fc.nat(20) }) },
);

test('law: items are looked at in the order of their times, within the budget, and forgotten ones never', () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 80 }), (ops) => {
      const queue = new ExpiryQueue<Item>();
      const items = Array.from({ length: 16 }, (_, each): Item => ({ id: each, lookAt: Infinity, place: -1 }));
      const model = new Map<number, number>();
      for (const one of ops) {
        if (one.op === 'note') {
          queue.note(items[one.id]!, one.at);
          model.set(one.id, Math.min(one.at, model.get(one.id) ?? Infinity));
        } else if (one.op === 'forget') {
          queue.forget(items[one.id]!);
          model.delete(one.id);
        } else {
          const budget = { left: one.most };
          let looks = 0;
          queue.look(one.at, budget, (item) => {
            const first = Math.min(...model.values());
            assert.equal(model.get(item.id), first);
            assert.ok(first <= one.at);
            looks++;
            // Every second item takes two of the budget, and expires again later.
            if (item.id % 2 === 0) return model.delete(item.id) ? Infinity : NaN;
            budget.left -= 2;
            const next = one.at + 1 + one.next;
            model.set(item.id, next);
            return next;
          });
          assert.ok(looks <= one.most);
          if (budget.left > 0) assert.ok(Math.min(...model.values()) > one.at, 'nothing is left that is due');
        }
        assert.equal(queue.size, model.size);
        assert.equal(queue.nextTime, Math.min(...model.values()));
      }
    }),
    { numRuns: 500 },
  );
});
