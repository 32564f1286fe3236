// The lag of a cell as a short text: how many records of its topics wait, and the age of the last
// one that was read. And the same for each of the partitions that lag most.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { duration, si } from '../protocol/figures.ts';

/** Records that arrived a moment ago are on their way and no lag. */
const leastMillis = 1000;
const shownPartitions = 5;

export interface Lag {
  readonly text: string;
  /** "orders[3]: 8.2 k (4 min 36 s)", the largest first. Empty: only one partition lags. */
  readonly partitions: readonly string[];
}
interface Waiting {
  readonly name: string;
  readonly records: number;
  /** Of the last record that was read. Below 0: its timestamp is ahead of the clock. */
  readonly ageMillis: number | undefined;
}

/** undefined: nothing waits for longer than a moment. */
export function lagOf(reports: readonly OperatorReport[]): Lag | undefined {
  const waiting = reports.filter(({ finished }) => !finished).flatMap(waitingOf);
  if (waiting.length === 0) return undefined;
  const records = waiting.reduce((sum, one) => sum + one.records, 0);
  const ages = waiting.flatMap(({ ageMillis }) => ageMillis ?? []);
  const oldest = ages.length === 0 ? undefined : ages.reduce((a, b) => Math.max(a, b));
  if (oldest !== undefined && Math.abs(oldest) < leastMillis) return undefined;
  const largest = waiting.toSorted((a, b) => b.records - a.records).slice(0, shownPartitions);
  const rest = waiting.length - largest.length;
  const partitions = largest.map(({ name, records: own, ageMillis }) => `${name}: ${si(own)}${ageText(ageMillis)}`);
  return {
    text: `lag ${si(records)}${ageText(oldest)}`,
    partitions: waiting.length === 1 ? [] : [...partitions, ...(rest > 0 ? [`and ${rest} more`] : [])],
  };
}
function waitingOf({ name, source }: OperatorReport): Waiting[] {
  return (source?.partitions ?? [])
    .filter(({ lag = 0 }) => lag > 0)
    .map(({ partition, lag = 0, lagMillis, aheadMillis }) => ({
      name: partition.endsWith(']') ? partition : `${name}[${partition}]`,
      records: lag,
      ageMillis: aheadMillis === undefined ? lagMillis : -aheadMillis,
    }));
}
function ageText(millis: number | undefined): string {
  if (millis === undefined) return '';
  if (millis <= -leastMillis) return ` (timestamps are ${duration(-millis)} ahead of the clock)`;
  return ` (${duration(Math.max(0, millis))})`;
}
