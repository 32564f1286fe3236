// Random numbers that can be repeated. A failure names its seed.
export interface Chance {
  /** In [0, 1). */
  readonly next: () => number;
  readonly pick: <T>(from: readonly T[]) => T;
}

export function seeded(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return { next, pick: (from) => from[Math.floor(next() * from.length)]! };
}
