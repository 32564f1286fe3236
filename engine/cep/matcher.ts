// Runs the automaton of a pattern for one key: events go in, in order; complete and timed-out
// matches come out one by one.
//
//   process(key, event)      each partial match branches by the transitions that the event allows
//   advanceTime(key, time)   partial matches that are older than the time limit are over
//   after each: next(key) until it is undefined, then nextTimedOut() until it is undefined
//
// This is Flink's NFA: the order of its queues decides the order of the matches.
import type { Match, Matched } from './match.ts';
import { type Event, type Link, MatchedSoFar, matchOf, type PartialMatch } from './partial-match.ts';
import type { PatternSpec } from '../graph/pattern-spec.ts';
import { discardedUpTo } from './skip.ts';
import { StartQueue } from './start-queue.ts';
import { type Predicate, type State, statesOf, type Transition } from './states.ts';

/** The matches of one key. */
export interface Progress {
  /** Partial matches, and the match that has not begun. */
  partial: StartQueue<PartialMatch>;
  /** Complete matches. Under a skip strategy they wait for partial matches that began earlier. */
  readonly completed: StartQueue<PartialMatch>;
  nextSeq: number;
  /** A match has begun since the caller last reset this. */
  hasBegun: boolean;
}

export class Matcher {
  readonly states: readonly State[];
  /** By index of stage. */
  readonly names: readonly string[];
  readonly withinMillis: number;
  readonly #spec: PatternSpec<Predicate>;
  readonly #matched: MatchedSoFar;
  /** The match that has not begun. There is always one. */
  readonly unbegun: PartialMatch;
  readonly #stack: State[] = [];
  /** Matches that timed out in `advanceTime`, and how many of them `nextTimedOut` has returned. */
  #timedOut: PartialMatch[] = [];
  #givenOut = 0;

  constructor(spec: PatternSpec<Predicate>) {
    this.#spec = spec;
    this.states = statesOf(spec);
    this.names = spec.stages.map(({ name }) => name);
    this.withinMillis = spec.withinMillis ?? Infinity;
    this.#matched = new MatchedSoFar(this.names);
    const state = this.states.find(({ kind }) => kind === 'start')!;
    this.unbegun = { state, path: undefined, startTimestamp: -1, startSeq: Infinity };
  }

  start(): Progress {
    return { partial: new StartQueue([this.unbegun]), completed: new StartQueue(), nextSeq: 0, hasBegun: false };
  }
  /** Number of partial and complete matches. */
  sizeOf({ partial, completed }: Progress): number {
    return partial.size - 1 + completed.size;
  }

  process(progress: Progress, element: unknown, timestamp: number): void {
    const event: Event = { element, timestamp, seq: progress.nextSeq++ };
    const partial = new StartQueue<PartialMatch>();
    const completed = new StartQueue<PartialMatch>();
    for (const match of progress.partial.items) {
      const branches = this.#branchesOf(match, event);
      if (match === this.unbegun && branches.length > 1 && timestamp > 0) progress.hasBegun = true;
      const isStopped = branches.some(({ state }) => state.kind === 'stop');
      for (const branch of branches)
        if (branch.state.kind === 'final') completed.add(branch);
        else if (!isStopped) partial.add(branch);
    }
    progress.partial = partial;
    for (const match of completed.items) progress.completed.add(match);
  }

  advanceTime(progress: Progress, timestamp: number): void {
    if (this.withinMillis === Infinity) return;
    const partial = new StartQueue<PartialMatch>();
    const pending = new StartQueue<PartialMatch>();
    for (const match of progress.partial.items)
      if (match === this.unbegun || timestamp - match.startTimestamp < this.withinMillis) partial.add(match);
      else if (match.state.kind === 'pending') pending.add(match);
      else this.#timedOut.push(match);
    progress.partial = partial;
    for (const match of pending.items) progress.completed.add(match);
  }

  /** The next complete match that does not have to wait; undefined when there is none. */
  next(progress: Progress): PartialMatch | undefined {
    const { partial, completed } = progress;
    const { skip } = this.#spec;
    const earliest = completed.first;
    if (!earliest) return undefined;
    if (skip.kind !== 'no-skip' && partial.size > 0 && earliest.startSeq > partial.first!.startSeq) return undefined;
    completed.poll();
    const discarded = discardedUpTo(skip, earliest, this.names);
    if (discarded >= 0) {
      partial.keep(({ startSeq }) => startSeq > discarded);
      completed.keep(({ startSeq }) => startSeq > discarded);
    }
    return earliest;
  }
  nextTimedOut(): PartialMatch | undefined {
    const over = this.#timedOut[this.#givenOut++];
    if (over) return over;
    this.#timedOut = [];
    this.#givenOut = 0;
    return undefined;
  }
  matchOf({ path }: PartialMatch): Match {
    return matchOf(path, this.names);
  }

  // -------------------------------------------------------------------------- one event, one match

  #branchesOf(match: PartialMatch, event: Event): PartialMatch[] {
    const matched = this.#matched.of(match.path);
    const branches: PartialMatch[] = [];
    const hasBegun = match !== this.unbegun;
    for (const { action, source, target } of this.#edgesFrom(match.state, event.element, matched)) {
      if (action === 'ignore') {
        if (hasBegun) branches.push(target === match.state ? match : { ...match, state: target });
        continue;
      }
      const path: Link = { stage: source.stage, event, previous: match.path };
      const startTimestamp = hasBegun ? match.startTimestamp : event.timestamp;
      const startSeq = hasBegun ? match.startSeq : event.seq;
      branches.push({ state: target, path, startTimestamp, startSeq });
      const final = this.#finalAfter(target, event.element, matched);
      if (final) branches.push({ state: final, path, startTimestamp, startSeq });
    }
    if (!hasBegun) branches.push(match);
    return branches;
  }
  /** The take and ignore transitions that the element allows. */
  #edgesFrom(state: State, element: unknown, matched: Matched): Transition[] {
    const edges: Transition[] = [];
    const stack = this.#stack;
    stack.length = 0;
    stack.push(state);
    for (let from = stack.pop(); from; from = stack.pop())
      for (const transition of from.transitions) {
        if (transition.condition && !transition.condition(element, matched)) continue;
        if (transition.action === 'proceed') stack.push(transition.target);
        else edges.push(transition);
      }
    return edges;
  }
  /** The final state, if it can be reached by proceeding: all remaining stages are optional. */
  #finalAfter(state: State, element: unknown, matched: Matched): State | undefined {
    const stack = this.#stack;
    stack.length = 0;
    stack.push(state);
    for (let from = stack.pop(); from; from = stack.pop())
      for (const { action, target, condition } of from.transitions) {
        if (action !== 'proceed' || (condition && !condition(element, matched))) continue;
        if (target.kind === 'final') return target;
        stack.push(target);
      }
    return undefined;
  }
}
