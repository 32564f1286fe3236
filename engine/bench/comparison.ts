// A comparison of the bench: the same job on the engine, in its limit (a loop written by hand) and on other engines; all must give the same results.

export interface Measured {
  readonly records: number;
  readonly seconds: number;
  /** Of all threads: what does not change when others use the machine too. */
  readonly cpuSeconds: number;
  readonly results: number;
  readonly checksum: number;
}
/** One way to do the job. */
export interface Side {
  readonly name: string;
  /** Ours through this one, in records a second, is to be at least so much; absent: printed for comparison only. */
  readonly goal?: number;
  /** Runs it once. `scale` divides the number of records. What it prepares before it starts its own clock is not measured. */
  readonly run: (scale: number) => Promise<Measured>;
  /** It is a process already, or starts one. Otherwise the bench runs each measurement in a process of its own. */
  readonly isProcess?: boolean;
  /** Why it cannot run here, when it cannot. */
  readonly missing?: () => string | undefined;
}
export interface Comparison {
  /** One word, for the command line. */
  readonly name: string;
  readonly title: string;
  /** What the results must be at full size; otherwise, what the limit gives. */
  readonly expected?: { readonly results: number; readonly checksum: number };
  /** Runs in one process before the one that counts. */
  readonly warmUps: number;
  readonly sluice: (scale: number) => Promise<Measured>;
  readonly limit: Side;
  readonly others?: readonly Side[];
  /** Why it cannot run here, when it cannot. */
  readonly missing?: () => string | undefined;
  /** What all its runs share (a broker, in the environment); gives what ends it. */
  readonly prepare?: () => Promise<() => Promise<void>>;
}

/** Starts the clocks at the first record; the function it gives reads them at the last result. */
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
/** What a `Checksum` says at the end. */
interface Results {
  readonly results: number;
  readonly sum: number;
}

export async function measured(records: number, run: () => Promise<Results> | Results): Promise<Measured> {
  const finish = startMeasuring(records);
  return finish(await run());
}
