// Events that cannot be copied to another thread: the rows are found by halving, the rest is sent,
// and nothing is lost without a word.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { divided, eventPoster } from '../../executor/event-poster.ts';
import type { DisplayRow } from '../../executor/display-rows.ts';
import type { ExecutorEvent } from '../../executor/executor-protocol.ts';

/** A getter that throws at its second reading passes the check and fails in the copy. */
function throwingLater(reads = 1): unknown {
  return {
    get n(): number {
      if (reads-- <= 0) throw new Error('no more.');
      return 1;
    },
  };
}
function posted(): { readonly events: ExecutorEvent[]; readonly post: (event: ExecutorEvent) => void } {
  const events: ExecutorEvent[] = [];
  return {
    events,
    post: eventPoster(
      (event) => void events.push(structuredClone(event)),
      () => 'numbers',
    ),
  };
}
const row = (n: number, value: unknown): DisplayRow => ({ n, timestamp: 0, value });

test('halving finds every row that cannot be copied, and keeps the order of the others', () => {
  for (let bad = 0; bad < 32; bad++) {
    const rows = Array.from({ length: 5 }, (_, n) => ((bad >> n) & 1 ? () => n : n));
    const { sent, refused } = divided(rows);
    assert.deepEqual(
      sent,
      rows.filter((one) => typeof one === 'number'),
    );
    assert.deepEqual(
      refused,
      rows.filter((one) => typeof one === 'function'),
    );
  }
});

test('a frame is sent without the rows that cannot be copied, after the report of them', () => {
  const { events, post } = posted();
  const place = { partition: 0, offset: 7 };
  const rows = [row(1, 'a'), { ...row(2, { list: [throwingLater(0)] }), ...place }, row(3, 'b'), row(4, () => 1)];
  const figures = { installed: 1, rate: 1, sampled: 1, total: 4, finished: true };
  post({ kind: 'display-rows', display: 'a/b/0', instance: 'i', rows, ...figures });
  const [report, frame] = events;
  assert.ok(report?.kind === 'row-refused' && frame?.kind === 'display-rows');
  assert.deepEqual([report.cell, report.display, report.instance, report.count], ['a/b', 'a/b/0', 'i', 2]);
  assert.equal(report.error.message, 'A row cannot be shown: list[0].n cannot be read: no more.');
  assert.match(report.record, /^numbers\[0\]@7 .*n: \[Getter\]/);
  assert.deepEqual(
    frame.rows.map(({ value }) => value),
    ['a', 'b'],
  );
  assert.deepEqual([frame.leftOut, frame.finished], [2, true]);
});

test('the report names the field of an object that the check does not know', () => {
  const { events, post } = posted();
  const list = Object.assign([1, 2], { extra: () => 1 });
  const figures = { installed: 1, rate: 1, sampled: 1, total: 1, finished: true };
  post({ kind: 'display-rows', display: 'a/0', instance: 'i', rows: [row(1, { order: { list } })], ...figures });
  const [report] = events;
  assert.ok(report?.kind === 'row-refused');
  assert.match(report.error.message, /^A row cannot be shown: order\.list\.extra cannot be copied: .*not be cloned\.$/);
});

test('a row that changes at each reading never ends the thread', () => {
  for (let good = 0; good < 12; good++) {
    const { events, post } = posted();
    let reads = 0;
    const changing = {
      get n(): unknown {
        return reads++ % (good + 2) === 0 ? () => 1 : reads;
      },
    };
    post({ kind: 'pull-rows', pull: '1.1', cell: 'a', label: 'x', rows: [0, changing] });
    const last = events.at(-1);
    assert.ok(last?.kind === 'pull-rows');
    assert.equal(last.rows.length + (last.leftOut ?? 0), 2);
    if (last.leftOut) assert.ok(events[0]?.kind === 'row-refused');
  }
});

test('rows of a pull that cannot be copied are reported too, and count as taken', () => {
  const { events, post } = posted();
  post({ kind: 'pull-rows', pull: '1.1', cell: 'a', label: 'x', rows: [1, Symbol('s'), 2] });
  const [report, frame] = events;
  assert.ok(report?.kind === 'row-refused' && frame?.kind === 'pull-rows');
  assert.deepEqual([report.cell, report.count], ['a', 1]);
  assert.deepEqual([frame.rows, frame.leftOut], [[1, 2], 1]);
});

test('a run whose result cannot be copied fails, and the error names the part', () => {
  const { events, post } = posted();
  const fragment = { nodes: [], edges: [], sinks: [] } as unknown as Extract<
    ExecutorEvent,
    { kind: 'evaluated' }
  >['fragment'];
  const kept = { values: { f: () => 1 } };
  post({ kind: 'evaluated', run: 7, fragment, exports: [], displayed: { parts: [] }, kept });
  const [failed] = events;
  assert.ok(failed?.kind === 'evaluation-failed' && failed.run === 7);
  assert.match(failed.error.message, /^What the cell leaves cannot be sent to the session \(kept\): /);
});

test('any other event that cannot be copied is an error that names it', () => {
  const { post } = posted();
  const positions = { a: (() => 1) as unknown as string };
  assert.throws(() => post({ kind: 'mutated', epoch: 1, positions }), /the event "mutated" of the executor cannot be/);
});
