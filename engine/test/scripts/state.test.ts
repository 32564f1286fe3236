// Scripts of all keyed state in one file: lists, maps and values with a time to live, and timers on
// both clocks.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { listState, mapState, type Stream, valueState } from '../../index.ts';
import { harness, runScript } from '../../testing/index.ts';

/** Keeps its elements until it gets `flush`. */
const batches = (ttl: Parameters<typeof listState>[0]) => (items: Stream<{ k: string; v: number | string }>) =>
  items.keyBy('k').process({
    state: { kept: listState<number | string>(ttl) },
    *onElement({ v }, { state }) {
      if (v === 'look') yield [...state.kept].join();
      else if (v === 'clear') state.kept.clear();
      else if (v === 'double') state.kept.set([...state.kept, ...state.kept]);
      else state.kept.add(v);
    },
  });

test('a list keeps what is added, in order, for each key', () => {
  runScript(
    batches(undefined),
    `
    >: k v
    > 00:01 a look
    < ""
    = 0                   looking makes no entry
    > 00:01 a 1
    > 00:02 a 2
    > 00:03 b 9
    = 2                   one for each key, however long
    > 00:04 a look
    < 1,2
    > 00:05 a double
    > 00:06 a look
    < 1,2,1,2
    > 00:07 a clear
    = 1
    > 00:08 a look
    < ""
    > 00:09 b clear
    `,
  );
});

test('each element of a list lives for itself, and what has expired is never given out', () => {
  runScript(
    batches({ ttl: '10s' }),
    `
    >: k v
    > 00:01 a 1
    @ 00:04
    > 00:01 a 2
    @ 00:09.999
    > 00:01 a look
    < 1,2
    @ 00:10
    > 00:01 a look
    < "2"                 added at 0, expired iff 0 + 10 ≤ 10
    > 00:01 a double      set anew: all from now
    @ 00:14
    > 00:01 a look
    < 2,2
    @ 00:20
    > 00:01 a look
    < ""
    `,
  );
});

test('reading a list renews every element of it, where it is asked to', () => {
  runScript(
    batches({ ttl: '10s', refresh: 'read-write' }),
    `
    >: k v
    > 00:01 a 1
    @ 00:05
    > 00:01 a 2
    @ 00:09
    > 00:01 a look
    < 1,2
    @ 00:18
    > 00:01 a look
    < 1,2
    @ 00:28
    > 00:01 a look
    < ""
    `,
  );
});

/** Counts by a second key inside the state: `+x`, `-x`, `?x`. `look` reads all of them. */
const counts = (ttl: Parameters<typeof mapState>[0]) => (items: Stream<{ k: string; op: string }>) =>
  items.keyBy('k').process({
    state: { n: mapState<string, number>(ttl) },
    *onElement({ op }, { state }) {
      const name = op.slice(1);
      if (op === 'look') yield [...state.n].map(([key, n]) => key + n).join();
      else if (op === 'clear') state.n.clear();
      else if (op.startsWith('?')) yield state.n.has(name);
      else if (op.startsWith('-')) state.n.delete(name);
      else state.n.set(name, (state.n.get(name) ?? 0) + 1);
    },
  });

test('a map keeps its entries in the order in which their keys were first set', () => {
  runScript(
    counts(undefined),
    `
    >: k op
    > 00:01 a +y
    > 00:01 a +x
    > 00:01 a +y
    > 00:01 a look
    < y2,x1
    > 00:01 a ?x
    < true
    > 00:01 a -y
    > 00:01 a ?y
    < false
    > 00:01 a +y
    > 00:01 a look
    < x1,y1             deleted and set again: at the end
    > 00:01 b look
    < ""
    = 1
    > 00:01 a -x
    > 00:01 a -y
    = 0                   an empty map is no entry
    > 00:01 a +z
    > 00:01 a clear
    `,
  );
});

test('each entry of a map lives for itself; setting it renews it, reading it does not', () => {
  runScript(
    counts({ ttl: '10s' }),
    `
    >: k op
    > 00:01 a +x
    > 00:01 a +y
    @ 00:06
    > 00:01 a +x
    > 00:01 a ?y
    < true
    @ 00:10
    > 00:01 a ?y
    < false
    > 00:01 a look
    < x2
    > 00:01 a +y
    > 00:01 a look
    < x2,y1             a new one, behind x
    @ 00:16
    > 00:01 a look
    < y1
    @ 00:20
    > 00:01 a ?y
    < false
    `,
  );
});

test('reading an entry renews that entry, where it is asked to, and a loop renews all', () => {
  runScript(
    counts({ ttl: '10s', refresh: 'read-write' }),
    `
    >: k op
    > 00:01 a +x
    > 00:01 a +y
    @ 00:09
    > 00:01 a ?x
    < true
    @ 00:10
    > 00:01 a look
    < x1
    @ 00:19
    > 00:01 a look
    < x1
    @ 00:29
    > 00:01 a look
    < ""
    `,
  );
});

test('a state whose entries have all expired leaves nothing behind, also without a read', () => {
  const h = harness((items: Stream<{ k: string; v: number }>) =>
    items.keyBy('k').process({
      state: { all: listState<number>({ ttl: '10s' }), by: mapState<number, number>({ ttl: '20s' }) },
      onElement({ v }, { state }) {
        state.all.add(v);
        state.by.set(v, v);
      },
    }),
  );
  h.element({ k: 'a', v: 1 });
  assert.equal(h.entries(), 2);
  h.advanceProcessingTime(10_000);
  h.snapshot();
  assert.equal(h.entries(), 1, 'a snapshot does not keep the list');
  h.advanceProcessingTime(20_000);
  h.snapshot();
  assert.equal(h.entries(), 0);
  h.close();
});

test('keys of a map are compared by value, and are returned as they were set', () => {
  const keys: readonly unknown[] = [
    new Date(5),
    5,
    5n,
    '5',
    [5, 'a'],
    ['5', 'a'],
    { y: 1, x: 2 },
    null,
    true,
    new Uint8Array([1]),
    '\0n5;',
    'd5;',
  ];
  type Item = { key: unknown };
  const build = (items: Stream<Item>) =>
    items
      .keyBy(() => 'one')
      .process({
        state: { seen: mapState<unknown, number>() },
        *onElement({ key }, { state }) {
          state.seen.set(key, (state.seen.get(key) ?? 0) + 1);
          yield [...state.seen];
        },
      });
  const first = harness(build);
  for (const key of keys) first.element({ key: structuredClone(key) });
  const second = harness(build, { restore: first.snapshot() });
  second.element({ key: { x: 2, y: 1 } });
  second.element({ key: -0 });
  for (const key of keys) second.element({ key: structuredClone(key) });
  const last = second.output().at(-1)!;
  const expected = keys.map((key) => [key, 2]);
  expected[6]![1] = 3;
  expected.splice(keys.length, 0, [0, 1]);
  assert.deepEqual('element' in last && last.element, expected);
  first.close();
  second.close();
});

test('what cannot be kept is refused, by the name of the state', () => {
  const put = (use: (state: { list: unknown[]; map: Map<unknown, unknown> }) => void) => {
    const h = harness((items: Stream<number>) =>
      items
        .keyBy(() => 1)
        .process({
          state: { list: listState<unknown>(), map: mapState<unknown, unknown>() },
          onElement(_, { state }) {
            use(state as never);
          },
        }),
    );
    try {
      h.element(1);
    } finally {
      h.close();
    }
  };
  type Lists = { add(value: unknown): void; set(values: unknown): void };
  const refused: readonly (readonly [code: string, message: RegExp, use: Parameters<typeof put>[0]])[] = [
    [
      'not-storable',
      /^State "list" of "process" is an object of class URL/,
      ({ list }) => (list as never as Lists).add(new URL('http://a')),
    ],
    [
      'not-storable',
      /^State "list" of "process" was given undefined/,
      ({ list }) => (list as never as Lists).add(undefined),
    ],
    ['not-iterable', /^State "list" of "process" was set to 5/, ({ list }) => (list as never as Lists).set(5)],
    ['not-storable', /^State "map" of "process" is a function/, ({ map }) => map.set(1, () => 1)],
    ['not-storable', /^State "map" of "process" was given undefined/, ({ map }) => map.set(1, undefined)],
    ['bad-key', /^State "map" of "process": The key is NaN/, ({ map }) => map.get(NaN)],
    ['bad-key', /^State "map" of "process": The key is undefined/, ({ map }) => map.has(undefined)],
    ['bad-key', /^State "map" of "process": The key is a Map of 0/, ({ map }) => map.delete(new Map())],
  ];
  for (const [code, message, use] of refused)
    assert.throws(
      () => put(use),
      (error: { code?: unknown; message?: unknown }) => {
        assert.equal(error.code, code);
        assert.match(String(error.message), message);
        return true;
      },
    );
});

test('what is kept is frozen in the kit: a change without set is an error', () => {
  const h = harness((items: Stream<{ k: string; tags: string[] }>) =>
    items.keyBy('k').process({
      state: { all: mapState<string, { tags: string[] }>(), last: listState<{ tags: string[] }>() },
      onElement({ k, tags }, { state }) {
        for (const one of state.last) one.tags.push('x');
        state.all.get(k)?.tags.push('x');
        if (tags.length > 0) state.last.add({ tags: [...tags] });
        else state.all.set(k, { tags: [] });
      },
    }),
  );
  h.element({ k: 'list', tags: ['a'] });
  assert.throws(() => h.element({ k: 'list', tags: ['a'] }), TypeError);
  h.close();
});

test('a loop over a list sees it as it was, though the loop adds to it', () => {
  const h = harness((items: Stream<number>) =>
    items
      .keyBy(() => 1)
      .process({
        state: { all: listState<number>() },
        *onElement(n, { state }) {
          state.all.add(n);
          for (const one of state.all) state.all.add(one * 10);
          yield [...state.all];
        },
      }),
  );
  h.element(1);
  h.element(2);
  assert.deepEqual(
    h.output().map((row) => 'element' in row && row.element),
    [
      [1, 10],
      [1, 10, 2, 10, 100, 20],
    ],
  );
  h.close();
});

test('timers of both clocks are set and deleted one by one; a timer keeps its key alive', () => {
  runScript(
    (items: Stream<{ k: string; op: string; at: number }>) =>
      items.keyBy('k').process({
        state: { last: valueState<string>({ ttl: '1h' }) },
        onElement({ op, at }, { timers }) {
          if (op === 'event') timers.eventTime(at);
          else if (op === 'clock') timers.processingTime(at);
          else if (op === 'no-event') timers.deleteEventTime(at);
          else timers.deleteProcessingTime(at);
        },
        *onTimer(at, { key, domain, timestamp }) {
          yield { k: key.k, at, domain, same: timestamp === at };
        },
      }),
    `
    >: k op at
    <: k at domain same
    > 00:01 a event 5000
    > 00:01 a clock 5000
    > 00:01 b event 5000
    = 3
    > 00:01 a no-event 5000
    > 00:01 a no-clock 5001      there is none
    = 2
    | 00:05
    < b 5000 event true
    > 00:01 b event 5000         at the watermark: with the next one
    @ 00:05
    < a 5000 processing true
    > 00:01 a clock 7000
    > 00:01 a clock 6000
    > 00:01 a no-clock 6000
    | 00:05.001
    < b 5000 event true
    @ 00:08
    < a 7000 processing true
    `,
  );
});

test('a timer of processing time that sets itself again for the moment it was set for fires once each time the clock moves on', () => {
  const driven = harness((rows: Stream<{ k: string }>) =>
    rows.keyBy('k').process({
      onElement(_row, { timers }): void {
        timers.processingTime(5);
      },
      onTimer(at, { timers }) {
        timers.processingTime(at);
        return [at];
      },
    }),
  );
  driven.element({ k: 'a' });
  for (const [now, fired] of [
    [5, 1],
    [6, 1],
    [1000, 1],
  ] as const) {
    driven.advanceProcessingTime(now);
    assert.equal(driven.output().length, fired);
  }
  driven.close();
});
