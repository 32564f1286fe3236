// Which processes the chaos kills, and when: a function of the seed. A schedule is a row of lives
// of the kernel. Each ends with SIGKILL, either after a time or at a named point of the code.
import { type Failpoint, failpoints } from '../../../engine/contract/failpoints.ts';
import { seeded, type Chance } from '../session-live/seeded.ts';

/**
 * Each move waits `after` milliseconds after the one before it. A kill with `atWork` first waits
 * until the kernel has read records and completed a checkpoint after that, also on a slow machine.
 */
export type Move =
  | { readonly kind: 'executor'; readonly atWork: boolean; readonly after: number }
  | { readonly kind: 'broker'; readonly after: number; readonly outage: number }
  | { readonly kind: 'run-again'; readonly after: number; readonly cell: string }
  | { readonly kind: 'add-partition'; readonly after: number };
export type End =
  | { readonly kind: 'kernel'; readonly atWork: boolean; readonly after: number }
  /** At the n-th time that the point is reached. */
  | { readonly kind: 'failpoint'; readonly name: Failpoint; readonly times: number };
export interface Life {
  readonly moves: readonly Move[];
  readonly end: End;
}

/** What is killed in so many kills: `block` in all. */
const quota = { broker: 2, executor: 5, kernel: 8, failpoint: failpoints.length } as const;
export const block = quota.broker + quota.executor + quota.kernel + quota.failpoint;
/** Lives of a block in which partitions are added. */
const additions = 2;

export interface LivesOptions {
  /** A life that a failpoint would end ends after a time, because nothing is committed. */
  readonly withoutFailpoints?: boolean;
  /** Nothing else in the schedule changes. */
  readonly withoutAdditions?: boolean;
}
/** Lives without end. Each `block` of kills has each failpoint once and the broker twice. */
export function* lives(seed: number, cells: readonly string[], options: LivesOptions = {}): Generator<Life> {
  const { withoutFailpoints = false, withoutAdditions = false } = options;
  const chance = seeded(seed);
  for (;;) {
    const ends: readonly End[] = shuffled(chance, [
      ...Array.from({ length: quota.kernel }, () => killed(chance)),
      ...failpoints.map((name) =>
        withoutFailpoints ? killed(chance) : { kind: 'failpoint' as const, name, times: 1 + under(chance, 2) },
      ),
    ]);
    const moves = ends.map((): Move[] => []);
    const any = (): Move[] => chance.pick(moves);
    // A failpoint may end its life at any time, so an executor is killed in other lives only.
    const timed = moves.filter((_, life) => ends[life]!.kind === 'kernel');
    for (let n = 0; n < quota.executor; n++) chance.pick(timed).push({ kind: 'executor', ...atSomeTime(chance) });
    for (let n = 0; n < quota.broker; n++)
      any().push({ kind: 'broker', after: under(chance, 1_000), outage: under(chance, 2_000) });
    for (let n = 0; n < additions; n++) any().push({ kind: 'add-partition', after: under(chance, 500) });
    for (const own of moves)
      if (chance.next() < 0.6) own.push({ kind: 'run-again', after: under(chance, 600), cell: chance.pick(cells) });
    for (const [life, end] of ends.entries()) {
      const all = shuffled(chance, moves[life]!);
      yield { moves: withoutAdditions ? all.filter(({ kind }) => kind !== 'add-partition') : all, end };
    }
  }
}

/** The first lives, with exactly so many kills. */
export function* cut(all: Iterable<Life>, kills: number): Generator<Life> {
  let left = kills;
  for (const { moves, end } of all) {
    if (left <= 0) return;
    const kept: Move[] = [];
    // The end of the life is a kill, too.
    for (const move of moves) if (!isKill(move) || --left > 0) kept.push(move);
    left--;
    yield { moves: kept, end };
  }
}

export function isKill({ kind }: Move): boolean {
  return kind === 'executor' || kind === 'broker';
}

function killed(chance: Chance): End {
  return { kind: 'kernel', ...atSomeTime(chance) };
}
/** One in five dies while it resumes or restarts, the others somewhere between two checkpoints. */
function atSomeTime(chance: Chance): { readonly atWork: boolean; readonly after: number } {
  if (chance.next() < 0.2) return { atWork: false, after: under(chance, 400) };
  return { atWork: true, after: under(chance, 1_200) };
}
function under(chance: Chance, limit: number): number {
  return Math.floor(chance.next() * limit);
}
function shuffled<T>(chance: Chance, items: readonly T[]): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(under(chance, rest.length), 1)[0]!);
}
