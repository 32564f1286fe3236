// What snapshots cost the thread of the operators alone: a keyed sum over a million keys, of which
// each million records hits 50,000. A snapshot is taken behind each million records, which stands
// for a second. The limit is the same run without snapshots.
//
// The bytes go no further than this thread. `checkpoints.ts` measures a whole job.
import { Builder } from '../api/builder.ts';
import { makeSources } from '../api/sources.ts';
import { sum } from '../index.ts';
import { planOf } from '../runtime/environment.ts';
import { Runtime } from '../runtime/runtime.ts';
import { mergeSnapshots, type TaskSnapshot } from '../runtime/snapshot.ts';
import { bytesOf } from '../state/segment.ts';
import { megabytes } from './checkpoint-report.ts';
import { Checksum, fold, hashStart } from './checksum.ts';
import { type Comparison, type Measured, startMeasuring } from './comparison.ts';

const keys = 1_000_000;
const hotKeys = 50_000;
const perCheckpoint = 1_000_000;
const checkpoints = 8;

interface Record {
  readonly key: string;
  readonly n: number;
}
/** All keys once, then 50,000 others for each checkpoint. */
function* recordsOf(byKey: readonly Record[]): Generator<Record> {
  yield* byKey;
  const stride = Math.floor(byKey.length / hotKeys) || 1;
  let random = 1;
  for (let checkpoint = 0; checkpoint < checkpoints; checkpoint++)
    for (let i = 0; i < perCheckpoint; i++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
      yield byKey[(((random >>> 8) % hotKeys) * stride + checkpoint) % byKey.length]!;
    }
}

function threadMillis(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Prints the longest time that the records of a chain waited, in CPU time of this thread. */
function run(scale: number, withCheckpoints: boolean): Measured {
  const byKey = Array.from({ length: Math.ceil(keys / scale) }, (_, n): Record => ({ key: `key-${n}`, n: n & 7 }));
  const checksum = new Checksum();
  const builder = new Builder({ group: '' });
  makeSources(builder)
    .from(recordsOf(byKey))
    .keyBy('key')
    .aggregate({ total: sum('n') })
    .sink(({ total }) => checksum.add(fold(hashStart, total)));
  const fragment = builder.fragment();
  const plan = planOf(
    fragment,
    fragment.sinks.map(({ node }) => node),
  );
  const runtime = new Runtime({ functions: fragment.functions });
  const taken: ReadonlyMap<string, TaskSnapshot>[] = [];
  runtime.mutate(plan, {});
  while (checksum.results < byKey.length) runtime.round();
  // Also without checkpoints: the first is whole, and its length is not compared.
  let next = byKey.length + perCheckpoint;
  let longest = 0;
  if (withCheckpoints) runtime.snapshot(({ tasks }) => void taken.push(tasks));
  const finish = startMeasuring(checkpoints * perCheckpoint);
  for (let went = true; went;) {
    const began = threadMillis();
    went = runtime.round();
    if (withCheckpoints && checksum.results >= next) {
      next += perCheckpoint;
      runtime.snapshot(({ tasks }) => void taken.push(tasks));
    }
    longest = Math.max(longest, threadMillis() - began);
  }
  const measured = finish(checksum);
  runtime.close();
  console.error(`  longest round ${longest.toFixed(0)} ms of CPU ${withCheckpoints ? restoreText(taken) : ''}`);
  return measured;
}

/** Bytes of the first and of a later checkpoint, and what a restore reads of them. */
function restoreText(taken: readonly ReadonlyMap<string, TaskSnapshot>[]): string {
  const bytesIn = (parts: ReadonlyMap<string, TaskSnapshot>): number =>
    [...parts.values()].reduce(
      (all, { groups }) => all + [...groups.values()].reduce((bytes, chain) => bytes + bytesOf(chain), 0),
      0,
    );
  let known: ReadonlyMap<string, TaskSnapshot> = new Map();
  for (const parts of taken) known = new Map([...parts].map(([id, part]) => [id, mergeSnapshots(known.get(id), part)]));
  const sizeOf = (parts: ReadonlyMap<string, TaskSnapshot>): string => megabytes(bytesIn(parts));
  return (
    `with ${taken.length} checkpoints: the first ${sizeOf(taken[0]!)}, a later one ${sizeOf(taken[2]!)}, ` +
    `a restore reads ${sizeOf(known)}`
  );
}

export const snapshotCost: Comparison = {
  name: 'snapshots',
  title: 'keyed sum over 1,000,000 keys, a snapshot for each million records on 50,000 keys',
  warmUps: 0,
  sluice: (scale) => Promise.resolve(run(scale, true)),
  limit: { name: 'without', goal: 0.85, run: (scale) => Promise.resolve(run(scale, false)) },
};
