// What checkpoints cost a whole job, as `sluice run NOTEBOOK --state DIR` runs it: a keyed sum over
// a million keys, of which the records of some seconds hit 50,000, with a checkpoint each second by
// the clock. The number of a record gives its key, so all sides have the same results. A checkpoint
// while the keys change has up to twice as many. The program is kernel/bench/checkpointed-job.ts:
// the engine does not know the kernel.
//
// Beside it: the same job without any barrier (the limit), the same job without --state, and Flink
// with incremental checkpoints of RocksDB, with and without checkpoints.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointsText, type CheckpointedSize, type JobRan, restoreText } from './checkpoint-report.ts';
import type { Comparison, Measured } from './comparison.ts';
import { checkpointedFlink } from './peers/flink-checkpoints.ts';

function sized(scale: number): CheckpointedSize {
  const part = (number: number): number => Math.ceil(number / scale);
  return {
    ...{ keys: part(1_000_000), hotKeys: part(50_000), perWindow: part(2_000_000) },
    ...{ warmUp: part(2_000_000), records: part(6_000_000) },
  };
}

/** What the program prints. */
interface Ran extends JobRan {
  readonly executorSeconds: number;
  readonly pauseCpuMillis: number;
  readonly pauseMillis: number;
}
interface Restored {
  readonly millis: number;
  readonly openedMillis: number;
  readonly cpuMillis: number;
}
type Mode = 'checkpoints' | 'in-memory' | 'without';

const program = join(import.meta.dirname, '../../kernel/bench/checkpointed-job.ts');

function printed<T>(mode: Mode | 'restore', size: CheckpointedSize & { readonly folder: string }): T {
  const output = execFileSync(process.execPath, [program, mode, JSON.stringify(size)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output.trim().split('\n').at(-1)!) as T;
}

function run(mode: Mode, scale: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const size = sized(scale);
    const ran = printed<Ran>(mode, { ...size, folder });
    const restored = mode === 'checkpoints' ? printed<Restored>('restore', { ...size, folder }) : undefined;
    if (restored) {
      const opened = `the directory is read after ${restored.openedMillis.toFixed(0)} ms`;
      console.error(`  sluice: ${checkpointsText(ran)}\n  sluice: ${restoreText(restored)}; ${opened}`);
    }
    if (ran.failed > 0) throw new Error(`${ran.failed} checkpoints have failed.`);
    const { seconds, cpuSeconds, results, checksum } = ran;
    const figures = {
      [pauseName]: ran.pauseCpuMillis,
      [clockPauseName]: ran.pauseMillis,
      [executorName]: (ran.executorSeconds / size.records) * 1e9,
      ...(restored && { [restoreName]: restored.millis }),
    };
    return Promise.resolve({ records: size.records, seconds, cpuSeconds, results, checksum, figures });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const pauseName = 'longest pause';
const clockPauseName = 'longest pause by the clock';
const executorName = 'thread of the operators';
const restoreName = 'restore';

export const checkpointedJob: Comparison = {
  name: 'checkpoints',
  title:
    'a job with a checkpoint to disk each second: keyed sum, 1,000,000 keys, 50,000 of them in each 2,000,000 records',
  warmUps: 0,
  counts: 'median',
  sluice: (scale) => run('checkpoints', scale),
  isProcess: true,
  limit: { name: 'without', goal: 0.85, isProcess: true, run: (scale) => run('without', scale) },
  others: [
    { name: 'in-memory', isProcess: true, run: (scale) => run('in-memory', scale) },
    ...checkpointedFlink(sized),
  ],
  figures: [
    { name: pauseName, unit: 'ms of CPU', most: 50 },
    { name: clockPauseName, unit: 'ms', most: 50 },
    { name: executorName, unit: 'ns of CPU a record' },
    { name: restoreName, unit: 'ms' },
  ],
};
