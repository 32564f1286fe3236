// Sinks with transactions: each row is committed once, in order, whatever crashes and fails.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Operator, OperatorContext, Output } from '../../contract/operator.ts';
import { Environment } from '../../index.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { batchOf, Driven, Program, type Step } from '../operators/drive.ts';
import { CrashingJob, MemoryStore } from '../runtime/crashing-job.ts';
import { RecordingTarget } from './recording-target.ts';

const numbers = Array.from({ length: 200 }, (_, n) => n);

test('law: crashed after any step, the operator commits each row once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.nat(99), { maxLength: 4 }), { maxLength: 20 }),
      fc.array(fc.constantFrom('nothing', 'snapshot', 'crash'), { minLength: 20, maxLength: 20 }),
      (batches, before) => {
        const target = new RecordingTarget();
        const program = new Program('twoPhaseSink', { ...target.sink() });
        const driven = new Driven(program, {
          snapshotBefore: (at) => before[at] === 'snapshot',
          replaceBefore: (at) => before[at] === 'crash',
        });
        driven.steps(batches.map((values): Step => ({ records: values.map((value) => [value, 0]) })));
        driven.snapshot();
        assert.deepEqual(target.committed, batches.flat());
        assert.equal(driven.operator.hasUncommitted, false);
      },
    ),
  );
});

/** One sink as its contract says: which commits and aborts the target must see. */
class Model {
  readonly calls: string[] = [];
  begun = 0;
  open: number | undefined;
  pending: { readonly checkpoint: number; readonly id: number }[] = [];
  completed = -Infinity;
  rows(): void {
    this.open ??= this.begun++;
  }
  barrier(checkpoint: number): void {
    if (this.open !== undefined) this.pending.push({ checkpoint, id: this.open });
    this.open = undefined;
  }
  complete(checkpoint: number): void {
    this.completed = Math.max(this.completed, checkpoint);
    const isDue = (one: { readonly checkpoint: number }): boolean => one.checkpoint <= this.completed;
    for (const { id } of this.pending.filter(isDue)) this.calls.push(`commit ${id}`);
    this.pending = this.pending.filter((one) => !isDue(one));
  }
  crash(pending: Model['pending']): void {
    if (this.open !== undefined) this.calls.push(`abort ${this.open}`);
    this.open = undefined;
    this.pending = [...pending];
    this.completed = -Infinity;
  }
}
const contextOf = (output: Pick<Output, 'full'>): OperatorContext => ({
  ...{ id: 'it', uid: 'it', name: 'it', output: output as Output, clock: { now: () => 0 }, freeze: false },
  ...{ wake: () => {}, wakeAt: () => {}, countLate: () => {} },
  fail: (error) => {
    throw error;
  },
});

test('law: a transaction is committed at the complete of its checkpoint or a later one, in order, and never before', () => {
  const seen = { commits: 0, again: 0, early: 0 };
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          kind: fc.constantFrom('rows', 'rows', 'barrier', 'barrier', 'memory', 'complete', 'complete', 'crash'),
          /** Of the checkpoints so far, counted from the last one. */
          back: fc.nat(3),
        }),
        { maxLength: 50, size: 'max' },
      ),
      (steps) => {
        const target = new RecordingTarget();
        const program = new Program('twoPhaseSink', { ...target.sink() });
        const model = new Model();
        const taken: { readonly id: number; readonly state: TaskSnapshot; readonly pending: Model['pending'] }[] = [];
        let durable = 0;
        const made = (): Operator => {
          const operator = program.operator();
          operator.open!(contextOf({ full: false }));
          return operator;
        };
        let sink = made();
        const barrier = (id: number): void => {
          assert.equal(sink.preCommit!(id), true);
          model.barrier(id);
        };
        for (const { kind, back } of steps) {
          const one = taken.at(-1 - Math.min(back, taken.length - 1));
          switch (kind) {
            case 'rows':
              sink.process(0, batchOf([[back, 0]]), 0);
              model.rows();
              break;
            case 'barrier': {
              barrier(taken.length + 1);
              const writer = new SnapshotWriter(true);
              sink.snapshot!(writer);
              taken.push({ id: taken.length + 1, state: writer.done(0), pending: [...model.pending] });
              break;
            }
            // A snapshot without an id finishes the transaction for the next checkpoint.
            case 'memory':
              barrier(taken.length + 1);
              break;
            case 'complete':
              if (!one) break;
              durable = Math.max(durable, one.id);
              if (model.pending.some(({ checkpoint }) => checkpoint > model.completed && checkpoint > one.id))
                seen.early++;
              sink.complete!(one.id);
              model.complete(one.id);
              break;
            case 'crash': {
              // From the last durable checkpoint, or from one whose completion nobody heard of.
              const from = one && one.id >= durable ? one : taken[durable - 1];
              sink.close!();
              model.crash(from?.pending ?? []);
              sink = made();
              if (!from) break;
              sink.restore!(readSnapshot(from.state));
              assert.deepEqual(target.calls, model.calls, 'a restore alone commits nothing');
              durable = from.id;
              sink.complete!(from.id);
              model.complete(from.id);
            }
          }
          assert.deepEqual(target.calls, model.calls, `after ${kind}`);
          assert.equal(sink.hasUncommitted, model.open !== undefined || model.pending.length > 0);
        }
        assert.deepEqual(target.violations, []);
        const commits = target.calls.filter((call) => call.startsWith('commit'));
        seen.commits += commits.length;
        seen.again += commits.length - new Set(commits).size;
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(seen.commits > 200 && seen.again > 20 && seen.early > 20, JSON.stringify(seen));
});

const action = fc.oneof(
  fc.record({ kind: fc.constant('rounds' as const), count: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    kind: fc.constantFrom(
      'take',
      'memory',
      'store',
      'tell',
      'tell-late',
      'abort',
      'crash',
      'executor',
      'refuse',
      'wait',
    ),
    count: fc.constant(1),
  }),
);
test('law: a job commits each row once and in order, with checkpoints that fail, commits that fail and crashes', async () => {
  let commits = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60, size: 'max' }), fc.nat(), async (actions, seed) => {
      let random = seed;
      const isAsync = (): boolean => (random = (Math.imul(random, 1664525) + 1013904223) >>> 0) % 3 === 0;
      const target = new RecordingTarget();
      let refuses = false;
      /** The last checkpoint of which the job knows that it is durable. */
      let durable = 0;
      const checkpointOf = new Map<number, number>();
      const sink = target.sink(isAsync);
      const watched: typeof sink = {
        ...sink,
        preCommit(handle) {
          checkpointOf.set(handle.id, job.barrier);
          return sink.preCommit(handle);
        },
        commit(committable) {
          const { id } = committable;
          commits++;
          if (checkpointOf.get(id)! > durable)
            target.violations.push(
              `transaction ${id} of checkpoint ${checkpointOf.get(id)} was committed when ${durable} was the last durable one`,
            );
          if (refuses) throw new Error('the target is away');
          return sink.commit(committable);
        },
      };
      const knows = (checkpoint = 0): void => void (durable = Math.max(durable, checkpoint));
      const events = { onStart: knows, onComplete: knows };
      const job = new CrashingJob(({ from }) => void from(numbers).sink(watched), new MemoryStore(), events);
      for (const { kind, count } of actions) {
        if (kind === 'rounds') job.rounds(count);
        else if (kind === 'take') job.take();
        else if (kind === 'memory') job.take(true);
        else if (kind === 'store') await job.store(false);
        else if (kind === 'tell') await job.store(true);
        else if (kind === 'tell-late') job.tell();
        else if (kind === 'abort') job.abort();
        else if (kind === 'crash') await job.crash(true);
        else if (kind === 'executor') await job.crash(false);
        else if (kind === 'refuse') refuses = !refuses;
        else await job.wait();
      }
      refuses = false;
      await job.end();
      assert.deepEqual([job.errors, target.violations], [[], []]);
      assert.deepEqual(target.committed, numbers);
      assert.ok(job.hasEnded && job.isCommitted);
    }),
    { numRuns: 200 },
  );
  assert.ok(commits > 200);
}, 300_000);

test('a job in a program commits its last rows before it is finished', async () => {
  const target = new RecordingTarget();
  const environment = new Environment();
  environment.from(numbers).sink(target.sink(() => true));
  const job = await environment.execute();
  await job.finished;
  assert.deepEqual(target.committed, numbers);
  assert.deepEqual([target.aborted, target.ready.size], [[], 0]);
});

test('no rows, no transaction', async () => {
  const target = new RecordingTarget();
  const environment = new Environment();
  environment
    .from(numbers)
    .filter(() => false)
    .sink(target.sink());
  await (
    await environment.execute()
  ).finished;
  assert.equal(target.begun, 0);
});

for (const method of ['begin', 'write', 'preCommit'] as const)
  for (const isAsync of method === 'write' ? [false] : [false, true])
    test(`an error of ${method}${isAsync ? ', later' : ''} ends the job, and the open transaction is aborted`, async () => {
      const target = new RecordingTarget();
      const environment = new Environment();
      const fails = (): never => {
        throw new Error('no space left');
      };
      environment
        .from(numbers)
        .sink({ ...target.sink(), [method]: isAsync ? () => Promise.reject(new Error('no space left')) : fails });
      const job = await environment.execute();
      await assert.rejects(job.finished, /no space left/);
      assert.deepEqual(target.committed, []);
      assert.equal(target.aborted.length, method === 'begin' ? 0 : 1);
    });

test('a commit that fails is repeated, and the status says why', async () => {
  const target = new RecordingTarget();
  let attempts = 0;
  const program = new Program('twoPhaseSink', {
    ...target.sink(),
    commit: (committable: { id: number }) => {
      if (++attempts < 3) throw new Error('the target is away.');
      target.commit(committable);
    },
  });
  const driven = new Driven(program);
  driven.step({ records: [['a', 0]] });
  driven.snapshot();
  assert.match(driven.operator.status!().waiting ?? '', /^the commit failed: the target is away; trying again$/);
  while (driven.operator.hasUncommitted) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual([attempts, target.committed, driven.operator.status!()], [3, ['a'], { entries: 0 }]);
});

test('what the object of sink() has to have is named', () => {
  const environment = new Environment();
  assert.throws(() => environment.from(numbers).sink({ begin() {} } as never), /sink\(\) needs a function write/);
  const write = async function (): Promise<void> {} as never;
  assert.throws(
    () => environment.from(numbers).sink({ ...new RecordingTarget().sink(), write }),
    /the async function write/,
  );
});
