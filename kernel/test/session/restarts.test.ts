// Restart strategies: which failures end the executor, how long the next one waits, and what the
// user sees when no restart is left.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { exponentialDelay, type RestartStrategy } from '../../../engine/api/fault-tolerance.ts';
import type { SourceStatus } from '../../../engine/contract/source.ts';
import type { PlanNode } from '../../../engine/graph/plan.ts';
import { sessionView } from '../../session/session-view.ts';
import { planInstances } from './instance-planner.ts';
import { liveSource, report } from './reports.ts';
import { Stage } from './stage.ts';

function running(
  restart: RestartStrategy,
  attach: 'each' | 'together' = 'each',
  texts: Readonly<Record<string, string>> = { a: 'ax = ', b: 'bx = ' },
): Stage {
  const s = new Stage({ restart, attach });
  s.planner = planInstances;
  s.document(texts);
  s.ready();
  s.runs('a');
  s.runs('b');
  s.snapshot({ 'a~1': 5, 'b~2': 5 });
  return s;
}
const fails = (s: Stage, message = 'Boom.', cell = 'a', code = 'exception'): string[] =>
  s.event({
    ...{ kind: 'operator-failed', instance: cell === 'a' ? 'a~1' : 'b~2', cell, name: 'map' },
    error: { code, message },
  });
/** The executor ends, the delay passes, and the next one has the state. Gives the delay. */
function restarts(s: Stage): number {
  const delay = Number(/timer restart (\d+)/.exec(s.event({ kind: 'executor-ended', reason: 'ended' }).join())?.[1]);
  s.now += delay;
  assert.deepEqual(s.event({ kind: 'timer', timer: 'restart' }), ['start executor']);
  s.ready();
  s.restored('a');
  assert.match(s.restored('b').join(), /from the snapshot/);
  s.mutated();
  assert.equal(s.state.executor, 'ready');
  return delay;
}
const fixed = (attempts: number): RestartStrategy => ({ kind: 'fixed-delay', attempts, delayMillis: 10_000 });

test('a failure ends the executor, and the next one starts from the last snapshot with no failed cell', () => {
  const s = running(fixed(4));
  assert.deepEqual(fails(s), ['end executor']);
  const { restarting } = sessionView(s.state, { now: 0, hasView: () => false });
  assert.deepEqual(restarting, { startsAt: 10_000, attempt: 1, cell: 'a', cause: 'Boom.' });
  assert.equal(restarts(s), 10_000);
  assert.deepEqual(s.state.cells.get('a')?.active?.failures, []);
  assert.deepEqual(s.state.restarts.at, [10_000]);
  assert.equal(sessionView(s.state, { now: 0, hasView: () => false }).restarting, undefined);
});

test('a snapshot that comes after the failure is not taken: it would have a hole', () => {
  const s = running(fixed(4));
  fails(s);
  s.snapshot({ 'a~1': 9, 'b~2': 9 });
  assert.equal(s.state.recovery.parts.get('b~2')?.watermark, 5);
});

test('fixed delay: after the fourth failed restart the cell is failed, with the first cause', () => {
  const s = running(fixed(4));
  fails(s, 'The first.', 'b');
  restarts(s);
  for (let n = 2; n <= 4; n++) {
    fails(s, `Number ${n}.`);
    restarts(s);
  }
  assert.deepEqual(fails(s, 'The last.'), []);
  const error = s.view('a').errors[0]?.message;
  assert.match(error ?? '', /The last\. The first of 5 failures was in "b": The first\./);
});

test('sample 06 restarts four times, ten seconds after each failure, and fails with the first cause', () => {
  const text = readFileSync(new URL('../../../samples/06-exactly-once.sluice.ts', import.meta.url), 'utf8');
  const literal = /restart: \{ kind: 'fixed-delay', attempts: (\d+), delay: '(\d+)s' \}/.exec(text);
  const [, attempts, seconds] = literal ?? [];
  assert.deepEqual([attempts, seconds], ['4', '10']);
  const s = running(
    { kind: 'fixed-delay', attempts: Number(attempts), delayMillis: Number(seconds) * 1_000 },
    'together',
  );
  const delays: number[] = [];
  for (const cause of ['The broker is gone.', 'Two.', 'Three.', 'Four.']) {
    assert.deepEqual(fails(s, cause), ['end executor']);
    delays.push(restarts(s));
  }
  assert.deepEqual(delays, [10_000, 10_000, 10_000, 10_000]);
  assert.ok(!fails(s, 'Five.').includes('end executor'));
  assert.match(
    s.view('a').errors[0]?.message ?? '',
    /^Five\. The first of 5 failures was in "a": The broker is gone\.$/,
  );
});

/** The executor reports, and the source of cell a is so far. */
function reports(s: Stage, phase: SourceStatus['phase']): void {
  const source = { ...liveSource, phase };
  s.event({ kind: 'metrics', at: s.now, thread: 0, operators: [report('a~1', { source }), report('b~2')] });
}
/** Cell a is a source. */
function withSource(restart: RestartStrategy): Stage {
  const s = new Stage({ restart });
  s.planner = (request) => {
    const { plan, ...planned } = planInstances(request);
    const nodes = plan.nodes.map((node) => (node.group === 'a' ? ({ ...node, kind: 'kafka' } as PlanNode) : node));
    return { ...planned, plan: { ...plan, nodes } };
  };
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  s.runs('a');
  s.runs('b');
  return s;
}
const causeOf = (s: Stage): unknown => sessionView(s.state, { now: s.now, hasView: () => false }).restarting?.cause;

test('the cause of a restart is the first failure of this outage, and not of a former one', () => {
  const s = withSource(fixed(10));
  fails(s, 'A password is wrong.');
  restarts(s);
  reports(s, 'connecting');
  fails(s, 'It has not connected.', 'b');
  assert.equal(causeOf(s), 'A password is wrong.', 'the source has not reached its topic since then');
  reports(s, 'live');
  restarts(s);
  assert.ok(s.state.restarts.outage, 'the report was one of the executor that has ended');
  reports(s, 'live');
  fails(s, 'The disk is full.', 'b');
  assert.equal(causeOf(s), 'The disk is full.');
  assert.equal(s.state.restarts.failures.length, 3, 'the strategy counts all of them');
});

test('a failure of a new outage that is not restarted again tells its own cause', () => {
  const s = withSource(fixed(2));
  fails(s, 'A password is wrong.');
  restarts(s);
  reports(s, 'live');
  fails(s, 'The disk is full.', 'b');
  restarts(s);
  reports(s, 'connecting');
  fails(s, 'It has not connected.');
  assert.equal(
    s.view('a').errors[0]?.message,
    'It has not connected. The first of 2 failures was in "b": The disk is full.',
  );
  const later = withSource(fixed(1));
  fails(later, 'A password is wrong.');
  restarts(later);
  reports(later, 'live');
  fails(later, 'The disk is full.');
  assert.equal(
    later.view('a').errors[0]?.message,
    'The disk is full. It is not restarted again: there was 1 restart before.',
  );
});

test('failure rate: only failures within the interval count', () => {
  const s = running({ kind: 'failure-rate', failures: 2, perMillis: 60_000, delayMillis: 0 });
  for (const at of [0, 40_000, 100_001, 170_000]) {
    s.now = at;
    fails(s);
    restarts(s);
  }
  s.now = 170_001;
  assert.deepEqual(fails(s), ['end executor'], 'the second within a minute');
  restarts(s);
  assert.deepEqual(fails(s), [], 'the third one within a minute');
});

test('exponential delay: it grows up to its maximum, and starts anew after a long time without failure', () => {
  const s = running({ ...exponentialDelay, jitter: 0 });
  const delays = Array.from({ length: 12 }, () => {
    fails(s);
    return restarts(s);
  });
  assert.deepEqual(delays.slice(0, 4), [1000, 1500, 2250, 3375]);
  assert.equal(delays.at(-1), 60_000);
  s.now += 3_600_001;
  fails(s);
  assert.equal(restarts(s), 1000);
});

test('exponential delay: jitter moves the delay by at most its share', () => {
  for (let now = 0; now < 5_000; now += 37) {
    const s = running(exponentialDelay);
    s.now = now;
    fails(s);
    const delay = restarts(s);
    assert.ok(delay >= 900 && delay <= 1100, String(delay));
  }
});

test('an executor that ends by itself is a failure too, an interrupted one is none', () => {
  const s = running(fixed(1));
  restarts(s);
  s.event({ kind: 'interrupt' });
  s.event({ kind: 'timer', timer: 'interrupt' });
  assert.deepEqual(s.event({ kind: 'executor-ended', reason: 'interrupted' }), [
    'no timer interrupt',
    'start executor',
  ]);
});

test('a failure while an interrupt is pending restarts as any other: snapshots and failures count again', () => {
  const s = running(fixed(2));
  s.event({ kind: 'interrupt' });
  assert.deepEqual(fails(s), ['end executor']);
  assert.equal(restarts(s), 10_000);
  assert.equal(s.state.restarts.failures.length, 1, 'the interrupt is none');
  assert.equal(s.state.restarts.startsAt, undefined);
  s.snapshot({ 'a~1': 9, 'b~2': 9 });
  assert.equal(s.state.recovery.parts.get('b~2')?.watermark, 9);
  assert.deepEqual(fails(s), ['end executor']);
});

test('without a strategy a failure is that of its cell alone', () => {
  const s = running({ kind: 'none' });
  assert.deepEqual(fails(s), []);
  assert.equal(s.view('a').phase, 'failed');
});

const ofKinds = {
  'offsets that are gone': 'kafka-offset-gone',
  'a topic that was made again': 'kafka-topic-made-again',
  'state of another shape': 'other-state',
  'a wrong password': 'kafka-login',
  'a file that is gone': 'no-file',
  'a folder of another sink': 'folder-in-use',
};
for (const [what, code] of Object.entries(ofKinds))
  test(`${what}: no strategy answers a failure that a restart cannot mend`, () => {
    for (const restart of [fixed(4), exponentialDelay]) {
      const s = running(restart);
      assert.deepEqual(fails(s, 'It is gone.', 'a', code), []);
      assert.equal(s.state.executor, 'ready', 'the other cells go on');
      assert.equal(s.view('a').phase, 'failed');
      assert.equal(
        s.view('a').errors[0]?.message,
        'It is gone. It is not restarted, because it would fail in the same way again.',
      );
      assert.deepEqual(s.view('b').errors, []);
    }
  });

test('after other restarts, such a failure has its own words and not those of the first cause', () => {
  const s = running(fixed(4));
  fails(s, 'The first.', 'b');
  restarts(s);
  assert.deepEqual(fails(s, 'It is gone.', 'a', 'kafka-offset-gone'), []);
  assert.match(s.view('a').errors[0]?.message ?? '', /^It is gone\. It is not restarted/);
});

test('without a strategy, such a failure says nothing of restarts', () => {
  const s = running({ kind: 'none' });
  fails(s, 'It is gone.', 'a', 'kafka-offset-gone');
  assert.equal(s.view('a').errors[0]?.message, 'It is gone.');
});

test('a cell that stays failed is not brought back by the restart of another one', () => {
  const s = running(fixed(4));
  fails(s, 'It is gone.', 'a', 'kafka-offset-gone');
  assert.deepEqual(fails(s, 'Boom.', 'b'), ['end executor']);
  restarts(s);
  assert.equal(s.view('a').phase, 'failed');
  const again = s.effects.findLast(({ kind }) => kind === 'mutate');
  assert.deepEqual(again?.kind === 'mutate' && again.failed, ['a~1']);
});

test('a partition that fails restarts nothing', () => {
  const s = running(fixed(4));
  const error = { code: 'exception', message: 'Boom.' };
  const event = {
    kind: 'operator-failed',
    instance: 'a~1',
    cell: 'a',
    name: 'orders',
    partitions: ['orders[3]'],
  } as const;
  assert.deepEqual(s.event({ ...event, error }), []);
  assert.equal(s.state.executor, 'ready');
});

const lost = ['transaction-fenced', 'transaction-timed-out', 'transaction-topic-gone'];

test('a notebook without a strategy goes back by itself when a sink has lost the rows of its transaction', () => {
  for (const code of lost) {
    const s = running({ kind: 'none' });
    for (let n = 1; n <= 3; n++) {
      assert.deepEqual(fails(s, 'It was taken over.', 'b', code), ['end executor'], code);
      assert.equal(restarts(s), 1_000);
      assert.deepEqual(s.view('b').errors, []);
      const note = 'It was taken over. The session has gone back to its last checkpoint by itself.';
      assert.equal(s.view('b').notes?.filter((text) => text === note).length, n);
    }
    // Two sessions that take one id from each other come to an end.
    fails(s, 'It was taken over.', 'b', code);
    assert.equal(s.view('b').errors[0]?.message, 'It was taken over. It failed again after 3 restarts.');
    assert.deepEqual(fails(s, 'Boom.', 'a'), []);
    assert.equal(s.view('a').errors[0]?.message, 'Boom.', 'another failure has nothing to do with it');
  }
});

test('after a while it goes back again, and other failures do not send it back', () => {
  const s = running({ kind: 'none' });
  for (let n = 0; n < 3; n++) {
    fails(s, 'It timed out.', 'b', lost[1]);
    restarts(s);
  }
  s.now += 600_001;
  assert.deepEqual(fails(s, 'It timed out.', 'b', lost[1]), ['end executor']);
  restarts(s);
  assert.deepEqual(fails(s, 'Unwritten.', 'b', 'kafka-unwritten'), []);
});

test('neither a job without a strategy does so, nor a notebook that wants no restart', () => {
  const job = running({ kind: 'none' }, 'together');
  assert.deepEqual(fails(job, 'It was taken over.', 'b', lost[0]), []);
  const without = running({ kind: 'none' }, 'each', { a: 'ax = # restart: none', b: 'bx = ' });
  assert.deepEqual(fails(without, 'It was taken over.', 'b', lost[0]), []);
  assert.equal(without.view('b').errors[0]?.message, 'It was taken over.');
});
