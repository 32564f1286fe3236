// The report of a comparison: ours divided by each other side, by the clock and by CPU, and whether
// a goal is reached. A side counts with its best round or with the median of its rounds.
import type { Comparison, Counted, FigureGoal, Measured, Side } from './comparison.ts';

/** Our side is the first. */
export type Runs = Map<Side, Measured[]>;

export interface Ratio {
  readonly side: Side;
  readonly byClock: number;
  readonly byCpu: number;
}

export function ratiosOf(runs: Runs, counts: Counted = 'best'): readonly Ratio[] {
  const [[, ours], ...others] = [...runs] as [[Side, Measured[]], ...[Side, Measured[]][]];
  return others.map(([side, theirs]) => ({
    side,
    byClock: counted(theirs, 'seconds', counts) / counted(ours, 'seconds', counts),
    byCpu: counted(theirs, 'cpuSeconds', counts) / counted(ours, 'cpuSeconds', counts),
  }));
}
/** The value of the round that counts, for one record. */
export function counted(
  measurements: readonly Measured[],
  what: 'seconds' | 'cpuSeconds',
  counts: Counted = 'best',
): number {
  const values = measurements.map((run) => run[what] / run.records);
  return counts === 'best' ? Math.min(...values) : median(values);
}
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  if (half === 0) return sorted[0] ?? Infinity;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export function verdictOf(goal: number, byClock: number, byCpu: number): string {
  if (byClock >= goal) return 'reached';
  return byCpu >= goal ? 'reached by CPU only' : 'NOT reached';
}
/** The figure of a side, and whether it is within its bounds. */
export function figureOf(
  values: readonly number[],
  { most = Infinity, least }: FigureGoal,
  counts: Counted = 'best',
): { readonly value: number; readonly isReached: boolean } {
  const best = least === undefined ? Math.min(...values) : Math.max(...values);
  const value = counts === 'best' ? best : median(values);
  return { value, isReached: value <= most && value >= (least ?? -Infinity) };
}

/** All ratios side by side. */
export function printSummary(finished: readonly { readonly comparison: Comparison; readonly runs: Runs }[]): void {
  const heads = ['', 'sluice M/s', 'limit M/s', 'ratio', 'by CPU', 'flink-p1', 'by CPU', 'rxjs', 'by CPU'];
  const rows = finished.map(({ comparison, runs }) => {
    const ratios = ratiosOf(runs, comparison.counts);
    const pair = (name: string): string[] => {
      const ratio = ratios.find(({ side }) => side.name === name);
      return ratio ? [ratio.byClock.toFixed(2), ratio.byCpu.toFixed(2)] : ['', ''];
    };
    const perSecond = (side: Measured[] | undefined): string =>
      (1e-6 / counted(side ?? [], 'seconds', comparison.counts)).toFixed(2);
    return [
      comparison.name,
      perSecond([...runs.values()][0]),
      perSecond(runs.get(comparison.limit)),
      ...pair(comparison.limit.name),
      ...pair('flink-p1'),
      ...pair('rxjs'),
    ];
  });
  console.log('\nsluice through each (above 1: sluice is faster)');
  for (const row of [heads, ...rows])
    console.log(`  ${row.map((cell, i) => (i === 0 ? cell.padEnd(14) : cell.padStart(11))).join('')}`);
}
