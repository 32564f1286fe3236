// The thread in which an export evaluates constants. User code may never return, so the thread that
// waits for it is another one. `constants-thread.ts` starts this one.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { refuseExit } from '../executor/no-exit.ts';
import { removeCodeVariables } from '../protocol/code-variables.ts';
import type { EvaluatedConstants } from './constant-values.ts';
import type { Constants } from './constants.ts';
import type { OrderedCell } from './ordered-cells.ts';

export const constantsRole = 'sluice-constants';
export interface ConstantsOrder {
  readonly kind: typeof constantsRole;
  readonly notebook: string;
  readonly cells: readonly OrderedCell[];
  readonly captured: Constants['captured'];
}
export type ConstantsEvent =
  /** A statement begins. `names`: the variables that it defines, behind commas. */
  | { readonly kind: 'begins'; readonly cell: string; readonly names: string }
  | { readonly kind: 'failed'; readonly error: Error }
  | { readonly kind: 'found'; readonly found: EvaluatedConstants };

/** True when this thread was started for constants. Then it evaluates them now. */
export function evaluatesConstants(): boolean {
  const order = workerData as Partial<ConstantsOrder> | null;
  if (isMainThread || order?.kind !== constantsRole) return false;
  removeCodeVariables(process.env);
  refuseExit(() => undefined);
  void answer(order as ConstantsOrder);
  return true;
}

async function answer({ notebook, cells, captured }: ConstantsOrder): Promise<void> {
  const say = (event: ConstantsEvent): void => parentPort!.postMessage(event);
  // A thread that only awaits would end, and what it awaits may come by a timer without a
  // reference.
  parentPort!.on('message', () => undefined);
  try {
    // The other roles of this file do without what this imports.
    const { constantsOfCells } = await import('./constant-values.ts');
    const found = await constantsOfCells(notebook, { cells, captured }, (cell, names) =>
      say({ kind: 'begins', cell, names }),
    );
    say({ kind: 'found', found });
  } catch (error) {
    say({ kind: 'failed', error: error as Error });
  }
}
