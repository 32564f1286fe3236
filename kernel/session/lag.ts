// The lag of a cell as a short text: how many records of its topics wait, and the age of the last
// one that was read.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { duration, si } from '../protocol/figures.ts';

/** Records that arrived a moment ago are on their way and no lag. */
const leastMillis = 1000;

/** undefined: nothing waits for longer than a moment. */
export function lagText(reports: readonly OperatorReport[]): string | undefined {
  const waiting = reports
    .filter(({ finished }) => !finished)
    .flatMap(({ source }) => source?.partitions ?? [])
    .filter(({ lag = 0 }) => lag > 0);
  if (waiting.length === 0) return undefined;
  const records = waiting.reduce((sum, { lag = 0 }) => sum + lag, 0);
  const ages = waiting.flatMap(({ lagMillis }) => lagMillis ?? []);
  if (ages.length === 0) return `lag ${si(records)}`;
  const oldest = ages.reduce((a, b) => Math.max(a, b));
  return oldest < leastMillis ? undefined : `lag ${si(records)} (${duration(oldest)})`;
}
