// Sentences about the records that sources have rejected: how many of how many, and the place and
// the problem of the first.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { RejectedText } from '../protocol/messages.ts';

/**
 * One sentence for each source. Copies for late cells read the same records, so only the one that
 * has read most counts.
 */
export function rejections(reports: readonly OperatorReport[]): readonly RejectedText[] {
  const furthest = new Map<string, OperatorReport>();
  for (const report of reports) {
    const known = furthest.get(report.uid)?.source;
    if (report.source && report.source.errors > 0 && seen(report.source) > (known ? seen(known) : 0))
      furthest.set(report.uid, report);
  }
  return [...furthest.values()].map(rejectedText);
}

/** The records that a source has read. */
function seen({ errors, emitted = 0 }: NonNullable<OperatorReport['source']>): number {
  return errors + emitted;
}

/** More records may be usable as long as the source reads. */
function rejectedText({ name, recordsOut, source }: OperatorReport): RejectedText {
  const { errors = 0, emitted = recordsOut, firstRejection } = source ?? {};
  const all = errors + emitted;
  const text = `${shown(errors)} of ${shown(all)} ${all === 1 ? 'record' : 'records'} of ${name} ${errors === 1 ? 'was' : 'were'} rejected${source?.phase === 'finished' ? '' : ' so far'}`;
  return { text, ...(firstRejection !== undefined && { first: firstRejection }) };
}

/** The sentence with its reason. */
export function rejectedSentence({ text, first }: RejectedText): string {
  return first === undefined ? text : `${text}: ${first}`;
}

function shown(count: number): string {
  return count.toLocaleString('en-US');
}
