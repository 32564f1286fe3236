// Compares the rows that another client has read with those of the batch computation, as multisets.
import { type Output, outputs, type Rows } from './batch-result.ts';

export interface Fault {
  /** wrong: the batch computation does not have this row at all. */
  readonly kind: 'lost' | 'doubled' | 'wrong';
  readonly topic: Output;
  readonly row: string;
  /** How many times too few or too many. */
  readonly times: number;
}
export interface Verdict {
  readonly faults: readonly Fault[];
  readonly isRight: boolean;
  /** The last line of the chaos. */
  readonly line: string;
}

/** What makes a run wrong, also when all rows are right. */
export interface Beside {
  /** Cells with late records, if nothing may be late. */
  readonly late?: readonly string[];
  /** What was planned and has never happened. */
  readonly missing?: readonly string[];
}

/** The worst first. */
const order = ['lost', 'wrong', 'doubled'];

export function verdict(kills: number, expected: Rows, found: Rows, { late = [], missing = [] }: Beside = {}): Verdict {
  const faults = outputs
    .flatMap((topic) => faultsOf(topic, expected[topic], found[topic]))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const rows = outputs.reduce((sum, topic) => sum + found[topic].length, 0);
  const count = (kind: Fault['kind']): number =>
    faults.reduce((sum, fault) => sum + (fault.kind === kind ? fault.times : 0), 0);
  const wrong = count('wrong');
  const line =
    `${kills} kills, ${rows} rows, ${count('lost')} lost, ${count('doubled')} doubled` +
    (wrong > 0 ? `, ${wrong} wrong` : '') +
    (late.length > 0 ? `; late records in ${late.join(', ')}` : '') +
    (missing.length > 0 ? `; planned, and never happened: ${missing.join(', ')}` : '');
  const isRight = faults.length === 0 && rows > 0 && late.length === 0 && missing.length === 0;
  return { faults, isRight, line };
}

function faultsOf(topic: Output, expected: readonly string[], found: readonly string[]): Fault[] {
  const excess = new Map<string, number>();
  for (const row of found) excess.set(row, (excess.get(row) ?? 0) + 1);
  for (const row of expected) excess.set(row, (excess.get(row) ?? 0) - 1);
  const isExpected = new Set(expected);
  return [...excess]
    .filter(([, times]) => times !== 0)
    .map(([row, times]) => ({
      kind: times < 0 ? 'lost' : isExpected.has(row) ? 'doubled' : 'wrong',
      topic,
      row,
      times: Math.abs(times),
    }));
}
