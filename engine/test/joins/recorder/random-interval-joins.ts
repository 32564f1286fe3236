// Generates random interval joins, one case per line, for FlinkIntervalJoins.java.
// Both sides have random elements, watermarks and idleness. Run it with
// `node random-interval-joins.ts <seed> <cases>`.
//
// A case is { lower, upper, ops }. An op is ['l' | 'r', key, timestamp, id], ['lw' | 'rw',
// watermark | 'max'] or ['li' | 'ri' | 'la' | 'ra'] (idle, active).

export interface Case {
  readonly lower: number;
  readonly upper: number;
  readonly ops: readonly Op[];
}
export type Op =
  | readonly ['l' | 'r', key: string, timestamp: number, id: number]
  | readonly ['lw' | 'rw', watermark: number | 'max']
  | readonly ['li' | 'ri' | 'la' | 'ra'];

export function randomCase(random: () => number): Case {
  const int = (below: number): number => Math.floor(random() * below);
  const lower = int(25) - 14;
  const upper = lower + int(18);
  const times = { l: int(20) - 10, r: int(20) - 10 };
  const isIdle = { l: false, r: false };
  const ops: Op[] = [];
  for (let id = 1; id <= 40; id++) {
    const side = random() < 0.5 ? 'l' : 'r';
    const kind = random();
    if (kind < 0.7) ops.push([side, random() < 0.7 ? 'a' : 'b', times[side] + int(16) - 5, id]);
    else if (kind < 0.94) {
      // An idle side has no watermark.
      if (!isIdle[side]) ops.push([`${side}w`, (times[side] += int(8))]);
    } else {
      ops.push([`${side}${isIdle[side] ? 'a' : 'i'}`]);
      isIdle[side] = !isIdle[side];
    }
  }
  for (const side of ['l', 'r'] as const) {
    if (isIdle[side]) ops.push([`${side}a`]);
    ops.push([`${side}w`, 'max']);
  }
  return { lower, upper, ops };
}

/** Mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  const [seed, cases] = process.argv.slice(2).map(Number);
  const random = seeded(seed!);
  for (let n = 0; n < cases!; n++) console.log(JSON.stringify(randomCase(random)));
}
