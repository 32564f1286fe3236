// A comparison of the bench: the same job on the engine, as a loop written by hand (its limit), and
// on other engines. All must give the same results.

export interface Measured {
  readonly records: number;
  readonly seconds: number;
  /**
   * The CPU time of all threads. Other programs on the machine change it less than the time by the
   * clock.
   */
  readonly cpuSeconds: number;
  readonly results: number;
  readonly checksum: number;
  /** By the names of the comparison's figures. */
  readonly figures?: Readonly<Record<string, number>>;
}
/** A figure of its own beside the rate. */
export interface FigureGoal {
  readonly name: string;
  readonly unit: string;
  /** The figure should be at most this, at full size. */
  readonly most?: number;
  /** The figure should be at least this, at full size. Without a bound it is only printed. */
  readonly least?: number;
}
/** One implementation of the job. */
export interface Side {
  readonly name: string;
  /** The goal for the ratio of our records/s to this side's; absent: the ratio is only printed. */
  readonly goal?: number;
  /**
   * Runs the job once. `scale` divides the number of records. Preparation before the side starts
   * its clock is not measured.
   */
  readonly run: (scale: number) => Promise<Measured>;
  /** The side starts a process of its own. Otherwise the bench starts one for each measurement. */
  readonly isProcess?: boolean;
  /** The side only reads the records, so its results are not compared. */
  readonly onlyReads?: boolean;
  /** The reason why the side cannot run here; undefined: it can. */
  readonly missing?: () => string | undefined;
}
/** Which round of a side counts. Other load only slows a run, so the best one is the usual one. */
export type Counted = 'best' | 'median';
export interface Comparison {
  /**
   * Absent: the best round. The median is for goals that each run has to reach, such as a pause.
   */
  readonly counts?: Counted;
  /** One word, for the command line. */
  readonly name: string;
  readonly title: string;
  /**
   * The expected results at full size. Without them, or at another size, the results of the limit
   * are expected.
   */
  readonly expected?: { readonly results: number; readonly checksum: number };
  /** The number of unmeasured runs in the same process before the measured one. */
  readonly warmUps: number;
  readonly sluice: (scale: number) => Promise<Measured>;
  /** Our side starts a process of its own, as in `Side`. */
  readonly isProcess?: boolean;
  readonly limit: Side;
  readonly others?: readonly Side[];
  /** Figures that the sides measure beside their rate. Only ours have goals. */
  readonly figures?: readonly FigureGoal[];
  /** The reason why the comparison cannot run here; undefined: it can. */
  readonly missing?: () => string | undefined;
  /**
   * Starts a resource that all runs share (a broker, in the environment). The result is a function
   * that stops it.
   */
  readonly prepare?: () => Promise<() => Promise<void>>;
}

/** Starts the clocks at the first record. The returned function reads them at the last result. */
export function startMeasuring(records: number): (results: Results) => Measured {
  globalThis.gc?.();
  const began = performance.now();
  const cpu = process.cpuUsage();
  return ({ results, sum: checksum }) => {
    const seconds = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { records, seconds, cpuSeconds: (user + system) / 1e6, results, checksum };
  };
}
/** The final figures of a `Checksum`. */
interface Results {
  readonly results: number;
  readonly sum: number;
}

export async function measured(records: number, run: () => Promise<Results> | Results): Promise<Measured> {
  const finish = startMeasuring(records);
  return finish(await run());
}
