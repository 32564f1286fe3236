// The report of a comparison: ours divided by each other side, by the clock and by CPU. Each side
// counts with its best round, because other load only slows a run.
import type { Comparison, Measured, Side } from './comparison.ts';

/** Our side is the first. */
export type Runs = Map<Side, Measured[]>;

export interface Ratio {
  readonly side: Side;
  readonly byClock: number;
  readonly byCpu: number;
}

export function ratiosOf(runs: Runs): readonly Ratio[] {
  const [[, ours], ...others] = [...runs] as [[Side, Measured[]], ...[Side, Measured[]][]];
  return others.map(([side, theirs]) => ({
    side,
    byClock: best(theirs, 'seconds') / best(ours, 'seconds'),
    byCpu: best(theirs, 'cpuSeconds') / best(ours, 'cpuSeconds'),
  }));
}
/** The least value of all runs, for one record. */
function best(measurements: readonly Measured[], what: 'seconds' | 'cpuSeconds'): number {
  return Math.min(...measurements.map((run) => run[what] / run.records));
}

/** All ratios side by side. */
export function printSummary(finished: readonly { readonly comparison: Comparison; readonly runs: Runs }[]): void {
  const heads = ['', 'sluice M/s', 'limit M/s', 'ratio', 'by CPU', 'flink-p1', 'by CPU', 'rxjs', 'by CPU'];
  const rows = finished.map(({ comparison, runs }) => {
    const ratios = ratiosOf(runs);
    const pair = (name: string): string[] => {
      const ratio = ratios.find(({ side }) => side.name === name);
      return ratio ? [ratio.byClock.toFixed(2), ratio.byCpu.toFixed(2)] : ['', ''];
    };
    const perSecond = (side: Measured[] | undefined): string => (1e-6 / best(side ?? [], 'seconds')).toFixed(2);
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
