// Named points in the code where a test can kill the process, as a power cut would.
//
//   SLUICE_FAILPOINT=name      the first time that the point is reached
//   SLUICE_FAILPOINT=name:3    the third time
//
// Without the variable a point does nothing.

/** The points, in the order in which a transaction of a sink reaches them. */
export const failpoints = [
  /** The transaction is finished, and its checkpoint is not stored yet. */
  'after-precommit',
  /** The checkpoint is complete, and nothing of it is committed yet. */
  'before-commit',
  /** Some of the transactions of one checkpoint are committed. */
  'while-committing',
  /** It is committed, and its transactional id is not free yet. */
  'after-commit',
  /** A transactional id that was used before has begun its next transaction. */
  'after-init',
] as const;
export type Failpoint = (typeof failpoints)[number];

const chosen = parsed(process.env['SLUICE_FAILPOINT']);
let reached = 0;

function parsed(text: string | undefined): { readonly name: string; readonly times: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const [name = '', times = '1'] = text.split(':');
  return { name, times: Math.max(1, Number(times) || 1) };
}

/** Kills the process with SIGKILL, if SLUICE_FAILPOINT names this point and the time has come. */
export function reach(name: Failpoint): void {
  if (chosen?.name !== name || ++reached < chosen.times) return;
  process.kill(process.pid, 'SIGKILL');
}
