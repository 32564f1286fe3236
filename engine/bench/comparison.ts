// A comparison of the bench: the same job on the engine and in its limit, a loop written by hand; both must give the same results.

export interface Measured {
  readonly records: number;
  readonly seconds: number;
  readonly results: number;
  readonly checksum: number;
}
export interface Comparison {
  /** One word, for the command line. */
  readonly name: string;
  readonly title: string;
  /** Ours through limit, in records a second. */
  readonly goal: number;
  /** What the results must be; without it, what the limit gives. */
  readonly expected?: { readonly results: number; readonly checksum: number };
  /** Runs in one process before the one that counts. */
  readonly warmUps: number;
  /** Each runs in a process of its own. What it prepares before it starts its own clock is not measured. */
  readonly sluice: () => Promise<Measured>;
  readonly limit: () => Promise<Measured>;
  /** Why it cannot run here, when it cannot. */
  readonly missing?: () => string | undefined;
  /** What all its runs share (a broker, in the environment); gives what ends it. */
  readonly prepare?: () => Promise<() => Promise<void>>;
}

/** Measures one run from its first record to its last result. */
export async function measured(
  records: number,
  run: () =>
    Promise<{ readonly results: number; readonly sum: number }> | { readonly results: number; readonly sum: number },
): Promise<Measured> {
  globalThis.gc?.();
  const began = performance.now();
  const { results, sum } = await run();
  return { records, seconds: (performance.now() - began) / 1000, results, checksum: sum };
}
