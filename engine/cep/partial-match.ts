// What a partial match is: the state it is in and the elements it has taken, as a chain that it shares with the matches it branched from.
//
// A chain is never changed: taking an element puts one link before it. So branches cost one link each, and what no partial match refers to any more is gone by itself.
import type { Match, Matched } from './match.ts';
import type { State } from './states.ts';

export interface Event {
  readonly element: unknown;
  readonly timestamp: number;
  /** The events of one key are numbered as they are processed. */
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
  /** Of the first event; −1 when nothing has been taken. */
  readonly startTimestamp: number;
  readonly startSeq: number;
}

export function matchOf(path: Link | undefined, names: readonly string[]): Match {
  const links: Link[] = [];
  for (let link = path; link; link = link.previous) links.push(link);
  const match: Match = {};
  for (let at = links.length - 1; at >= 0; at--) {
    const { stage, event } = links[at]!;
    (match[names[stage]!] ??= []).push(event.element);
  }
  return match;
}

/** What `where` sees as `matched`: every stage's name is there, with an empty list when it has taken nothing. Valid while the predicate runs; the lists are made when asked for. */
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
    // Several predicates look at the same list.
    return Object.freeze((this.#match[name] ??= []));
  }
}
