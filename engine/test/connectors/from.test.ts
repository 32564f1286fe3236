// from() with arrays, iterables and async iterables. Some can be read again after a restore, and
// others cannot.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { ManualClock } from '../../contract/clock.ts';
import { functionRef, PolledSource, runInLives, type SourceSetup } from './polled-source.ts';

function setup(
  elements: unknown,
  more: Partial<SourceSetup> & { readonly isOnce?: boolean; readonly timestamp?: string } = {},
): SourceSetup {
  const { isOnce = false, timestamp, ...rest } = more;
  return {
    kind: 'from',
    parameters: {
      elements: functionRef('elements'),
      isAsync: Symbol.asyncIterator in (elements as object),
      replayable: !isOnce,
      watermark: { outOfOrdernessMillis: 0 },
      ...(timestamp !== undefined && { timestamp: { field: timestamp } }),
    },
    functions: { elements: () => elements },
    ...rest,
  };
}

/** An async iterable that gives the elements that the test adds, when the test adds them. */
class Inlet implements AsyncIterable<unknown> {
  asked = 0;
  isReturned = false;
  readonly #waiting: ((result: IteratorResult<unknown> | Promise<never>) => void)[] = [];
  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return {
      next: () => {
        this.asked++;
        return new Promise((resolve) => this.#waiting.push(resolve));
      },
      return: () => {
        this.isReturned = true;
        return Promise.reject(new Error('nobody hears this'));
      },
    };
  }
  async put(value: unknown): Promise<void> {
    this.#waiting.shift()!({ done: false, value });
    await settled();
  }
  async end(): Promise<void> {
    this.#waiting.shift()!({ done: true, value: undefined });
    await settled();
  }
  async fail(error: Error): Promise<void> {
    this.#waiting.shift()!(Promise.reject(error));
    await settled();
  }
}
/** Resolves after the callbacks of all settled promises. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('the elements of an array come in order, each with its index, at the time of their arrival', () => {
  const source = new PolledSource(setup(['a', 'b', 'c']));
  assert.equal(source.poll(2), 'more');
  source.clock.advanceTo(1_000_400);
  assert.equal(source.poll(), 'end');
  assert.deepEqual(source.emitted, [
    { value: 'a', timestamp: 1_000_000, offset: 0 },
    { value: 'b', timestamp: 1_000_000, offset: 1 },
    { value: 'c', timestamp: 1_000_400, offset: 2 },
  ]);
  assert.equal(source.source.position(), 'element 3');
  assert.deepEqual(source.source.progress?.(), { element: 3 });
});

test('an empty array ends at once', () => {
  const source = new PolledSource(setup([]));
  assert.equal(source.poll(), 'end');
  assert.equal(source.source.status().phase, 'finished');
});

test('the watermark before the end is that of the highest timestamp', () => {
  const source = new PolledSource(setup([{ at: 5000 }, { at: 3000 }], { timestamp: 'at' }));
  source.poll();
  assert.deepEqual(source.marks, [4999]);
});

test('an endless iterable is asked for as much as there is room for', () => {
  let asked = 0;
  function* naturals(): Generator<number> {
    for (;;) yield asked++;
  }
  const source = new PolledSource(setup(naturals(), { isOnce: true }));
  assert.equal(source.poll(5), 'more');
  assert.equal(asked, 5);
  source.source.close();
});

test('closing lets an iterator clean up', () => {
  let isCleanedUp = false;
  function* one(): Generator<number> {
    try {
      yield 1;
      yield 2;
    } finally {
      isCleanedUp = true;
    }
  }
  const source = new PolledSource(setup(one(), { isOnce: true }));
  source.poll(1);
  source.source.close();
  assert.ok(isCleanedUp);
});

test('elements without a usable time go to errors', () => {
  const source = new PolledSource(setup([{ at: 1000 }, { at: 'soon' }, 7, { at: true }], { timestamp: 'at' }));
  source.poll();
  assert.deepEqual(
    source.errors.map(({ offset }) => offset),
    ['1', '2', '3'],
  );
  assert.match(
    source.errors[0]!.error,
    /^Element 1 of orders: "at" is "soon"; .* It went to orders\.errors; 1 of 2 so far\.$/,
  );
  assert.equal(source.source.status().errors, 3);
});

test('any lives and any room give every element of what can be read again once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { maxLength: 40 }),
      fc.boolean(),
      fc.array(fc.record({ room: fc.integer({ min: 1, max: 9 }), restart: fc.boolean(), pauseMillis: fc.nat(300) })),
      (elements, asSet, schedule) => {
        const iterable = asSet ? new Set(elements) : elements;
        const { emitted, errors } = runInLives({ ...setup(iterable), clock: new ManualClock(5) }, schedule);
        assert.deepEqual(
          emitted.map(({ value, offset }) => [offset, value]),
          [...iterable].entries().toArray(),
        );
        assert.deepEqual(errors, []);
      },
    ),
  );
});

test('an async iterable wakes the source when something has come, and is asked only a little ahead', async () => {
  const inlet = new Inlet();
  const source = new PolledSource(setup(inlet, { isOnce: true }));
  assert.equal(source.poll(), 'wait');
  assert.equal(source.wakeUps, 0);
  await inlet.put('a');
  assert.equal(source.wakeUps, 1);
  for (let i = 0; i < 63; i++) await inlet.put(i);
  assert.equal(inlet.asked, 64, 'with 64 elements at hand nobody asks for more');
  assert.equal(source.wakeUps, 1, 'one wake for an empty hand');
  source.poll(1);
  assert.equal(inlet.asked, 65);
  source.poll();
  assert.deepEqual(source.values, ['a', ...Array.from({ length: 63 }, (_, i) => i)]);
  await inlet.end();
  assert.equal(source.poll(), 'end');
});

test('what an async iterable gave before it failed comes out, then its error', async () => {
  const inlet = new Inlet();
  const source = new PolledSource(setup(inlet, { isOnce: true }));
  source.poll();
  await inlet.put(1);
  await inlet.fail(new Error('the line is dead'));
  assert.throws(() => source.poll(), /the line is dead/);
  assert.deepEqual(source.values, [1]);
});

test('a closed async iterable is asked to return, and its answer is ignored', async () => {
  const inlet = new Inlet();
  const source = new PolledSource(setup(inlet, { isOnce: true }));
  source.poll();
  source.source.close();
  assert.ok(inlet.isReturned);
  await settled();
});

test('an async iterator that does not answer with {value, done} is an error', async () => {
  const wrong = { [Symbol.asyncIterator]: () => ({ next: () => 42 }) };
  const source = new PolledSource(setup(wrong, { isOnce: true }));
  source.poll();
  await settled();
  assert.throws(() => source.poll(), { code: 'not-iterable', message: /gave 42 instead of \{value, done\}/ });
});

test('a silent async iterable turns idle', () => {
  const inlet = new Inlet();
  const given = setup(inlet, { isOnce: true });
  const source = new PolledSource({
    ...given,
    parameters: { ...given.parameters, watermark: { outOfOrdernessMillis: 0, idlenessMillis: 1000 } },
  });
  source.poll();
  assert.equal(source.wakeAt, 1_001_000);
  source.clock.advanceTo(1_001_000);
  source.poll();
  assert.deepEqual(source.marks, ['idle']);
});

test('after a restore, what gives its elements once gives what was pulled, and then an error', async () => {
  const inlet = new Inlet();
  const first = new PolledSource(setup(inlet, { isOnce: true }));
  first.poll();
  for (const value of ['a', 'b', 'c']) await inlet.put(value);
  first.poll(1);
  const fresh = new Inlet();
  const second = new PolledSource({ ...setup(fresh, { isOnce: true }), snapshot: first.snapshot() });
  assert.throws(() => second.poll(), { code: 'not-replayable', message: /"orders" reads from a generator/ });
  assert.deepEqual([...first.values, ...second.values], ['a', 'b', 'c']);
  assert.equal(fresh.asked, 0);
});

test('after its end, even what gives its elements once is restored as ended', () => {
  const first = new PolledSource(setup([1, 2].values(), { isOnce: true }));
  first.runToEnd();
  const second = new PolledSource({ ...setup([1, 2].values(), { isOnce: true }), snapshot: first.snapshot() });
  assert.equal(second.poll(), 'end');
  assert.deepEqual(second.values, []);
});

test('the first rejected element and the count stay known after a restore', () => {
  const given = setup([{ at: 1 }, { at: 'soon' }, {}, { at: 4 }], { timestamp: 'at', watchErrors: false });
  const first = new PolledSource(given);
  first.poll(1);
  first.poll(1);
  const second = new PolledSource({ ...given, snapshot: first.snapshot() });
  second.runToEnd();
  const { errors, emitted, firstRejection } = second.source.status();
  assert.deepEqual([errors, emitted], [2, 2]);
  assert.match(firstRejection!, /^Element 1 of orders: "at" is "soon"/);
});
