// Values that state or a row cannot hold. The operator refuses them on arrival, with an error in
// the user's words.
// It never stores a changed value and never loses one.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { count, globalWindow, session, sliding, type Stream, trigger, tumbling } from '../../index.ts';
import { harness } from '../../testing/index.ts';

class Point {
  readonly k: number = 1;
  readonly v: number = 1;
}

describe('an aggregate named like a field of a key that a function gives', () => {
  interface Order {
    readonly customer: string;
  }
  const byObject = (orders: Stream<Order>) => orders.keyBy(({ customer }) => ({ total: customer }));
  const driven = {
    'tumbling windows': () =>
      harness((orders: Stream<Order>) => byObject(orders).window(tumbling('1m')).aggregate({ total: count() })),
    'sliding windows': () =>
      harness((orders: Stream<Order>) => byObject(orders).window(sliding('10m', '1m')).aggregate({ total: count() })),
    'session windows': () =>
      harness((orders: Stream<Order>) => byObject(orders).window(session('1m')).aggregate({ total: count() })),
    'a rolling aggregate': () => harness((orders: Stream<Order>) => byObject(orders).aggregate({ total: count() })),
  };
  for (const [name, open] of Object.entries(driven))
    test(`is refused with the first element by ${name}`, () => {
      const h = open();
      assert.throws(() => h.element({ customer: 'ann' }), {
        code: 'name-taken',
        message: /Aggregate "total" has the name of the key field "total"/,
      });
      h.close();
    });
  test('is refused where the key is no object, and so is called "key"', () => {
    const driven = harness((orders: Stream<Order>) =>
      orders
        .keyBy(({ customer }) => customer)
        .window(tumbling('1m'))
        .aggregate({ key: count() }),
    );
    assert.throws(() => driven.element({ customer: 'ann' }), { code: 'name-taken' });
    driven.close();
  });
});

test('a delta trigger keeps data only: neither an instance of a class nor a function', () => {
  const far = (points: Stream<Point>) =>
    points
      .keyBy('k')
      .window(globalWindow())
      .trigger(trigger.delta<Point>(1, (last, now) => now.v - last.v))
      .aggregate({ n: count() });
  for (const element of [new Point(), { k: 1, v: 1, format: () => 'one' }]) {
    const driven = harness(far);
    assert.throws(() => driven.element(element), { code: 'not-storable', message: /delta trigger of "aggregate n"/ });
    driven.close();
  }
});

test('a key that contains itself is one clear error', () => {
  const key: unknown[] = [];
  key.push(key);
  const driven = harness((rows: Stream<{ k: unknown }>) =>
    rows.keyBy('k').window(tumbling('1m')).aggregate({ n: count() }),
  );
  assert.throws(() => driven.element({ k: key }), { code: 'bad-key', message: /contains itself/ });
  driven.close();
});
