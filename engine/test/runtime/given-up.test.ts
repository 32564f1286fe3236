// Law: whatever snapshots are given up, nothing that they had taken is lost.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { ManualClock } from '../../contract/clock.ts';
import type { Operator } from '../../contract/operator.ts';
import type { Snapshot } from '../../runtime/barriers.ts';
import { mergeSnapshots, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { Program } from '../operators/drive.ts';
import { Numbers, planOf, runtimeOf, Sink } from './graph-kit.ts';

/** Its preCommit waits while it is held. */
class Held extends Sink {
  isHeld = false;
  preCommit(): boolean {
    return !this.isHeld;
  }
  release(): void {
    this.isHeld = false;
    this.unblock();
  }
}

const kept = new Program('aggregate', { aggregates: { total: { name: 'sum', value: { field: 'v' } } } }, [
  { fields: ['k'] },
]);
type Move = 'rows' | 'snapshot' | 'abort' | 'hold' | 'release' | 'time-out';

/** What a control thread knows: each snapshot on top of the known ones. */
class Control {
  known = new Map<string, TaskSnapshot>();
  readonly keep = ({ tasks }: Snapshot): void => {
    this.known = new Map([...tasks].map(([id, state]) => [id, mergeSnapshots(this.known.get(id), state)]));
  };
}

test('law: whatever snapshots are given up, the known state is that of the last one that was not', () => {
  const moves = fc.constantFrom<Move>('rows', 'rows', 'snapshot', 'snapshot', 'abort', 'hold', 'release', 'time-out');
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 40, size: 'max' }), fc.nat(), (given, seed) => {
      const onFailure = ({ error }: { readonly error: unknown }): never => {
        throw error;
      };
      const clock = new ManualClock();
      const numbers = new Numbers();
      const stuck = new Held();
      const control = new Control();
      const plan = planOf('numbers>keyed, keyed>sink, numbers>stuck');
      const kit = runtimeOf(
        { numbers, keyed: () => keyedBy(seed), sink: () => new Sink(), stuck },
        { clock, onFailure },
      );
      kit.runtime.mutate(plan, {});
      kit.settle();
      let id = 0;
      for (const move of given) {
        if (move === 'rows') numbers.give(7);
        else if (move === 'hold') stuck.isHeld = true;
        else if (move === 'release') stuck.release();
        else if (move === 'abort') kit.runtime.aborted(id);
        else if (move === 'time-out') clock.advanceTo(clock.now() + 100);
        else if (kit.runtime.snapshotsInFlight === 0)
          kit.runtime.snapshot(control.keep, 'changes', { checkpoint: ++id, timeoutMillis: 100, onAborted: () => {} });
        kit.settle();
      }
      stuck.release();
      kit.settle();
      kit.runtime.snapshot(control.keep, 'changes', { checkpoint: ++id });
      kit.settle();
      numbers.give(10);
      kit.settle();
      const expected = rowsOf(kit);
      // The next life reads the numbers behind the snapshot again.
      const next = new Numbers();
      const restored = runtimeOf(
        {
          numbers: next,
          keyed: () => keyedBy(seed),
          sink: () => new Sink(),
          stuck: new Held(),
        },
        { onFailure },
      );
      restored.runtime.mutate(plan, { restore: control.known });
      restored.settle();
      next.give(10);
      restored.settle();
      const again = rowsOf(restored);
      assert.deepEqual(again, expected.slice(-again.length));
      assert.equal(again.length, 10);
    }),
  );
});
function rowsOf({ made }: ReturnType<typeof runtimeOf>): readonly unknown[] {
  return (made.get('sink')![0] as Sink).rows;
}
/** A rolling sum by key, whose snapshots have only the keys that changed. */
function keyedBy(seed: number): Operator {
  const operator = kept.operator();
  const process = operator.process.bind(operator);
  operator.process = (input, { length, values, timestamps }, from) => {
    const rows = values.slice(0, length).map((n) => ({ k: ((n as number) * 7 + seed) % 11, v: n }));
    return process(input, { length, values: rows, timestamps }, from);
  };
  return operator;
}
