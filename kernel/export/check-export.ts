// All problems that keep a notebook from being a job: those of `sluice check`, and those of its
// exportability to a target.
import { resolve } from 'node:path';
import { checkNotebook, type CheckOptions } from '../cells/check.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { exportability, type Exportability, type Target } from './exportability.ts';

export interface CheckedExport {
  readonly problems: readonly CellDiagnostic[];
  /** Absent: the file cannot be read as a notebook. */
  readonly exported: Exportability | undefined;
}

/** Throws if the file cannot be read. */
export function checkExport(path: string, target: Target, options: Omit<CheckOptions, 'inspect'> = {}): CheckedExport {
  const notebook = resolve(path);
  let exported: Exportability | undefined;
  const problems = checkNotebook(notebook, {
    ...options,
    inspect: (typed) => {
      exported = exportability(notebook, target, typed);
      return exported.problems;
    },
  });
  return { problems: withoutRepeats(problems), exported };
}

/** `check` and the exportability both report assignments to captured variables. */
function withoutRepeats(problems: readonly CellDiagnostic[]): readonly CellDiagnostic[] {
  const seen = new Set<string>();
  return problems.filter(({ cell, code, offset, message }) => {
    const key = `${cell} ${code} ${offset} ${message}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
