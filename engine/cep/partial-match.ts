// A partial match: its state, and the elements it has taken, as a linked list that it shares with
// the matches it branched from.
//
// A link is never changed: to take an element adds one link at the front. So a branch costs one
// link. The garbage collector removes links that no partial match refers to.
import type { Match, Matched } from './match.ts';
import type { State } from './states.ts';

export interface Event {
  readonly element: unknown;
  readonly timestamp: number;
  /** Number of the event in the order of processing, per key. */
  readonly seq: number;
}
export interface Link {
  /** Index of the stage that took the event. */
  readonly stage: number;
  readonly event: Event;
  readonly previous: Link | undefined;
}
export interface PartialMatch {
  readonly state: State;
  /** undefined: nothing has been taken yet. */
  readonly path: Link | undefined;
  /** Timestamp of the first event; −1 when nothing has been taken. */
  readonly startTimestamp: number;
  readonly startSeq: number;
}

export function matchOf(path: Link | undefined, names: readonly string[]): Match {
  const links: Link[] = [];
  for (let link = path; link; link = link.previous) links.push(link);
  const match: Match = {};
  for (let at = links.length - 1; at >= 0; at--) {
    const { stage, event } = links[at]!;
    listIn(match, names[stage]!).push(event.element);
  }
  return match;
}

/**
 * The argument `matched` of `where`. It has every stage's name, with an empty list for a stage that
 * has taken nothing. It is valid while the predicate runs. The lists are made on access.
 */
export class MatchedSoFar {
  readonly view: Matched;
  readonly #names: readonly string[];
  #path: Link | undefined;
  #match: Match | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
    const view = {};
    for (const name of names) Object.defineProperty(view, name, { enumerable: true, get: () => this.#listOf(name) });
    this.view = Object.freeze(view);
  }
  of(path: Link | undefined): Matched {
    this.#path = path;
    this.#match = undefined;
    return this.view;
  }
  #listOf(name: string): readonly unknown[] {
    this.#match ??= matchOf(this.#path, this.#names);
    // Several predicates read the same list.
    return Object.freeze(listIn(this.#match, name));
  }
}

/** Only an own field is a list. Every object inherits names such as `constructor`. */
function listIn(match: Match, name: string): unknown[] {
  if (!Object.hasOwn(match, name)) match[name] = [];
  return match[name]!;
}
