// mapAsync: the order and time of its output, the contents of a snapshot, and the options.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { count, from, type Stream, tumbling } from '../../index.ts';
import { harness } from '../../testing/index.ts';
import { evaluate, nodeOf } from '../api/evaluate.ts';
import { Calls, nextRound, start } from './answered-by-hand.ts';

describe('mapAsync in order', () => {
  test('gives results in the order of elements, with their time', async () => {
    const { h, calls } = start();
    h.element(1, 10);
    h.element(2, 20);
    h.element(3, 30);
    calls.answer(2);
    calls.answer(3);
    assert.deepEqual(h.output(), []);
    calls.answer(1);
    await h.settled();
    assert.deepEqual(h.output(), [
      { element: '#1', timestamp: 10 },
      { element: '#2', timestamp: 20 },
      { element: '#3', timestamp: 30 },
    ]);
    assert.equal(h.entries(), 0);
    h.close();
  });

  test('holds a watermark, and idleness, behind the elements before it', async () => {
    const { h, calls, out } = start();
    h.element(1, 10);
    h.watermark(10);
    h.watermark(11);
    h.element(2, 20);
    h.watermark(20);
    assert.deepEqual(await out(), []);
    calls.answer(2);
    assert.deepEqual(await out(), []);
    calls.answer(1);
    assert.deepEqual(await out(), ['#1', 10, 11, '#2', 20]);
    h.watermark(30);
    assert.deepEqual(await out(), [30], 'with nothing before it, at once');
    h.close();
  });

  test('a window behind it fires when the results of its elements are in', async () => {
    const calls = new Calls();
    const h = harness((items: Stream<unknown>) =>
      items.mapAsync(calls.f).windowAll(tumbling('1m')).aggregate({ n: count() }),
    );
    h.element(1, 10);
    h.element(2, 20);
    h.watermark(Infinity);
    calls.answer(1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(h.output(), []);
    calls.answer(2);
    await h.settled();
    assert.equal(h.output().length, 1);
    assert.equal(h.entries(), 0);
    h.close();
  });
});

test('marks of time that wait for one call are not kept without bound', async () => {
  for (const ordered of [true, false]) {
    const { h, calls, out } = start({ ordered });
    h.element(0, 0);
    for (let n = 1; n <= 5000; n++) {
      h.watermark(n);
      if (n % 10 === 0) {
        h.idle();
        h.active();
      }
    }
    h.element(1, 6000);
    calls.answer(1);
    const kept = h.snapshot().length;
    assert.ok(kept < 20_000, `${kept} bytes`);
    calls.answer(0);
    const rows = await out();
    assert.equal(rows[0], '#0');
    assert.ok(rows.length <= 1003, `${rows.length} marks`);
    assert.deepEqual(rows.slice(-2), [5000, '#1']);
    h.close();
  }
});

describe('mapAsync out of order', () => {
  test('gives results as they are answered, never past a watermark', async () => {
    const { h, calls, out } = start({ ordered: false });
    for (const n of [1, 2]) h.element(n, n);
    h.watermark(2);
    for (const n of [3, 4]) h.element(n, n);
    h.watermark(4);
    calls.answer(4);
    assert.deepEqual(await out(), []);
    calls.answer(2);
    assert.deepEqual(await out(), ['#2']);
    calls.answer(1);
    assert.deepEqual(await out(), ['#1', 2, '#4']);
    calls.answer(3);
    assert.deepEqual(await out(), ['#3', 4]);
    h.close();
  });

  test('and never past idleness', async () => {
    const { h, calls, out } = start({ ordered: false });
    h.element(1, 1);
    h.watermark(1);
    h.idle();
    h.active();
    h.element(2, 2);
    calls.answer(2);
    assert.deepEqual(await out(), []);
    calls.answer(1);
    assert.deepEqual(await out(), ['#1', 1, '#2']);
    h.close();
  });
});

test('no more calls are under way than the capacity; more elements wait, and are called for as answers come', async () => {
  const { h, calls, out } = start({ capacity: 2 });
  for (const n of [1, 2, 3, 4]) h.element(n);
  assert.deepEqual(calls.made, [1, 2]);
  calls.answer(2);
  assert.deepEqual(await out(), []);
  assert.deepEqual(calls.made, [1, 2], 'an answer that waits for the one before it takes its place');
  calls.answer(1);
  assert.deepEqual(await out(), ['#1', '#2']);
  assert.deepEqual(calls.made, [1, 2, 3, 4]);
  calls.answer(3);
  calls.answer(4);
  await h.settled();
  assert.equal(calls.most, 2);
  h.close();
});

test('a downstream without room holds answers back, and then calls', async () => {
  const { h, calls, out } = start({ capacity: 2 });
  h.blockDownstream(true);
  for (const n of [1, 2, 3, 4, 5, 6]) h.element(n);
  for (let n = 1; n <= 6; n++) {
    if (!calls.open.some((call) => call.n === n)) break;
    calls.answer(n);
    await new Promise((resolve) => setImmediate(resolve));
    h.advanceProcessingTime(n);
  }
  assert.ok(calls.made.length <= 4, `${calls.made.length} calls were made for nobody`);
  h.blockDownstream(false);
  for (let n = 1; n <= 6; n++) {
    await out();
    if (calls.open.some((call) => call.n === n)) calls.answer(n);
  }
  await h.settled();
  assert.deepEqual(calls.made, [1, 2, 3, 4, 5, 6]);
  h.close();
});

describe('a snapshot', () => {
  test('holds what has no answer yet, in order, with the time between; it is called for again', async () => {
    for (const ordered of [true, false]) {
      const first = start({ ordered, capacity: 3 });
      for (const n of [1, 2]) first.h.element(n, n);
      first.h.watermark(2);
      for (const n of [3, 4, 5]) first.h.element(n, n);
      assert.deepEqual(first.calls.made, [1, 2, 3]);
      first.calls.answer(2);
      assert.deepEqual(await first.out(), ordered ? [] : ['#2']);
      const snapshot = first.h.snapshot();
      first.h.close();
      const again = start({ ordered, capacity: 3 }, snapshot);
      assert.deepEqual(again.calls.made, [1, 3, 4], 'what has an answer is not called for again');
      again.calls.answer(4);
      again.calls.answer(3);
      assert.deepEqual(await again.out(), []);
      again.calls.answer(1);
      assert.deepEqual(await again.out(), ordered ? ['#1', '#2', 2, '#3', '#4'] : ['#1', 2, '#4', '#3']);
      again.calls.answer(5);
      await again.h.settled();
      assert.deepEqual(again.taken(), ['#5']);
      again.h.close();
    }
  });

  test('does not wait for answers, though no room is left', async () => {
    const first = start({ capacity: 1 });
    for (const n of [1, 2, 3]) first.h.element(n);
    assert.deepEqual(first.calls.made, [1]);
    const snapshot = first.h.snapshot();
    assert.deepEqual(first.calls.made, [1]);
    for (const n of [1, 2, 3]) {
      first.calls.answer(n);
      await first.out();
    }
    first.h.close();
    const again = start({ capacity: 1 }, snapshot);
    for (const n of [1, 2, 3]) {
      assert.equal(again.calls.open.length, 1);
      again.calls.answer(n);
      assert.deepEqual(await again.out(), [`#${n}`]);
    }
    again.h.close();
  });

  test('is taken at the end, too, while the last answers are awaited', async () => {
    const first = start();
    first.h.element(1, 1);
    first.h.watermark(Infinity);
    const snapshot = first.h.snapshot();
    first.calls.answer(1);
    assert.deepEqual(await first.out(), ['#1', Infinity]);
    first.h.close();
    const again = start({}, snapshot);
    again.calls.answer(1);
    assert.deepEqual(await again.out(), ['#1', Infinity]);
    again.h.close();
  });

  test('asks again for an answer that it cannot hold', async () => {
    const first = start();
    first.h.element(1);
    first.h.element(2);
    first.calls.answer(2, new URL('http://a'));
    await first.out();
    const snapshot = first.h.snapshot();
    first.h.close();
    const again = start({}, snapshot);
    assert.deepEqual(again.calls.made, [1, 2]);
    again.h.close();
  });
});

test('an element that a snapshot could not hold is one clear error', () => {
  const { h } = start();
  assert.throws(() => h.element(new URL('http://a')), {
    code: 'not-storable',
    message: /^An element that "mapAsync f" keeps until it is answered is an object of class URL/,
  });
  h.close();
});

test('settled() resolves when every call has its answer', async () => {
  const h = harness((items: Stream<number>) =>
    items.mapAsync(
      async (n) => {
        for (let rounds = 5; rounds > n; rounds--) await nextRound();
        return n * 2;
      },
      { capacity: 2 },
    ),
  );
  for (const n of [1, 2, 3]) h.element(n, n);
  await h.settled();
  assert.deepEqual(
    h.output().map((row) => 'element' in row && row.element),
    [2, 4, 6],
  );
  h.close();
});

test('inside a loop it holds the end back until the last round is answered', async () => {
  const h = harness((items: Stream<number>) =>
    items.iterate((loop) => {
      const halved = loop.mapAsync(
        async (n) => {
          await nextRound();
          return n / 2;
        },
        { capacity: 2 },
      );
      return { feedback: halved.filter((n) => n > 1), output: halved.filter((n) => n <= 1) };
    }),
  );
  for (const n of [8, 100, 3]) h.element(n, 5);
  h.watermark(Infinity);
  await h.settled();
  const out = h.output({ watermarks: true });
  assert.deepEqual(out.at(-1), { watermark: Infinity });
  assert.deepEqual(
    out
      .slice(0, -1)
      .map((row) => 'element' in row && row.element)
      .toSorted(),
    [0.75, 0.78125, 1],
  );
  assert.equal(h.entries(), 0);
  h.close();
});

test('options out of range are refused when the cell is evaluated', () => {
  const declare = (options: object) => () => evaluate(() => from([1]).mapAsync((n) => Promise.resolve(n), options));
  const refused: readonly (readonly [object, string])[] = [
    [{ capacity: 0 }, 'bad-option'],
    [{ capacity: 1.5 }, 'bad-option'],
    [{ ordered: 'no' }, 'bad-option'],
    [{ timeout: '0s' }, 'bad-option'],
    [{ timeout: 5 }, 'bad-duration'],
    [{ retries: -1 }, 'bad-option'],
    [{ onError: 'ignore' }, 'bad-option'],
    [{ order: true }, 'unknown-option'],
  ];
  for (const [options, code] of refused) assert.throws(declare(options), { code }, JSON.stringify(options));
  assert.throws(() => evaluate(() => from([1]).mapAsync(5 as never)), { code: 'not-a-function' });
  assert.deepEqual(nodeOf(declare({})(), 'mapAsync').parameters, {
    ...nodeOf(declare({})(), 'mapAsync').parameters,
    capacity: 100,
    ordered: true,
    timeoutMillis: 30_000,
    retries: 0,
    onError: 'fail',
  });
  const of = (options: object) => nodeOf(declare(options)(), 'mapAsync');
  assert.notEqual(of({}).own, of({ capacity: 5 }).own);
  assert.equal(of({}).shape, of({ capacity: 5, ordered: false }).shape, 'what waits goes over to another version');
});
