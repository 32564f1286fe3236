// The figures of a job with checkpoints, of our program and of Flink's, as text.

export interface CheckpointedSize {
  readonly keys: number;
  readonly hotKeys: number;
  /** After so many records, other keys are hit. */
  readonly perWindow: number;
  /**
   * Unmeasured records after each key was hit once. The first whole checkpoint is written there.
   */
  readonly warmUp: number;
  readonly records: number;
}

/** What both programs print. */
export interface JobRan {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly results: number;
  readonly checksum: number;
  /** The oldest first. Bytes that a restore reads, and bytes that were written. */
  readonly checkpoints: readonly { readonly bytes: number; readonly newBytes: number; readonly millis: number }[];
  readonly failed: number;
  readonly diskBytes: number;
}

/** The first checkpoint with all keys is usually the largest. */
export function checkpointsText({ checkpoints, diskBytes }: JobRan): string {
  const bytes = checkpoints.map(({ newBytes }) => newBytes);
  const millis = median(checkpoints.map((one) => one.millis));
  return (
    `${checkpoints.length} checkpoints: the largest wrote ${megabytes(Math.max(0, ...bytes))}, half of them at most ` +
    `${megabytes(median(bytes))}, the last ${megabytes(bytes.at(-1) ?? 0)}; half were complete after ${millis} ms; ` +
    `${megabytes(diskBytes)} on disk at the end, of which a restore reads ${megabytes(checkpoints.at(-1)?.bytes ?? 0)}`
  );
}
export function restoreText({ millis, cpuMillis }: { readonly millis: number; readonly cpuMillis: number }): string {
  return `restore: ${millis.toFixed(0)} ms until the first record at the sink, ${cpuMillis.toFixed(0)} ms of CPU`;
}
function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
