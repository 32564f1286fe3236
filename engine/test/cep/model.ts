// The matches of a pattern by definition: every assignment of elements to stages that follows the
// rules. For small patterns only.

export interface ModelStage {
  readonly name: string;
  readonly how: 'next' | 'followedBy' | 'followedByAny';
  /** Letters that match. */
  readonly letters: string;
  /**
   * notFollowedBy: no such element between this stage and the stage before it. notNext: no such
   * element directly after the stage before it.
   */
  readonly forbidden?: { readonly how: 'notFollowedBy' | 'notNext'; readonly letters: string };
  readonly from: number;
  /** Infinity: or more. */
  readonly to: number;
  readonly inner: 'strict' | 'relaxed' | 'any';
}

/** Indices by stage, as text, sorted. Events are one letter each, a millisecond apart. */
export function modelOfMatches(stages: readonly ModelStage[], events: string, within = Infinity): string[] {
  const found: string[] = [];
  const isFor = (stage: ModelStage, at: number): boolean => at < events.length && stage.letters.includes(events[at]!);

  /** Where an element of the stage can stand when the one before it stands at `last`. */
  const places = (stage: ModelStage, how: 'next' | 'followedBy' | 'followedByAny', last: number): number[] => {
    const behind = Array.from({ length: events.length - last - 1 }, (_, n) => last + 1 + n);
    const matching = behind.filter((at) => isFor(stage, at));
    if (how === 'followedByAny') return matching;
    return how === 'followedBy' ? matching.slice(0, 1) : matching.filter((at) => at === last + 1);
  };
  const isForbidden = ({ forbidden }: ModelStage, last: number, at: number): boolean => {
    if (!forbidden) return false;
    if (forbidden.how === 'notNext') return forbidden.letters.includes(events[last + 1]!);
    return [...events.slice(last + 1, at)].some((letter) => forbidden.letters.includes(letter));
  };
  const innerHow = { strict: 'next', relaxed: 'followedBy', any: 'followedByAny' } as const;

  const layStage = (index: number, taken: readonly (readonly number[])[]): void => {
    const stage = stages[index];
    if (!stage) {
      const [first] = taken[0]!;
      const last = taken.at(-1)!.at(-1)!;
      if (last - first! < within)
        found.push(taken.map((places, at) => `${stages[at]!.name}:${places.join(',')}`).join(' '));
      return;
    }
    const last = index === 0 ? undefined : taken[index - 1]!.at(-1)!;
    const firsts =
      last === undefined
        ? [...events].flatMap((_, at) => (isFor(stage, at) ? [at] : []))
        : places(stage, stage.how, last).filter((at) => !isForbidden(stage, last, at));
    for (const first of firsts) layMore(index, taken, [first]);
  };
  const layMore = (index: number, taken: readonly (readonly number[])[], mine: readonly number[]): void => {
    const stage = stages[index]!;
    if (mine.length >= stage.from) layStage(index + 1, [...taken, mine]);
    if (mine.length < stage.to)
      for (const at of places(stage, innerHow[stage.inner], mine.at(-1)!)) layMore(index, taken, [...mine, at]);
  };
  layStage(0, []);
  return found.sort();
}
