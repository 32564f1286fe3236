// How a job that is stopped divides its grace period. The platform kills a process that takes
// longer, so all of it ends within the period:
//
//   SIGTERM ──last checkpoint──► closing ──► left by force, with a line in the log ──► over
export interface Grace {
  /** The last checkpoint is given up. */
  readonly checkpointMillis: number;
  /** The job leaves, whether it is closed or not. */
  readonly forceMillis: number;
  /** For the last line of the log, if somebody reads it. */
  readonly logMillis: number;
}

export function graceOf(graceMillis: number): Grace {
  const logMillis = Math.min(500, graceMillis / 10);
  return {
    checkpointMillis: graceMillis - Math.min(5000, graceMillis / 5),
    forceMillis: graceMillis - logMillis,
    logMillis,
  };
}
