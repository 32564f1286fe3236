// The call of user code in which a process has ended without a word, as clients and kernels tell
// it.
export interface LastCall {
  /** Absent: it is not known. A timer or a callback of a cell ran. */
  readonly cell?: string | undefined;
  /** Absent: the cell itself was being evaluated, or a timer or a callback of it ran. */
  readonly operator?: string | undefined;
  /** The cell was being evaluated again, to bring its operators back. Absent: no. */
  readonly duringRestore?: boolean | undefined;
}

/** Two sentences: what has ended, and why most likely. `who`: "The kernel" or "The process". */
export function endOfProcess(who: string, { cell, operator }: LastCall): string {
  const known = operator === undefined ? `cell "${cell}"` : `${operator} of cell "${cell}"`;
  const where = cell === undefined ? 'a timer or a callback of a cell' : known;
  return (
    `${who} has ended in the middle of ${where}. Most likely it asked for more memory at once than there is, ` +
    'which no limit of a cell can hold back. Make its array, text or map smaller, or build it in parts.'
  );
}
