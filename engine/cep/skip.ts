// After-match skip strategies: which other matches, complete or partial, a match discards. Flink's
// rules.
//
//   no-skip           none
//   to-next           those that began with the same element
//   past-last-event   those that began before the last element of the match, or with it
//   to-first, to-last those that began before the first or last element of the stage;
//                     none when the stage has taken nothing
//
// With any strategy except no-skip, a match waits for the partial matches that began before it.
import type { Link, PartialMatch } from './partial-match.ts';
import type { SkipStrategy } from '../graph/pattern-spec.ts';

/**
 * Matches that began with the element of this number or before it are discarded. −Infinity: none.
 */
export function discardedUpTo(
  strategy: SkipStrategy,
  { startSeq, path }: PartialMatch,
  names: readonly string[],
): number {
  switch (strategy.kind) {
    case 'no-skip':
      return -Infinity;
    case 'to-next':
      return startSeq;
    case 'past-last-event':
      return path!.event.seq;
    case 'to-last':
      return before(linksOf(path, names.indexOf(strategy.stage)).at(0));
    case 'to-first':
      return before(linksOf(path, names.indexOf(strategy.stage)).at(-1));
  }
}

/** Links of the stage, newest first. */
function linksOf(path: Link | undefined, stage: number): Link[] {
  const links: Link[] = [];
  for (let link = path; link; link = link.previous) if (link.stage === stage) links.push(link);
  return links;
}
function before(link: Link | undefined): number {
  return link === undefined ? -Infinity : link.event.seq - 1;
}
