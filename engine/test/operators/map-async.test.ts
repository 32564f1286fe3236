// mapAsync: what goes out when, with calls that the test answers by hand; and the law that order, time and restores are kept under any schedule.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { count, from, type Stream, tumbling } from '../../index.ts';
import { harness } from '../../testing/index.ts';
import { evaluate, nodeOf } from '../api/evaluate.ts';

const nextRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
type Options = Parameters<Stream<unknown>['mapAsync']>[1];

/** Calls that wait for the test to answer them. */
class Calls {
  readonly open: {
    readonly n: unknown;
    readonly signal: AbortSignal;
    resolve(result: unknown): void;
    reject(error: unknown): void;
  }[] = [];
  readonly made: unknown[] = [];
  most = 0;
  readonly f = (n: unknown, signal: AbortSignal): Promise<unknown> => {
    this.made.push(n);
    return new Promise((resolve, reject) => {
      this.open.push({ n, signal, resolve, reject });
      this.most = Math.max(this.most, this.open.length);
    });
  };
  #take(n: unknown) {
    const at = this.open.findIndex((call) => call.n === n);
    assert.ok(at >= 0, `nobody called for ${String(n)}`);
    return this.open.splice(at, 1)[0]!;
  }
  answer(n: unknown, result: unknown = `#${String(n)}`): void {
    this.#take(n).resolve(result);
  }
  reject(n: unknown, error: unknown = new Error(`no ${String(n)}`)): void {
    this.#take(n).reject(error);
  }
}
function start(options?: Options, restore?: Uint8Array, calls = new Calls()) {
  const h = harness((items: Stream<unknown>) => items.mapAsync(calls.f, options), restore ? { restore } : {});
  const taken = (): unknown[] =>
    h.output({ watermarks: true }).map((one) => ('watermark' in one ? one.watermark : one.element));
  /** What has come out, after the answers so far have been heard. */
  const out = async (): Promise<unknown[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    h.hold(false);
    return taken();
  };
  return { h, calls, out, taken };
}

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

describe('an answer that does not come', () => {
  test('in time is an error that names the element, and the signal is aborted', () => {
    const { h, calls } = start({ timeout: '5s' });
    h.element({ id: 7 }, 10);
    h.advanceProcessingTime(4_999);
    assert.throws(() => h.advanceProcessingTime(5_000), {
      code: 'timeout',
      message:
        '"mapAsync f" had no answer within 5 s for an object with id. Raise its timeout, or let onError: \'drop\' pass over such elements.',
    });
    assert.ok(calls.open[0]!.signal.aborted);
    h.close();
  });

  test('is passed over where that is wanted; an answer that is too late is nobody’s', async () => {
    const { h, calls, out } = start({ timeout: '5s', onError: 'drop', capacity: 1 });
    h.element(1, 1);
    h.element(2, 2);
    h.watermark(2);
    h.advanceProcessingTime(5_000);
    assert.deepEqual(calls.made, [1, 2], 'its place is free, though it was full');
    calls.answer(1);
    calls.answer(2);
    assert.deepEqual(await out(), ['#2', 2]);
    h.close();
  });

  test('after the end of the operator is dropped, and every signal is aborted', async () => {
    const { h, calls, taken } = start();
    h.element(1);
    h.element(2);
    h.close();
    assert.ok(calls.open.every(({ signal }) => signal.aborted));
    calls.answer(1);
    calls.reject(2);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(taken(), []);
  });
});

describe('a call that fails', () => {
  test('ends the operator at once, though others are awaited before it', async () => {
    const { h, calls } = start();
    h.element(1);
    h.element(2);
    calls.reject(2, new Error('out of order'));
    await assert.rejects(h.settled(), /^Error: out of order$/);
    assert.ok(calls.open[0]!.signal.aborted);
    h.close();
  });

  test('is made again as often as retries say, at once; then it has failed', async () => {
    const { h, calls, out } = start({ retries: 2, onError: 'drop' });
    h.element(1);
    h.element(2);
    calls.reject(1);
    assert.deepEqual(await out(), []);
    assert.deepEqual(calls.made, [1, 2, 1]);
    calls.reject(1);
    await out();
    calls.answer(2);
    assert.deepEqual(await out(), []);
    calls.reject(1);
    assert.deepEqual(await out(), ['#2']);
    assert.deepEqual(calls.made, [1, 2, 1, 1]);
    h.close();
  });

  test('is passed over where that is wanted', async () => {
    const { h, calls, out } = start({ onError: 'drop', ordered: false });
    for (const n of [1, 2, 3]) h.element(n);
    h.watermark(5);
    calls.reject(2);
    calls.reject(1, 'a text');
    assert.deepEqual(await out(), []);
    calls.answer(3);
    assert.deepEqual(await out(), ['#3', 5]);
    h.close();
  });

  test('the timeout covers the retries', () => {
    const { h, calls } = start({ retries: 1000, timeout: '1s' });
    h.element(1);
    h.advanceProcessingTime(500);
    calls.reject(1);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      assert.equal(calls.made.length, 2);
      h.advanceProcessingTime(999);
      assert.throws(() => h.advanceProcessingTime(1_000), { code: 'timeout' });
      h.close();
    });
  });

  test('by throwing at once fails like any other, and a value that is no promise is an answer', async () => {
    const thrown = harness((items: Stream<number>) =>
      items.mapAsync(
        (n) => {
          if (n > 1) throw new RangeError('too many');
          return n as never as Promise<number>;
        },
        { retries: 1 },
      ),
    );
    thrown.element(1);
    await thrown.settled();
    assert.deepEqual(thrown.output(), [{ element: 1, timestamp: 0 }]);
    thrown.element(2);
    await assert.rejects(thrown.settled(), RangeError);
    thrown.close();
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
  assert.deepEqual(nodeOf(declare({})(), 'map-async').parameters, {
    ...nodeOf(declare({})(), 'map-async').parameters,
    capacity: 100,
    ordered: true,
    timeoutMillis: 30_000,
    retries: 0,
    onError: 'fail',
  });
  const of = (options: object) => nodeOf(declare(options)(), 'map-async');
  assert.notEqual(of({}).own, of({ capacity: 5 }).own);
  assert.equal(of({}).shape, of({ capacity: 5, ordered: false }).shape, 'what waits goes over to another version');
});

type Act =
  | { readonly kind: 'element' | 'watermark' | 'snapshot' | 'restore' | 'block' | 'unblock' }
  | { readonly kind: 'answer'; readonly which: number };

test('under any schedule order, time and capacity are kept, and no element is lost or given twice', async () => {
  const plain = fc.constantFrom(
    'element',
    'element',
    'element',
    'watermark',
    'snapshot',
    'restore',
    'block',
    'unblock',
  );
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 2, arbitrary: plain.map((kind) => ({ kind })) },
    { weight: 2, arbitrary: fc.nat(9).map((which) => ({ kind: 'answer', which }) as const) },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      async (acts, ordered, capacity) => {
        let run = start({ ordered, capacity });
        let isBlocked = false;
        const went: unknown[] = [];
        const inputs: (number | { readonly watermark: number })[] = [];
        let n = 0;
        const listen = async (): Promise<void> => {
          await new Promise((resolve) => setImmediate(resolve));
          run.h.hold(false);
          if (!isBlocked) went.push(...run.taken());
        };
        for (const one of acts) {
          switch (one.kind) {
            case 'element':
              inputs.push(++n);
              run.h.element(n, n);
              break;
            case 'watermark':
              inputs.push({ watermark: n });
              run.h.watermark(n);
              break;
            case 'answer': {
              const { open } = run.calls;
              if (open.length > 0) run.calls.answer(open[one.which % open.length]!.n);
              break;
            }
            case 'block':
            case 'unblock':
              isBlocked = one.kind === 'block';
              run.h.blockDownstream(isBlocked);
              break;
            case 'snapshot':
              if (!isBlocked) run.h.snapshot();
              break;
            case 'restore': {
              if (isBlocked) break;
              await listen();
              const snapshot = run.h.snapshot();
              went.push(...run.taken());
              assert.ok(run.calls.most <= capacity);
              run.h.close();
              run = start({ ordered, capacity }, snapshot);
              // The reader is new, and hears where time was.
              run.taken();
            }
          }
          await listen();
          assert.ok(run.calls.open.length <= capacity, 'too many calls');
        }
        if (isBlocked) run.h.blockDownstream(false);
        isBlocked = false;
        for (let rounds = 0; rounds < 200; rounds++) {
          await listen();
          const [first] = run.calls.open;
          if (!first) break;
          run.calls.answer(first.n);
        }
        run.h.close();
        assert.deepEqual(shape(went.map(fromResult), ordered), shape(inputs.map(fromInput), ordered));
      },
    ),
    { numRuns: 60 },
  );
});
const fromResult = (one: unknown): string => (typeof one === 'number' ? `|${one}` : String(one).slice(1));
const fromInput = (one: number | { readonly watermark: number }): string =>
  typeof one === 'number' ? String(one) : `|${one.watermark}`;
/** Elements between two marks; out of order, sorted. Marks in a row are one, and the same mark twice is once. */
function shape(items: readonly string[], ordered: boolean): string[] {
  const segments: string[][] = [[]];
  const marks: string[] = [''];
  for (const item of items) {
    if (!item.startsWith('|')) segments.at(-1)!.push(item);
    else if (segments.at(-1)!.length > 0 || segments.length === 1) {
      if (item === marks.at(-1)) continue;
      segments.push([]);
      marks.push(item);
    } else marks[marks.length - 1] = item;
  }
  return segments.map((segment, at) => `${marks[at]} ${(ordered ? segment : segment.toSorted()).join(' ')}`);
}
