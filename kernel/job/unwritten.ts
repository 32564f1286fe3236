// Rows that the sinks of a job took and that their targets did not acknowledge before the job
// ended.
import { kinds } from '../../engine/graph/kinds.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { JobFailure } from './job-failure.ts';

export interface UnwrittenRows {
  readonly cell: string;
  readonly error: JobFailure;
}

/** The errors of each sink, with the number of rows and the reason that the sink knows. */
export function unwrittenRows(operators: readonly OperatorReport[]): readonly UnwrittenRows[] {
  return operators.flatMap((report) => {
    if (kinds[report.kind].role !== 'sink') return [];
    const { inFlight = 0, rowsLost = 0, lostBecause, waiting } = report.status ?? {};
    // A sink in trouble takes no more rows, and they wait in its input. A sink without one takes
    // them as they come.
    const behind = waiting === undefined ? 0 : Math.max(0, (report.unwritten ?? 0) - inFlight);
    const all = report.recordsIn + behind;
    const found: UnwrittenRows[] = [];
    const add = (rows: number, code: string, why: string): void => {
      const of = all.toLocaleString('en-US');
      const message = `"${report.name}": ${rows.toLocaleString('en-US')} of ${of} rows are ${why}.`;
      found.push({ cell: report.cell, error: { code, message } });
    };
    const unwritten = inFlight + behind;
    if (unwritten > 0 && !report.finished)
      add(unwritten, 'rows-unwritten', `not written: ${waiting ?? 'its target did not acknowledge them'}`);
    const lost = lostBecause === undefined ? 'lost' : `lost, because ${lostBecause}`;
    if (rowsLost > 0) add(rowsLost, 'rows-lost', lost);
    return found;
  });
}
