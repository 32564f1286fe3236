// The pool of a sink's transactional ids, under any order of barriers, checkpoints and crashes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { TransactionIds } from '../../connectors/kafka/transaction-ids.ts';

interface Pending {
  readonly id: string;
  readonly checkpoint: number;
}
/**
 * A sink that has a transaction for each barrier, and the checkpoints of its job. A checkpoint is
 * what its snapshot listed.
 */
class World {
  #ids = new TransactionIds('p');
  #open: string | undefined;
  #pending: Pending[] = [];
  /** Snapshots that were taken and are not complete, by their checkpoints. */
  #taken = new Map<number, readonly Pending[]>();
  /** The one that a crash comes back to. */
  #complete: { readonly checkpoint: number; readonly listed: readonly Pending[] } = { checkpoint: 0, listed: [] };
  #next = 1;
  largest = 0;

  write(): void {
    if (this.#open !== undefined) return;
    const id = this.#ids.take();
    assert.ok(!this.#complete.listed.some((one) => one.id === id), `${id} is listed by the complete checkpoint`);
    for (const listed of this.#taken.values())
      assert.ok(!listed.some((one) => one.id === id), `${id} is listed by a checkpoint that may be completed`);
    assert.ok(!this.#pending.some((one) => one.id === id), `${id} waits for its commit`);
    this.#open = id;
    this.largest = Math.max(this.largest, this.#ids.size);
  }
  /** `has`: its snapshot is one of a checkpoint, and not of memory only. */
  barrier(has: boolean): void {
    const checkpoint = this.#next;
    this.#ids.barrier(checkpoint);
    if (this.#open !== undefined) this.#pending.push({ id: this.#open, checkpoint });
    this.#open = undefined;
    this.#ids.listed(this.#pending.map(({ id }) => id));
    if (!has) return;
    this.#taken.set(checkpoint, [...this.#pending]);
    this.#next++;
  }
  complete(): void {
    const [checkpoint] = [...this.#taken.keys()].slice(-1);
    if (checkpoint === undefined) return;
    this.#complete = { checkpoint, listed: this.#taken.get(checkpoint)! };
    this.#taken.clear();
    this.#ids.complete(checkpoint);
  }
  /** Commits the oldest transaction that may be committed. */
  commit(): void {
    const [first] = this.#pending;
    if (!first || first.checkpoint > this.#complete.checkpoint) return;
    this.#pending.shift();
    this.#ids.committed(first.id);
  }
  abort(): void {
    if (this.#open !== undefined) this.#ids.aborted(this.#open);
    this.#open = undefined;
  }
  crash(): void {
    const { size } = this.#ids;
    this.#ids = new TransactionIds('p');
    this.#open = undefined;
    this.#pending = [...this.#complete.listed];
    this.#taken.clear();
    for (const { id } of this.#pending) this.#ids.use(id);
    this.#ids.know(size);
    this.#ids.complete(this.#complete.checkpoint);
  }
}

const step = fc.constantFrom('write', 'write', 'barrier', 'memory', 'complete', 'commit', 'commit', 'abort', 'crash');

test('law: no id is used while a checkpoint that may be restored lists it, or while it waits for its commit', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const one of steps)
        if (one === 'barrier' || one === 'memory') world.barrier(one === 'barrier');
        else world[one]();
    }),
    { numRuns: 500 },
  );
});

test('a sink whose checkpoints are complete before the next barrier needs four ids, and uses them in turn', () => {
  const world = new World();
  for (let i = 0; i < 50; i++) {
    world.write();
    world.barrier(true);
    world.write();
    world.complete();
    world.commit();
  }
  assert.ok(world.largest >= 3 && world.largest <= 4, `${world.largest} ids`);
});

test('an id that no snapshot has listed is free as soon as its transaction is over', () => {
  const ids = new TransactionIds('p');
  const id = ids.take();
  ids.aborted(id);
  assert.equal(ids.take(), id);
});

test('ids that somebody else uses are left out', () => {
  const ids = new TransactionIds('p');
  assert.equal(
    ids.take((id) => id === 'p-0'),
    'p-1',
  );
});

test('an id of a former prefix is committed, and not used again', () => {
  const ids = new TransactionIds('new');
  ids.use('old-0');
  ids.barrier(1);
  ids.committed('old-0');
  ids.complete(2);
  assert.equal(ids.take(), 'new-0');
});
