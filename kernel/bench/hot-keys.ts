// The records of the measured job and what it measures, in the thread of its operators. The
// notebook of `checkpointed-job.ts` imports this module.
//
// The records hit each key once, then a window of the keys. The number of a record gives its window
// and its key, so that all runs have the same results.
import { renameSync, writeFileSync } from 'node:fs';
import { Checksum, fold, hashStart } from '../../engine/bench/checksum.ts';

export interface JobSize {
  readonly keys: number;
  readonly hotKeys: number;
  /** After so many records, other keys are hit. */
  readonly perWindow: number;
  /**
   * Unmeasured records after each key was hit once. The first whole checkpoint is written there.
   */
  readonly warmUp: number;
  /** Measured records. */
  readonly records: number;
  /** Folder for what the job writes. */
  readonly folder: string;
}
/** The environment variable with a `JobSize` as JSON. */
export const jobSizeName = 'SLUICE_BENCH_JOB';

/** What the thread of the operators measures, from the first measured record to the last. */
export interface JobMeasured {
  readonly seconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
  /** Of the thread of the operators. */
  readonly executorSeconds: number;
  /**
   * The longest time without a record since each key was hit. It includes the work for one batch.
   */
  readonly pauseCpuMillis: number;
  readonly pauseMillis: number;
  readonly results: number;
  readonly checksum: number;
}
/** The first record that reached the sink in a process. Time in epoch milliseconds. */
export interface FirstRecord {
  readonly at: number;
  readonly total: number;
}
export const measuredName = 'measured.json';
export const firstName = 'first.json';

interface HotRecord {
  readonly key: string;
  readonly n: number;
}

const size: JobSize = JSON.parse(process.env[jobSizeName] ?? '{}') as JobSize;
/**
 * Made by the first record: what a module has when its cell runs belongs to the hash of its
 * functions.
 */
let byKey: readonly HotRecord[] | undefined;
const stride = Math.floor(size.keys / size.hotKeys);
const checksum = new Checksum();

export function recordOf({ n }: { readonly n: number }): HotRecord {
  if ((n & 255) === 0) lookAtClocks();
  byKey ??= Array.from({ length: size.keys }, (_, key): HotRecord => ({ key: `key-${key}`, n: 8 + (key & 7) }));
  if (n < size.keys) return byKey[n]!;
  const hot = (fold(hashStart, n) >>> 0) % size.hotKeys;
  const window = Math.floor((n - size.keys) / size.perWindow);
  return byKey[(hot * stride + window) % size.keys]!;
}

export function take({ total }: { readonly total: number }): void {
  if (checksum.results === 0) write(firstName, { at: performance.timeOrigin + performance.now(), total });
  checksum.add(fold(hashStart, total));
  const { results } = checksum;
  if (results === size.keys) last = clocks();
  else if (results === size.keys + size.warmUp) began = clocks();
  else if (results === size.keys + size.warmUp + size.records) end();
}

interface Clocks {
  readonly millis: number;
  readonly threadMillis: number;
  readonly processMillis: number;
}
let began: Clocks | undefined;
let last: Clocks | undefined;
let pauseCpuMillis = 0;
let pauseMillis = 0;

function clocks(): Clocks {
  const [thread, all] = [process.threadCpuUsage(), process.cpuUsage()];
  return {
    millis: performance.now(),
    threadMillis: (thread.user + thread.system) / 1000,
    processMillis: (all.user + all.system) / 1000,
  };
}
function lookAtClocks(): void {
  if (!last) return;
  const now = clocks();
  pauseCpuMillis = Math.max(pauseCpuMillis, now.threadMillis - last.threadMillis);
  pauseMillis = Math.max(pauseMillis, now.millis - last.millis);
  last = now;
}
function end(): void {
  const [from, to] = [began!, clocks()];
  last = undefined;
  const measured: JobMeasured = {
    seconds: (to.millis - from.millis) / 1000,
    cpuSeconds: (to.processMillis - from.processMillis) / 1000,
    executorSeconds: (to.threadMillis - from.threadMillis) / 1000,
    pauseCpuMillis,
    pauseMillis,
    results: checksum.results,
    checksum: checksum.sum,
  };
  write(measuredName, measured);
}

/** A reader sees the whole file or none. */
function write(name: string, content: JobMeasured | FirstRecord): void {
  const path = `${size.folder}/${name}`;
  writeFileSync(`${path}.tmp`, JSON.stringify(content));
  renameSync(`${path}.tmp`, path);
}
