// Scripts of broadcast state: rules that change between elements, with and without a key.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { count, from, listState, mapState, type Stream, tumbling, valueState } from '../../index.ts';
import { harness2, runScript } from '../../testing/index.ts';
import { evaluate, nodeOf } from '../api/evaluate.ts';

interface Order {
  readonly who: string;
  readonly amount: number;
}
interface Rule {
  readonly name: string;
  /** Absent: the rule is deleted. */
  readonly limit?: number;
}

const alarms = (orders: Stream<Order>, rules: Stream<Rule>) =>
  orders.connect(rules.broadcast()).process({
    broadcast: { limits: mapState<string, number>() },
    *onElement({ who, amount }, { broadcast }) {
      for (const [name, limit] of broadcast.limits) if (amount > limit) yield `${who} ${name}`;
    },
    *onBroadcast({ name, limit }, { broadcast, timestamp, watermark }) {
      if (limit === undefined) broadcast.limits.delete(name);
      else broadcast.limits.set(name, limit);
      yield `rule ${name} at ${timestamp} ${watermark}`;
    },
  });

test('elements meet the rules that have come before them', () => {
  runScript(
    alarms,
    `
    >L: who amount
    >R: name limit
    <: time what
    >L 00:01 ann 500
    >R 00:02 high 100
    < 00:02 "rule high at 2000 -Infinity"
    >L 00:03 ann 500
    < 00:03 "ann high"
    >R 00:04 higher 400
    < 00:04 "rule higher at 4000 -Infinity"
    >L 00:05 bob 500
    < 00:05 "bob high"
    < 00:05 "bob higher"          in the order in which the rules came
    |L 00:10
    >R 00:06 high -
    < 00:06 "rule high at 6000 -Infinity"
    |R 00:08
    >L 00:06 bob 500
    < 00:06 "bob higher"
    >R 00:09 high 1
    < 00:09 "rule high at 9000 8000"     the lower of the two watermarks
    = 0                           it is no keyed state
    | end
    `,
  );
});

/** A key is blocked for good when its spending in a minute is above the limit at that time. */
const blocked = (orders: Stream<Order>, rules: Stream<{ limit: number }>) =>
  orders
    .keyBy('who')
    .connect(rules.broadcast())
    .process({
      broadcast: { limit: valueState<number>(), all: listState<number>() },
      state: { spent: valueState<number>() },
      *onElement({ amount }, { key, state, broadcast, timers, timestamp }) {
        const spent = (state.spent.get() ?? 0) + amount;
        state.spent.set(spent);
        timers.eventTime(timestamp + 60_000);
        if (spent > (broadcast.limit.get() ?? Infinity))
          yield { who: key.who, spent, limits: [...broadcast.all].join('/') };
      },
      onBroadcast({ limit }, { broadcast }) {
        broadcast.limit.set(limit);
        broadcast.all.add(limit);
      },
      *onTimer(at, { key, state }) {
        yield { who: key.who, spent: state.spent.get()!, limits: `timer ${at}` };
        state.spent.clear();
      },
    });

test('behind a key there are its state and timers beside the broadcast state', () => {
  runScript(
    blocked,
    `
    >L: who amount
    >R: limit
    <: time who spent limits
    >L 00:01 ann 50
    >R 00:01 60
    >L 00:02 ann 20
    < 00:02 ann 70 "60"
    >L 00:02 bob 20
    >R 00:03 100
    >L 00:03 ann 20
    = 6                           what ann and bob spent, four timers
    >L 00:04 bob 90
    < 00:04 bob 110 60/100
    |L 05:00
    |R 01:01                      the broadcast input counts
    < 01:01 ann 90 "timer 61000"
    ~R idle                       a silent one is not waited for
    < 01:02 bob 110 "timer 62000"
    < 01:02 ann - "timer 62000"
    < 01:03 ann - "timer 63000"
    < 01:04 bob - "timer 64000"
    `,
  );
});

test('time behind it is that of the slower input', () => {
  runScript(
    (left: Stream<{ n: number }>, right: Stream<{ n: number }>) =>
      left
        .connect(right.broadcast())
        .process({
          broadcast: {},
          *onElement({ n }) {
            yield { n };
          },
          onBroadcast() {},
        })
        .windowAll(tumbling('1m'))
        .aggregate({ n: count() }),
    `
    >L: n
    >R: n
    <: window n
    >L 00:10 1
    |L 05:00
    >L 00:20 2
    |R 01:00
    < [00:00, 01:00) 2
    | end
    `,
  );
});

test('a write to broadcast state from the other input is an error that names the right place', () => {
  const h = harness2((left: Stream<string>, right: Stream<number>) =>
    left
      .keyBy(() => 1)
      .connect(right.broadcast())
      .process({
        broadcast: { one: valueState<number>(), list: listState<number>(), map: mapState<string, number>() },
        *onElement(call, { broadcast }) {
          const [state, method] = call.split('.') as ['one', 'set'];
          yield String((broadcast[state] as never as Record<string, (value: unknown) => unknown>)[method]!(1));
        },
        onBroadcast(n, { broadcast }) {
          broadcast.one.set(n);
          broadcast.map.set('x', n);
        },
      }),
  );
  h.right(5);
  h.left('one.get');
  assert.deepEqual(
    h.output().map((row) => 'element' in row && row.element),
    ['5'],
  );
  assert.throws(() => h.left('one.set'), {
    code: 'read-only-state',
    message:
      'Broadcast state "one" of "connect" can only be read here: set() would make the parallel instances differ. Change it in onBroadcast, which all of them run.',
  });
  h.close();
  for (const call of ['one.clear', 'list.add', 'list.set', 'list.clear', 'map.set', 'map.delete', 'map.clear']) {
    const other = harness2((left: Stream<string>, right: Stream<number>) =>
      left.connect(right.broadcast()).process({
        broadcast: { one: valueState<number>(), list: listState<number>(), map: mapState<string, number>() },
        onElement(_, { broadcast }) {
          const [state, method] = call.split('.') as ['one', 'set'];
          (broadcast[state] as never as Record<string, (value: unknown) => unknown>)[method]!(1);
        },
        onBroadcast() {},
      }),
    );
    assert.throws(() => other.left('x'), { code: 'read-only-state' }, call);
    other.close();
  }
});

test('timers and keyed state without a key are an error', () => {
  const h = harness2((left: Stream<number>, right: Stream<number>) =>
    left.connect(right.broadcast()).process({
      broadcast: {},
      onElement(_, { timers }) {
        timers.eventTime(5);
      },
      onBroadcast() {},
    }),
  );
  assert.throws(() => h.left(1), {
    code: 'no-key',
    message: /"connect" uses a timer.*Put keyBy\(\) before connect\(\)/,
  });
  h.close();
});

test('what is declared wrongly is refused when the cell is evaluated', () => {
  const onElement = (): void => {};
  const onBroadcast = (): void => {};
  const declare = (f: object, isKeyed = false) =>
    evaluate(() => {
      const left = from([{ k: 1 }]);
      const rules = from([1]).broadcast();
      ((isKeyed ? left.keyBy('k') : left).connect(rules).process as (given: object) => void).call(
        (isKeyed ? left.keyBy('k') : left).connect(rules),
        f,
      );
    });
  assert.throws(() => declare({ onElement, onBroadcast }), { code: 'bad-state', message: /needs its state/ });
  assert.throws(() => declare({ broadcast: {}, onElement }), { code: 'not-a-function', message: /onBroadcast/ });
  assert.throws(() => declare({ broadcast: { x: mapState({ ttl: '1h' }) }, onElement, onBroadcast }), {
    code: 'bad-state',
    message: /"x" has a ttl/,
  });
  assert.throws(() => declare({ broadcast: { x: 5 }, onElement, onBroadcast }), { code: 'bad-state' });
  assert.throws(() => declare({ broadcast: {}, state: { x: valueState() }, onElement, onBroadcast }), {
    code: 'no-key',
    message: /has a state, which belongs to a key/,
  });
  assert.throws(() => declare({ broadcast: {}, onTimer: onElement, onElement, onBroadcast }), { code: 'no-key' });
  assert.doesNotThrow(() => declare({ broadcast: {}, onTimer: onElement, onElement, onBroadcast }, true));
  assert.throws(
    () =>
      evaluate(() =>
        from([{ k: 1 }])
          .keyBy('k')
          .connect(from([1]) as never),
      ),
    {
      code: 'not-a-stream',
      message: /takes a broadcast stream, not/,
    },
  );
});

test('in the plan it is one operator with an exchange of its own for each input; another state is another shape', () => {
  const declare = (isKeyed: boolean, broadcast: object) =>
    evaluate(() => {
      const left = from([{ k: 1 }]);
      const f = { broadcast: broadcast as never, onElement() {}, onBroadcast() {} };
      if (isKeyed)
        left
          .keyBy('k')
          .connect(from([1]).broadcast())
          .process(f);
      else left.connect(from([1]).broadcast()).process(f);
    });
  for (const isKeyed of [false, true]) {
    const fragment = declare(isKeyed, { x: mapState() });
    const node = nodeOf(fragment, 'broadcastProcess');
    const exchanges = fragment.edges
      .filter(({ to }) => to === node.uid)
      .map(({ exchange, input }) => [input, exchange]);
    assert.deepEqual(exchanges, [
      [0, isKeyed ? 'key' : 'forward'],
      [1, 'broadcast'],
    ]);
    assert.equal(node.shape, nodeOf(declare(isKeyed, { x: mapState() }), 'broadcastProcess').shape);
    assert.notEqual(node.shape, nodeOf(declare(isKeyed, { x: listState() }), 'broadcastProcess').shape);
  }
});
