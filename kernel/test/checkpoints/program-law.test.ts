// Law: a random program over random input, crashed at random moments, restored from its last
// checkpoint and replayed, commits exactly the rows of a run that nobody disturbed.
//
// Records are in flight, in the middle of windows, joins, patterns, loops and async calls. The
// checkpoints are written to a directory and read again after a crash of all threads; a crash of
// the executor alone is restored from memory. A checkpoint may be given up, or its write may fail
// at any step: the next one has its changes too. Sinks commit in two phases, so each row counts
// once.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'vitest';
import { RecordingTarget } from '../../../engine/test/connectors/recording-target.ts';
import { CrashingJob, type CheckpointStore, type StoredCheckpoint } from '../../../engine/test/runtime/crashing-job.ts';
import { declared, kinds, type RandomProgram, randomProgram } from '../../../engine/test/runtime/random-program.ts';
import { isSluiceError } from '../../../engine/errors/thrown.ts';
import { CheckpointDirectory } from '../../checkpoints/checkpoint-directory.ts';
import type { CheckpointStorage } from '../../checkpoints/checkpoint-storage.ts';
import { content, testFolder } from './contents.ts';
import { FullDisk } from './failing-disk.ts';

/** The checkpoints of one job, in a real directory. */
class DirectoryStore implements CheckpointStore {
  readonly #disk = new FullDisk();
  /** The disk is full at this step of the next write. */
  fullAt = Infinity;
  readonly #path: string;
  #open: CheckpointStorage | undefined;
  constructor(path: string) {
    this.#path = path;
  }
  async write({ id, parts }: StoredCheckpoint): Promise<void> {
    this.#open ??= await CheckpointDirectory.open(this.#path, {}, this.#disk.disk);
    this.#disk.failAfter(this.fullAt);
    this.fullAt = Infinity;
    try {
      await this.#open.write({ ...content(id), parts });
    } finally {
      // A write has fewer steps, or has failed.
      this.#disk.failAfter(Infinity);
    }
  }
  async reopened(): Promise<StoredCheckpoint | undefined> {
    await this.close();
    this.#open = await CheckpointDirectory.open(this.#path, {}, this.#disk.disk);
    assert.deepEqual(this.#open.skipped, []);
    return this.#open.restored;
  }
  async close(): Promise<void> {
    await this.#open?.close();
  }
}

/** How many turns of the event loop an answer takes: 0 to 3, as the seed says. */
function answering(seed: number): <T>(value: T) => Promise<T> {
  let random = seed;
  return async (value) => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    for (let turns = random >>> 30; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
    return value;
  };
}
class Results {
  readonly #targets: RecordingTarget[] = [];
  readonly #isAsync: () => boolean;
  constructor(seed: number) {
    let random = seed;
    this.#isAsync = () => (random = (Math.imul(random, 22695477) + 1) >>> 0) >>> 30 === 0;
  }
  sink(n: number) {
    return (this.#targets[n] ??= new RecordingTarget()).sink(this.#isAsync);
  }
  get violations(): string[] {
    return this.#targets.flatMap(({ violations }) => violations);
  }
  /** The rows of each result, in any order. */
  rows(): string[][] {
    return this.#targets.map(({ committed }) => committed.map((one) => JSON.stringify(one)).toSorted());
  }
}

type Move =
  | { readonly kind: 'rounds'; readonly count: number; readonly isOne: boolean }
  | { readonly kind: 'full'; readonly after: number }
  | {
      readonly kind:
        'checkpoint' | 'take' | 'memory' | 'store' | 'tell' | 'tell late' | 'abort' | 'wait' | 'crash' | 'executor';
    };
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('rounds' as const),
      count: fc.integer({ min: 1, max: 4 }),
      isOne: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('checkpoint', 'take', 'tell', 'store', 'memory', 'tell late', 'abort', 'wait'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('full' as const), after: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'executor' as const) }) },
);

async function make(job: CrashingJob, store: DirectoryStore, one: Move): Promise<void> {
  switch (one.kind) {
    case 'rounds':
      return job.rounds(one.count, one.isOne);
    case 'full':
      // A refused checkpoint, a complete one soon after it, and a restore from that.
      store.fullAt = one.after;
      await make(job, store, { kind: 'checkpoint' });
      job.rounds(1, true);
      await make(job, store, { kind: 'checkpoint' });
      return await job.crash(true);
    case 'checkpoint':
      job.take();
      job.rounds(10);
      await job.wait();
      job.rounds(10);
      return await job.store(true);
    case 'take':
      return job.take();
    case 'memory':
      return job.take(true);
    case 'store':
    case 'tell':
      return await job.store(one.kind === 'tell');
    case 'tell late':
      return job.tell();
    case 'abort':
      return job.abort();
    case 'wait':
      return await job.wait();
    case 'crash':
    case 'executor':
      return await job.crash(one.kind === 'crash');
  }
}

test('law: random programs that crash anywhere commit the rows of an undisturbed run', async () => {
  const seen = { rows: 0, restores: 0, whileInFlight: 0, refused: 0, kinds: new Map(kinds.map((kind) => [kind, 0])) };
  const root = testFolder();
  let runs = 0;
  const run = async (program: RandomProgram, moves: readonly Move[], seed: number): Promise<string[][]> => {
    const results = new Results(seed);
    const store = new DirectoryStore(join(root, String(runs++)));
    const answered = answering(seed);
    const used = (kind: (typeof kinds)[number]): unknown => seen.kinds.set(kind, seen.kinds.get(kind)! + 1);
    const declare = declared(program, {
      write: (stream, n) => stream.sink(results.sink(n)),
      answered,
      used,
    });
    const onRefused = (error: unknown): void => {
      assert.equal(isSluiceError(error) && error.code, 'state-disk-full');
      seen.refused++;
    };
    const job = new CrashingJob(declare, store, { onRefused });
    for (const one of moves) {
      if ((one.kind === 'take' || one.kind === 'checkpoint') && job.inFlight > 0) seen.whileInFlight++;
      await make(job, store, one);
    }
    await job.end();
    await store.close();
    assert.deepEqual([job.errors, results.violations], [[], []]);
    assert.ok(job.hasEnded && job.isCommitted, 'the job ends');
    seen.restores += job.restores;
    return results.rows();
  };
  const seed = process.env['SLUICE_SEED'];
  await fc.assert(
    fc.asyncProperty(
      randomProgram,
      fc.array(move, { minLength: 15, maxLength: 50, size: 'max' }),
      fc.nat(),
      async (program, moves, random) => {
        const expected = await run(program, [], random);
        assert.deepEqual(await run(program, moves, random), expected);
        seen.rows += expected.reduce((sum, { length }) => sum + length, 0);
      },
    ),
    { numRuns: Number(process.env['SLUICE_RUNS'] ?? 60), ...(seed !== undefined && { seed: Number(seed) }) },
  );
  // The law would hold of programs that do nothing, and of jobs that never crash.
  const summary = JSON.stringify({ ...seen, kinds: Object.fromEntries(seen.kinds) });
  assert.ok(seen.rows > 1000 && seen.restores > 50 && seen.whileInFlight > 20 && seen.refused > 20, summary);
  assert.ok(
    [...seen.kinds.values()].every((times) => times > 0),
    summary,
  );
  console.log(summary);
}, 600_000);
