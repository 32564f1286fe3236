// All problems that keep a notebook from being a job. `sluice check --target` and `sluice export`
// ask this one function, and an export writes what it has made: a check leaves nothing to find.
//
//   texts and types: exportability ─► packages: bundled, nothing is written ─► constants: evaluated
import { resolve } from 'node:path';
import { checkNotebook, type CheckOptions } from '../cells/check.ts';
import type { CellDiagnostic } from '../cells/compile.ts';
import { type BundledPackages, bundlePackages } from './bundle-packages.ts';
import type { ConstantValues } from './constant-values.ts';
import { constantValues } from './constants-thread.ts';
import { exportability, type Exportability, type Target } from './exportability.ts';

export interface CheckedExport {
  readonly problems: readonly CellDiagnostic[];
  /** Absent: there is an error among the problems. */
  readonly ready?: {
    readonly exported: Exportability;
    readonly packages: BundledPackages;
    readonly constants: ConstantValues;
  };
}

/**
 * It evaluates constants of the notebook in a thread: no source, no sink and no display. Throws if
 * the file cannot be read. Error: `no-bundler`.
 */
export async function checkExport(
  path: string,
  target: Target,
  options: Omit<CheckOptions, 'inspect'> = {},
): Promise<CheckedExport> {
  const notebook = resolve(path);
  const { problems: found, exported } = checkTexts(notebook, target, options);
  if (!exported) return { problems: found };
  const packages = await bundlePackages(notebook, exported.modules.bundled);
  const problems = [...found, ...packages.problems];
  if (problems.some(isError)) return { problems };
  const constants = await constantValues(notebook, exported);
  const all = [...problems, ...constants.problems];
  return all.some(isError) ? { problems: all } : { problems: all, ready: { exported, packages, constants } };
}

export interface CheckedTexts {
  readonly problems: readonly CellDiagnostic[];
  /** Absent: the file cannot be read as a notebook. */
  readonly exported: Exportability | undefined;
}

/** What texts and types say. It runs nothing. */
export function checkTexts(path: string, target: Target, options: Omit<CheckOptions, 'inspect'> = {}): CheckedTexts {
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

const isError = ({ severity }: CellDiagnostic): boolean => severity === 'error';

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
