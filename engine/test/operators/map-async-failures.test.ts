// mapAsync: calls that fail, and calls with a late answer or none.
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Stream } from '../../index.ts';
import { harness } from '../../testing/index.ts';
import { start } from './answered-by-hand.ts';

describe('an answer that does not come', () => {
  test('in time is an error that names the element, and the signal is aborted', () => {
    const { h, calls } = start({ timeout: '5s' });
    h.element({ id: 7 }, 10);
    h.advanceProcessingTime(4_999);
    assert.throws(() => h.advanceProcessingTime(5_000), {
      code: 'timeout',
      message:
        '"mapAsync f" had no answer within 5 s for an object with id. Raise its timeout, or set onError: \'drop\' to drop such elements.',
    });
    assert.ok(calls.open[0]!.signal.aborted);
    h.close();
  });

  test('skips the element if the options say so, and ignores an answer that comes too late', async () => {
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
