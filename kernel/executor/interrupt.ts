// An interrupt of one cell, or of all: evaluations end, and operators that do not return from a
// call are stopped.
import { SluiceError } from '../../engine/errors/error.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import type { Runs } from './runs.ts';

/** An operator that has been inside one call for longer is stuck and not merely slow. */
const stuckMillis = 1000;

export interface Stopped {
  readonly cell: string;
  readonly what: string;
}

/** When a cell is being evaluated, its evaluation is meant and not its operators. */
export function interrupt(cell: string | undefined, runs: Runs, runtime: Runtime): readonly Stopped[] {
  const error = new SluiceError('interrupted', cell === undefined ? 'Interrupted.' : `Cell "${cell}" was interrupted.`);
  const stopped: Stopped[] = runs.interrupt(cell, error).map((one) => ({ cell: one, what: 'run' }));
  if (stopped.length > 0 && cell !== undefined) return stopped;
  // One that was replaced may be what never ends.
  for (const task of [...runtime.tasks.values(), ...runtime.leaving]) {
    const { group, name } = task.chain.nodes[0]!;
    if ((cell !== undefined && group !== cell) || task.stuckMillis < stuckMillis) continue;
    task.interrupt(error);
    stopped.push({ cell: group, what: name });
  }
  return stopped;
}
