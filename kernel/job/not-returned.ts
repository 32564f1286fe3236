// Cells of a job that had not returned when its time was over.
import type { Whereabouts } from '../executor/executor-protocol.ts';
import type { Run } from '../session/state.ts';
import type { JobFailure } from './job-failure.ts';

export interface NotReturned {
  readonly cell: string;
  readonly error: JobFailure;
}

/** One error for each cell that still ran, and for each that did not run at all. */
export function notReturned(runs: readonly Run[]): readonly NotReturned[] {
  const running = runs.filter(({ status }) => status === 'evaluating' || status === 'pulling');
  const unbegun = runs.filter(({ status }) => status === 'queued' || status === 'compiling' || status === 'compiled');
  const held = running.length === 1 ? ` It waited for "${running[0]!.cell}".` : '';
  return [
    ...running.map(({ cell, status }) =>
      notReturnedError(
        cell,
        'cell-not-returned',
        `"${cell}" had not returned when the time was over: ` +
          (status === 'pulling'
            ? 'it was reading rows of a stream. Use `.show()` for a stream without end, or a larger --for.'
            : 'look for an `await` or a loop without end, or use a larger --for.'),
      ),
    ),
    ...unbegun.map(({ cell }) =>
      notReturnedError(cell, 'cell-not-run', `"${cell}" had not run when the time was over.${held}`),
    ),
  ];
}

/** An operator that still ran when the job ended. Cells have errors of their own. */
export function operatorNotReturned(stuckAt: Whereabouts | undefined): readonly NotReturned[] {
  if (stuckAt?.operator === undefined) return [];
  const { cell, operator, millis } = stuckAt;
  const seconds = (millis / 1000).toFixed(1);
  const message = `${operator}: one call had not returned for ${seconds} s when the job ended. Look for a loop without end, or use a larger --for.`;
  return [notReturnedError(cell, 'operator-did-not-return', message)];
}

function notReturnedError(cell: string, code: string, message: string): NotReturned {
  return { cell, error: { code, message } };
}
