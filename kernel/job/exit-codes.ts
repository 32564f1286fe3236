// The exit codes of an exported job. Its README lists them from this table.
export const exitCodes = {
  done: 0,
  failed: 1,
  badConfiguration: 2,
  stateUnusable: 3,
  unsaved: 4,
} as const;

export const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'All sources have ended, or the job was stopped (SIGTERM, SIGINT) and its last checkpoint is complete.',
  failed: 'The job has failed. The log names the cell and the error. A restart goes on from the last checkpoint.',
  badConfiguration:
    'An environment variable is missing or wrong, or Node is older than 24. Each has a line in the log. Nothing has run.',
  stateUnusable:
    'The state cannot be used: another instance has it or its application id, it belongs to another version of the notebook, or the folder cannot be written. A restart alone does not help.',
  unsaved:
    'The job was stopped, and its last checkpoint was not complete in time, or not taken during a restart. A restart repeats what came after the checkpoint before.',
};

/** Of the errors that have ended a job, the first one first. One of its state needs a person. */
export function exitCodeOf(errors: readonly string[]): number {
  if (errors.includes('http-port')) return exitCodes.badConfiguration;
  return errors.some((code) => ofState.test(code)) ? exitCodes.stateUnusable : exitCodes.failed;
}

/** The state folder, or what is in it, does not fit. A value that cannot be stored is a failure. */
const ofState =
  /^(?:state-(?!not-stored$)|application-in-use|other-state|notebook-changed|newer-state|no-savepoint|damaged)/;
