// Timers that are due in more than 24.8 days, the longest delay of setTimeout: nothing fires early.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { ManualClock } from '../../contract/clock.ts';
import { FunctionTable } from '../../graph/plan.ts';
import { Driver } from '../../runtime/driver.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { startTimer } from '../../runtime/long-timer.ts';

const dayMillis = 86_400_000;

interface FakeTimers {
  /** How many wait. */
  readonly pending: number;
  advance(millis: number): void;
}

/**
 * setTimeout as in Node, on a clock that is moved by hand. A delay that is too long becomes 1 ms.
 */
async function withFakeTimers(use: (timers: FakeTimers) => void | Promise<void>): Promise<void> {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  let now = 0;
  const waiting = new Map<object, { readonly at: number; readonly callback: () => void }>();
  const fakes = {
    setTimeout(callback: () => void, delay: number): object {
      const handle = { unref: () => handle };
      waiting.set(handle, { at: now + (delay > 2 ** 31 - 1 ? 1 : delay), callback });
      return handle;
    },
    clearTimeout(handle: object): void {
      waiting.delete(handle);
    },
  };
  Object.assign(globalThis, fakes);
  try {
    await use({
      get pending() {
        return waiting.size;
      },
      advance(millis) {
        const until = now + millis;
        for (;;) {
          const [next] = [...waiting].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at);
          if (!next) break;
          const [handle, { at, callback }] = next;
          waiting.delete(handle);
          now = at;
          callback();
        }
        now = until;
      },
    });
  } finally {
    Object.assign(globalThis, real);
  }
}

test('a timer of 60 days fires after 60 days and not before', async () => {
  await withFakeTimers((timers) => {
    let fired = 0;
    startTimer(() => fired++, 60 * dayMillis);
    timers.advance(60 * dayMillis - 1);
    assert.equal(fired, 0);
    timers.advance(1);
    assert.equal(fired, 1);
    assert.equal(timers.pending, 0);
  });
});

test('a timer that is cancelled on its way never fires', async () => {
  await withFakeTimers((timers) => {
    let fired = 0;
    const timer = startTimer(() => fired++, 60 * dayMillis);
    timers.advance(40 * dayMillis);
    timer.cancel();
    timers.advance(40 * dayMillis);
    assert.equal(fired, 0);
    assert.equal(timers.pending, 0);
  });
});

test('a timer of no time or of the past fires at once, one of infinite time never', async () => {
  await withFakeTimers((timers) => {
    const fired: string[] = [];
    startTimer(() => fired.push('now'), 0);
    startTimer(() => fired.push('past'), -5);
    startTimer(() => fired.push('never'), Infinity, { keepsAlive: false });
    timers.advance(0);
    assert.deepEqual(fired, ['now', 'past']);
    timers.advance(1000 * dayMillis);
    assert.deepEqual(fired, ['now', 'past']);
  });
});

test('the driver of a runtime whose next tick is in 60 days sleeps until then', async () => {
  const runtime = new Runtime({ functions: new FunctionTable(), clock: new ManualClock() });
  let rounds = 0;
  Object.defineProperty(runtime, 'nextTick', { get: () => 60 * dayMillis });
  runtime.round = () => {
    rounds++;
    return false;
  };
  const driver = new Driver(runtime);
  await withFakeTimers(async (timers) => {
    driver.wake();
    await slice();
    timers.advance(60 * dayMillis - 1);
    await slice();
    assert.equal(rounds, 1);
    timers.advance(1);
    await slice();
    assert.equal(rounds, 2);
    driver.stop();
    assert.equal(timers.pending, 0);
  });
});

/** The driver works in setImmediate callbacks. This callback runs after them. */
function slice(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
