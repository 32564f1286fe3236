// toFile() exactly once: each row is in one finished file, whatever crashes and when.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, test } from 'vitest';
import { PartFileSink } from '../../connectors/part-file-sink.ts';
import type { Batch, OperatorContext } from '../../contract/operator.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import { Environment, type Stream } from '../../index.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';
import { StoppingPartDisk } from './stopping-part-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-part-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn();
}
const finishedNames = (place: string): string[] =>
  existsSync(place) ? readdirSync(place).filter((name) => name.startsWith('part-')) : [];
const hiddenNames = (place: string): string[] =>
  existsSync(place) ? readdirSync(place).filter((name) => name.startsWith('.part-')) : [];
/** The lines of the finished parts of a folder, in the order of their names. */
const linesOf = (place: string): string[] =>
  finishedNames(place)
    .toSorted()
    .flatMap((name) => readFileSync(join(place, name), 'utf8').trim().split('\n'));

const functions = new FunctionTable();
const partitionBy = { fn: { uid: 's', slot: 'partitionBy', textHash: '' } };
const partitions = ['a', 'b', 'c'];
functions.set(partitionBy.fn, (row: unknown) => partitions[(row as number) % 3]!);
const nodeAt = (path: string, isDivided = false, format: 'jsonl' | 'csv' = 'jsonl'): NodeOf<'fileSink'> => ({
  ...{ id: 's', uid: 's', kind: 'fileSink', name: 'toFile', group: '', own: '', shape: '' },
  parameters: { path, format, delivery: 'exactly-once', ...(isDivided && { partitionBy }) },
});
const batch = (values: readonly unknown[]): Batch => ({
  ...{ length: values.length, values, timestamps: new Float64Array(values.length) },
});

interface Kept {
  readonly id: number;
  readonly state: TaskSnapshot | undefined;
  /** Rows that are in it. */
  readonly rows: number;
}

/** A job that counts, its checkpoints, and its disk. */
class World {
  readonly root: string;
  readonly #path: string;
  readonly #isDivided: boolean;
  disk!: StoppingPartDisk;
  sink!: PartFileSink;
  error: unknown;
  rows = 0;
  #id = 0;
  #lives = 0;
  #known: Kept = { id: 0, state: undefined, rows: 0 };
  #taken: Kept | undefined;
  #stored: Kept = this.#known;
  get stored(): Kept {
    return this.#stored;
  }

  constructor(name: string, isDivided: boolean) {
    this.root = at(name);
    this.#path = at(`${name}.jsonl`);
    this.#isDivided = isDivided;
  }
  start(from: Kept): void {
    this.disk = new StoppingPartDisk(`${this.root}.trash/${this.#lives++}`);
    this.error = undefined;
    this.#taken = undefined;
    this.#known = from;
    this.rows = from.rows;
    this.sink = this.#opened(from.state);
  }
  #opened(state: TaskSnapshot | undefined): PartFileSink {
    const sink = new PartFileSink(nodeAt(this.#path, this.#isDivided), functions, this.disk.disk);
    sink.open({
      ...{ id: 's', uid: 's', name: 's', output: { full: false }, clock: { now: () => 0 } },
      wake() {},
      wakeAt() {},
      fail: (error: unknown) => (this.error = error),
    } as unknown as OperatorContext);
    if (state) sink.restore(readSnapshot(state));
    if (state && this.#stored.id > 0) sink.complete(this.#stored.id);
    return sink;
  }
  get isOver(): boolean {
    return this.error !== undefined || this.disk.hasStopped;
  }
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.error = error;
    }
  }
  take(count: number): Promise<void> {
    return this.#guarded(async () => {
      const values = Array.from({ length: count }, (_, n) => this.rows + n);
      for (let done = 0; done < count && !this.isOver;) {
        done = this.sink.process(0, batch(values), done);
        await turn();
      }
      this.rows += count;
    });
  }
  barrier(isCheckpoint: boolean): Promise<void> {
    return this.#guarded(async () => {
      const id = this.#id + 1;
      if (isCheckpoint) this.#id = id;
      let isReady = this.sink.preCommit(id);
      while (!isReady && !this.isOver) {
        await turn();
        isReady = this.sink.preCommit(id);
      }
      if (this.isOver) return;
      this.#known = { id, state: this.#snapshot(), rows: this.rows };
      if (isCheckpoint) this.#taken = this.#known;
    });
  }
  #snapshot(): TaskSnapshot {
    const writer = new SnapshotWriter(true);
    this.sink.snapshot(writer);
    return structuredClone(writer.done(0));
  }
  store(tells: boolean): void {
    if (!this.#taken) return;
    this.#stored = this.#taken;
    this.#taken = undefined;
    if (tells) this.sink.complete(this.#stored.id);
  }
  /** To its end: what it finished is committed. */
  async checkpoint(): Promise<void> {
    await this.barrier(true);
    if (this.isOver) return;
    this.store(true);
    await until(() => !this.sink.hasUncommitted || this.isOver);
  }
  abort(): void {
    this.#taken = undefined;
  }
  /** The state moves to a new instance, as at a change of the graph. */
  async replace(): Promise<void> {
    await this.barrier(false);
    if (this.isOver) return;
    await this.#guarded(async () => {
      const state = this.#snapshot();
      const former = this.sink;
      this.sink = this.#opened(state);
      former.close();
      await turn();
    });
  }
  /** All threads, or the executor alone. `keptNames`: a loss of power keeps so many of them. */
  async crash(isAll: boolean, keptNames?: number): Promise<void> {
    await this.disk.stop();
    this.sink.close();
    if (keptNames !== undefined) this.disk.losePower(keptNames);
    this.start(isAll ? this.#stored : this.#known);
  }
  async end(): Promise<void> {
    for (let lives = 0; lives < 5; lives++) {
      this.disk.stepsLeft = Infinity;
      this.disk.fault = undefined;
      await this.checkpoint();
      if (!this.isOver) break;
      await this.crash(true);
    }
    this.sink.close();
  }
  /** Never more than the rows of complete checkpoints, and none twice. */
  check(): void {
    const found = this.found();
    assert.equal(new Set(found).size, found.length, 'no row is there twice');
    assert.ok(Math.max(-1, ...found) < this.#stored.rows, 'a finished file has rows of complete checkpoints only');
  }
  found(): number[] {
    return this.#places().flatMap((place) => linesOf(place).map(Number));
  }
  /** Parts in progress of the sink that owns the folder. */
  leftBehind(): string[] {
    const owner = join(this.root, '.sluice-sink');
    const sink = existsSync(owner) ? readFileSync(owner, 'utf8').trim() : 'no owner';
    return this.#places().flatMap((place) => hiddenNames(place).filter((name) => name.includes(sink)));
  }
  #places(): string[] {
    return this.#isDivided ? partitions.map((name) => join(this.root, name)) : [this.root];
  }
}

const action = fc.oneof(
  fc.record({ kind: fc.constant('rows' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    kind: fc.constantFrom(
      'whole',
      'whole',
      'whole',
      'take',
      'memory',
      'store',
      'tell',
      'abort',
      'replace',
      'crash',
      'executor',
      'power',
      'fault',
    ),
    count: fc.nat(5),
  }),
  fc.record({ kind: fc.constant('stop' as const), count: fc.integer({ min: 1, max: 25 }) }),
);
let worlds = 0;
test('law: crashed at any step of the disk, finished files have each row of complete checkpoints once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 40, size: 'max' }), fc.boolean(), async (actions, isDivided) => {
      const world = new World(`world-${worlds++}`, isDivided);
      world.start({ id: 0, state: undefined, rows: 0 });
      for (const { kind, count } of actions) {
        if (kind === 'rows') await world.take(count);
        else if (kind === 'whole') await world.checkpoint();
        else if (kind === 'take') await world.barrier(true);
        else if (kind === 'memory') await world.barrier(false);
        else if (kind === 'store') world.store(false);
        else if (kind === 'tell') world.store(true);
        else if (kind === 'abort') world.abort();
        else if (kind === 'replace') await world.replace();
        else if (kind === 'crash') await world.crash(true);
        else if (kind === 'executor') await world.crash(false);
        else if (kind === 'power') await world.crash(true, count);
        else if (kind === 'stop') world.disk.stepsLeft = count;
        else
          world.disk.fault = {
            step: ['append', 'sync', 'rename', 'syncFolder', 'makeFolder', 'create'][count]!,
            errno: 'EIO',
          };
        // An operator that has failed is started again from the last checkpoint.
        while (world.isOver) await world.crash(true, count % 2 === 0 ? count : undefined);
        world.check();
      }
      await world.end();
      assert.deepEqual(
        world.found().toSorted((a, b) => a - b),
        Array.from({ length: world.rows }, (_, n) => n),
      );
      assert.deepEqual(world.leftBehind(), [], 'no part is left in progress');
      rmSync(world.root, { recursive: true, force: true });
    }),
    { numRuns: 100 },
  );
});

test('a name that a commit has given lasts beyond a loss of power', async () => {
  const world = new World('named', false);
  world.start({ id: 0, state: undefined, rows: 0 });
  for (const rows of [1, 1, 0]) {
    if (rows > 0) await world.take(rows);
    await world.checkpoint();
  }
  await world.crash(true, 0);
  assert.deepEqual(world.found(), [0, 1]);
  world.sink.close();
});

// -------------------------------------------------------------------------------- whole programs

async function run<T>(rows: Iterable<T>, end: (stream: Stream<T>) => void): Promise<void> {
  const environment = new Environment();
  end(environment.from(rows));
  await (
    await environment.execute()
  ).finished;
}
const once = { delivery: 'exactly-once' } as const;

test('a job writes a part, and a CSV part that file() reads again', async () => {
  const rows = [
    { name: 'a, "b"', n: 1 },
    { name: '007', n: 2 },
  ];
  await run(rows, (stream) => {
    stream.toFile(at('two.csv'), once);
    stream.filter(({ n }) => n > 1).toFile(at('one.ndjson'), once);
  });
  const [csv, ...more] = finishedNames(at('two'));
  assert.match(csv!, /^part-[0-9a-f]{8}-000001\.csv$/);
  assert.deepEqual(more, []);
  assert.deepEqual(await new Environment().file(at(`two/${csv}`)).toArray(), rows);
  assert.deepEqual(linesOf(at('one')), ['{"name":"007","n":2}']);
});

test('late rows and rejected records are sunk the same way', async () => {
  writeFileSync(at('input.jsonl'), '{"n":1}\nnonsense\n{"n":2}\n');
  const environment = new Environment();
  const input = environment.file<{ n: number }>(at('input.jsonl'));
  input.toFile(at('good.jsonl'), once);
  input.errors.toFile(at('rejected.jsonl'), once);
  await (
    await environment.execute()
  ).finished;
  assert.deepEqual(linesOf(at('good')), ['{"n":1}', '{"n":2}']);
  assert.equal(linesOf(at('rejected')).length, 1);
});

test('a job refuses the folder of an earlier one, and changes nothing in it', async () => {
  await run([1, 2], (stream) => stream.toFile(at('taken.jsonl'), once));
  const before = finishedNames(at('taken'));
  await assert.rejects(
    run([3], (stream) => stream.toFile(at('taken.jsonl'), once)),
    { code: 'folder-in-use', message: /taken has the part files of another sink.*Choose another folder/ },
  );
  assert.deepEqual([finishedNames(at('taken')), hiddenNames(at('taken'))], [before, []]);
});

test('rows without a known format, and another delivery, are refused by name', () => {
  const stream = new Environment().from([1]);
  assert.throws(() => stream.toFile('rows', once), { code: 'bad-option' });
  assert.throws(() => stream.toFile('rows.csv', { delivery: 'none' as never }), { code: 'bad-option' });
});

// ------------------------------------------------------------------------------------- faults

async function started(name: string, rows: number): Promise<World> {
  const world = new World(name, false);
  world.start({ id: 0, state: undefined, rows: 0 });
  await world.take(rows);
  return world;
}
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

for (const [errno, code, wayOut] of [
  ['ENOSPC', 'file-disk-full', /its disk is full\. Free some space/],
  ['EACCES', 'file-no-permission', /this user may not write there \(EACCES\)\. Give the right/],
  ['EIO', 'file-failed', /Check the disk/],
] as const)
  for (const step of ['makeFolder', 'append', 'sync'])
    test(`${errno} at ${step} fails the sink with its path, and the next life writes each row once`, async () => {
      const world = await started(`fault-${errno}-${step}`, 0);
      world.disk.fault = { step, errno };
      await world.take(3);
      await world.barrier(true);
      assert.equal(codeOf(world.error), code);
      const { message } = world.error as Error;
      assert.match(message, new RegExp(`^${world.root}.* cannot be written: `));
      assert.match(message, wayOut);
      await world.crash(true);
      await world.take(3);
      await world.end();
      assert.deepEqual(world.found(), [0, 1, 2]);
    });

test('a commit that fails is repeated, and its reason is shown', async () => {
  const world = await started('again', 2);
  await world.barrier(true);
  world.disk.fault = { step: 'rename', errno: 'ENOSPC' };
  world.store(true);
  await until(() => world.sink.status().waiting !== undefined);
  assert.match(world.sink.status().waiting!, /^the commit failed: .*its disk is full.*; trying again$/);
  await until(() => !world.sink.hasUncommitted);
  assert.deepEqual([world.found(), world.sink.status().rowsWritten], [[0, 1], 2]);
});

test('a folder that is removed while rows are written fails the sink', async () => {
  const world = await started('removed', 1);
  await world.barrier(true);
  await world.take(1);
  rmSync(world.root, { recursive: true });
  await world.barrier(true);
  assert.equal(codeOf(world.error), 'file-gone');
  assert.match((world.error as Error).message, /its file or its folder was removed/);
});

test('a part that is removed before its commit is an error that counts its rows', async () => {
  const world = await started('part-removed', 3);
  await world.barrier(true);
  rmSync(join(world.root, hiddenNames(world.root)[0]!));
  world.store(true);
  await until(() => world.sink.status().waiting !== undefined);
  assert.match(world.sink.status().waiting!, /inprogress was removed before it was finished, and with it 3 rows/);
  // Also in the next life, and for good.
  await world.crash(true);
  await until(() => world.sink.status().waiting !== undefined);
  assert.match(world.sink.status().waiting!, /with it 3 rows/);
  world.sink.close();
});

test('a finished part that was moved away counts as committed, with a note', async () => {
  const world = await started('moved', 2);
  await world.checkpoint();
  renameSync(join(world.root, finishedNames(world.root)[0]!), at('moved-away'));
  await world.crash(true);
  await until(() => !world.sink.hasUncommitted);
  assert.match(world.sink.status().note!, /000001\.jsonl is no longer in .*moved\. .* counts as moved away/);
  world.sink.close();
});

test('a file in the way of a part is never overwritten', async () => {
  const world = await started('in-the-way', 1);
  await world.barrier(true);
  const name = hiddenNames(world.root)[0]!.slice(1).replace('.inprogress', '');
  writeFileSync(join(world.root, name), 'other\n');
  world.store(true);
  await until(() => world.sink.status().waiting !== undefined);
  assert.match(world.sink.status().waiting!, /is there with other content.*It is not overwritten\. Move it away/);
  assert.equal(readFileSync(join(world.root, name), 'utf8'), 'other\n');
  rmSync(join(world.root, name));
  await until(() => !world.sink.hasUncommitted);
  assert.deepEqual(world.found(), [0]);
});

test('a part with other bytes than were written is an error', async () => {
  const world = await started('changed', 1);
  await world.barrier(true);
  writeFileSync(join(world.root, hiddenNames(world.root)[0]!), '0\n1\n');
  world.store(true);
  await until(() => world.sink.status().waiting !== undefined);
  assert.match(world.sink.status().waiting!, /has 4 bytes, and 2 were written/);
  world.sink.close();
});

test('a restore of an older checkpoint names the parts whose rows are written again', async () => {
  const world = await started('older', 1);
  await world.checkpoint();
  const older = world.stored;
  for (let n = 0; n < 2; n++) {
    await world.take(1);
    await world.checkpoint();
  }
  await world.disk.stop();
  world.sink.close();
  world.start(older);
  assert.match(
    world.sink.status().note!,
    /has rows of after the checkpoint that was restored.*: 2 parts, part-.*-000002\.jsonl to part-.*-000003\.jsonl\. Remove them/,
  );
  await world.take(2);
  await world.end();
  assert.deepEqual(world.found(), [0, 1, 2, 1, 2]);
});

test('a sink leaves what is not its own: files of others, and the parts of another sink', async () => {
  const world = await started('shared', 1);
  await world.checkpoint();
  const others = ['.part-00000000-000009.jsonl.inprogress', '.part-x.jsonl.inprogress', 'notes.txt'];
  for (const name of others) writeFileSync(join(world.root, name), 'mine');
  await world.take(1);
  await world.barrier(true);
  await world.crash(true);
  world.sink.close();
  for (const name of others) assert.equal(readFileSync(join(world.root, name), 'utf8'), 'mine');
});
