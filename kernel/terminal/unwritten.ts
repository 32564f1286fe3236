// Rows that the sinks of a job took and that their targets did not acknowledge before the job
// ended.
import { kinds } from '../../engine/graph/kinds.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { JsonError } from './json-lines.ts';

export interface UnwrittenRows {
  readonly cell: string;
  readonly error: JsonError;
}

/** One error for each sink, with the number of rows and the reason that the sink knows. */
export function unwrittenRows(operators: readonly OperatorReport[]): readonly UnwrittenRows[] {
  return operators.flatMap((report) => {
    const rows = kinds[report.kind].role === 'sink' ? (report.status?.inFlight ?? 0) : 0;
    if (rows === 0 || report.finished) return [];
    const number = (count: number): string => count.toLocaleString('en-US');
    const why = report.status?.waiting === undefined ? 'its target did not acknowledge them' : report.status.waiting;
    const message = `"${report.name}": ${number(rows)} of ${number(report.recordsIn)} rows are not written: ${why}.`;
    return [{ cell: report.cell, error: { code: 'rows-unwritten', message } }];
  });
}
