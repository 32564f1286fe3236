// A sink whose cell was deleted a moment ago: rows that still come wait for an undo, or go with the
// cell.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Plan } from '../../graph/plan.ts';
import { Numbers, planOf, runtimeOf, Sink } from './graph-kit.ts';

class Life {
  readonly numbers = new Numbers();
  readonly sink = new Sink();
  readonly next = new Sink();
  readonly #kit = runtimeOf({
    numbers: this.numbers,
    other: () => new Sink(),
    call: () => (this.#made++ === 0 ? this.sink : this.next),
  });
  #made = 0;
  snapshots = 0;
  /** `isThere`, and deleted or not. */
  change(isThere: boolean, isDeleted: boolean, text = 'call'): void {
    const groups = new Set(['numbers', 'other', ...(isThere ? ['call'] : [])]);
    const whole = planOf(isThere ? 'numbers>call, numbers>other' : 'numbers>other', { call: text });
    const nodes = whole.nodes.map((node) =>
      node.id === 'call' ? Object.assign({}, node, { kind: 'functionSink', parameters: {} }) : node,
    );
    const plan: Plan = { ...whole, nodes };
    this.#kit.runtime.mutate(
      plan,
      { groups, deleted: new Set(isDeleted ? ['call'] : []), snapshot: 'changes' },
      undefined,
      () => this.snapshots++,
    );
    this.settle();
  }
  settle(): void {
    this.#kit.settle();
  }
  give(count: number): void {
    this.numbers.give(count);
    this.settle();
  }
}

test('after an undo the sink has every row, in order', () => {
  const life = new Life();
  life.change(true, false);
  life.give(3);
  life.change(true, true);
  life.give(3);
  assert.deepEqual(life.sink.rows, [0, 1, 2]);
  life.change(true, false);
  life.give(1);
  assert.deepEqual(life.sink.rows, [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(life.snapshots, 3);
});

test('without an undo the sink gets no row, and no snapshot waits for it', () => {
  const life = new Life();
  life.change(true, false);
  life.give(3);
  life.change(true, true);
  life.give(3);
  life.change(false, false);
  life.give(3);
  assert.deepEqual(life.sink.rows, [0, 1, 2]);
  assert.equal(life.snapshots, 3);
});

test('a row in the middle of which the cell is deleted goes with it, or is taken after an undo', () => {
  for (const isUndone of [true, false]) {
    const life = new Life();
    life.change(true, false);
    life.sink.blocked = true;
    life.give(3);
    life.change(true, true);
    life.sink.unblock();
    life.settle();
    assert.deepEqual(life.sink.rows, []);
    life.change(isUndone, false);
    assert.deepEqual(life.sink.rows, isUndone ? [0, 1, 2] : []);
    assert.equal(life.snapshots, 3);
  }
});

test('a sink that comes back with another text leaves its rows written', () => {
  const life = new Life();
  life.change(true, false);
  life.change(true, true);
  life.give(3);
  life.change(true, false, 'edited');
  life.give(2);
  assert.deepEqual(
    [life.sink.rows, life.next.rows],
    [
      [0, 1, 2],
      [3, 4],
    ],
  );
});
