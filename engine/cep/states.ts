// The states of a pattern's automaton, built from the last stage to the first. One file, because
// the functions that build states call each other.
//
//   take      the match takes the element and continues in the target
//   ignore    the match skips the element and continues in the target
//   proceed   the element is checked again in the target (an epsilon transition)
//
// The rules are those of Flink's NFACompiler: the states and the order of their transitions decide
// which matches are found, and in which order.
import type { Matched } from './match.ts';
import type { PatternSpec, Stage } from '../graph/pattern-spec.ts';

export type Predicate = (element: unknown, matched: Matched) => unknown;
/** undefined: always. */
type Condition = Predicate | undefined;

export interface Transition {
  readonly action: 'take' | 'ignore' | 'proceed';
  readonly source: State;
  readonly target: State;
  condition: Condition;
}
export interface State {
  /**
   * Index in the list of states. Equal for patterns with the same structure, so snapshots refer to
   * states by it.
   */
  readonly id: number;
  /** Index of the stage whose elements it takes; −1 for the final state. */
  readonly stage: number;
  /** `pending`: the match completes at its time limit. `stop`: the match is discarded. */
  kind: 'start' | 'normal' | 'pending' | 'final' | 'stop';
  readonly transitions: Transition[];
}

/** All states; exactly one is the start. */
export function statesOf({ stages, withinMillis }: PatternSpec<Predicate>): readonly State[] {
  const compiler = new Compiler(stages);
  compiler.compile(withinMillis !== undefined);
  return compiler.states;
}

class Compiler {
  readonly states: State[] = [];
  readonly #stages: readonly Stage<Predicate>[];
  readonly #take: readonly Condition[];
  readonly #stopByStage = new Map<number, State>();
  /**
   * The states after a greedy loop, for the case that `until` has ended the loop: without the
   * condition that the loop has priority.
   */
  readonly #ungreedy = new Map<State, State>();
  /** Index of the stage that is being compiled. */
  #at = 0;

  constructor(stages: readonly Stage<Predicate>[]) {
    this.#stages = stages;
    this.#take = stages.map(({ where }) => where.reduce<Condition>(both, undefined));
  }
  get #stage(): Stage<Predicate> {
    return this.#stages[this.#at]!;
  }

  compile(hasWindow: boolean): void {
    let following = this.#state('final', -1);
    for (this.#at = this.#stages.length - 1; this.#at > 0; this.#at--) {
      const { contiguity } = this.#stage;
      if (contiguity === 'not-next') following = this.#notNext(following);
      else if (contiguity !== 'not-followed-by') following = this.#occurrences(following);
      // Elsewhere a notFollowedBy is no state of its own: it adds stop transitions to the stage
      // after it.
      else if (hasWindow && following.kind === 'final') following = this.#notFollowedByAtTheEnd();
    }
    this.#occurrences(following).kind = 'start';
  }

  #state(kind: State['kind'], stage = this.#at): State {
    const state: State = { id: this.states.length, stage, kind, transitions: [] };
    this.states.push(state);
    return state;
  }
  #copy({ kind, stage, transitions }: State): State {
    const copy = this.#state(kind, stage);
    for (const { action, source, target, condition } of transitions)
      connect(copy, action, target === source ? copy : target, condition);
    return copy;
  }

  // ------------------------------------------------------------------------------------- negations

  #notNext(following: State): State {
    const notNext = this.#state('normal');
    const forbidden = this.#take[this.#at];
    const stop = this.#stopOf(this.#at);
    // At the end of a pattern, an element that is not forbidden completes the match. So the final
    // state must not be reached by proceeding.
    connect(notNext, following.kind === 'final' ? 'ignore' : 'proceed', following, not(forbidden));
    connect(notNext, 'proceed', stop, forbidden);
    return notNext;
  }
  #notFollowedByAtTheEnd(): State {
    const waiting = this.#state('pending');
    const forbidden = this.#take[this.#at];
    connect(waiting, 'proceed', this.#stopOf(this.#at), forbidden);
    connect(waiting, 'ignore', waiting, not(forbidden));
    return waiting;
  }
  #stopOf(stage: number): State {
    const known = this.#stopByStage.get(stage);
    if (known) return known;
    const stop = this.#state('stop', stage);
    connect(stop, 'take', stop, this.#take[stage]);
    this.#stopByStage.set(stage, stop);
    return stop;
  }
  /**
   * The notFollowedBy stages that are in force while the current stage is awaited: those directly
   * before it, and those before optional stages before it.
   */
  #negationsBefore(): number[] {
    const found: number[] = [];
    for (let at = this.#at - 1; at >= 0; at--) {
      const { contiguity, isOptional } = this.#stages[at]!;
      if (contiguity === 'not-followed-by') found.push(at);
      else if (!isOptional) break;
    }
    return found;
  }
  #stopAtNegations(state: State): void {
    for (const at of this.#negationsBefore()) connect(state, 'proceed', this.#stopOf(at), this.#take[at]);
  }
  /**
   * A notFollowedBy after a stage of several elements is in force from the stage's first element
   * on.
   */
  #stopAtNegationBehind(state: State): void {
    const behind = this.#stages[this.#at + 1];
    if (behind?.contiguity === 'not-followed-by')
      connect(state, 'proceed', this.#stopOf(this.#at + 1), this.#take[this.#at + 1]);
  }
  /**
   * The state after an optional stage that has taken an element: the negations before the stage are
   * no longer in force.
   */
  #withoutNegationsBefore(state: State): State {
    const negations = this.#negationsBefore();
    if (negations.length === 0 || !this.#stage.isOptional) return state;
    const copy = this.#state(state.kind, state.stage);
    for (const { action, source, target, condition } of state.transitions)
      if (action !== 'proceed') connect(copy, action, target === source ? copy : target, condition);
      else if (target.kind !== 'stop') connect(copy, action, this.#withoutNegationsBefore(target), condition);
      else if (!negations.includes(target.stage)) connect(copy, action, target, condition);
    return copy;
  }

  // ------------------------------------------------------------------------------------- one stage

  /** The first state of the current stage, with all its occurrences. */
  #occurrences(following: State): State {
    const first = this.#firstOccurrence(following);
    this.#stopAtNegations(first);
    return first;
  }
  #firstOccurrence(following: State): State {
    switch (this.#stage.occurs) {
      case 'loop':
        return this.#times(this.#loop(this.#withoutNegationsBefore(following)), following);
      case 'times':
        return this.#times(following, following);
      case 'one':
        return this.#single(following, following, this.#take[this.#at], this.#passed('outer'), this.#stage.isOptional);
    }
  }

  /** `sink`: the state after the last occurrence. `following`: the state after the stage. */
  #times(sink: State, following: State): State {
    const { from, to, isGreedy, isOptional } = this.#stage;
    const take = this.#unless(this.#take[this.#at]);
    const passed = this.#passed('inner');
    if (isGreedy && from !== to) letFirst(sink, take);
    let next = sink;
    for (let n = from; n < to; n++) {
      next = this.#single(next, following, take, passed, true);
      this.#stopAtNegationBehind(next);
    }
    for (let n = 1; n < from; n++) {
      next = this.#single(next, following, take, passed, false);
      this.#stopAtNegationBehind(next);
    }
    return this.#single(next, following, take, this.#passed('outer'), isOptional);
  }

  /**
   * `passed`: which elements may be skipped before the taken one; 'none' when it must be the next
   * one.
   */
  #single(sink: State, following: State, take: Condition, passed: Condition | 'none', mayBeLeftOut: boolean): State {
    const state = this.#state('normal');
    const taken = this.#withoutNegationsBefore(sink);
    connect(state, 'take', taken, take);
    if (mayBeLeftOut) this.#proceed(state, following, this.#ungreedy.get(following) ?? following);
    if (passed === 'none') return state;
    if (!mayBeLeftOut) {
      connect(state, 'ignore', state, passed);
      return state;
    }
    // After it has skipped an element, the match waits in a state without a proceed transition. So
    // only one branch tries the following stage.
    const waiting = this.#state('normal');
    connect(waiting, 'take', taken, take);
    connect(waiting, 'ignore', waiting, passed);
    this.#stopAtNegations(waiting);
    connect(state, 'ignore', waiting, passed);
    return state;
  }

  /** A state that takes any number of elements and proceeds to the following state. */
  #loop(following: State): State {
    const { isGreedy, until } = this.#stage;
    const take = this.#unless(this.#take[this.#at]);
    const passed = this.#passed('inner');
    const loop = this.#state('normal');
    const ungreedy = isGreedy && until ? this.#copy(following) : following;
    if (ungreedy !== following) this.#ungreedy.set(following, ungreedy);
    this.#proceed(loop, following, ungreedy);
    if (isGreedy) letFirst(following, this.#take[this.#at]);
    connect(loop, 'take', loop, take);
    this.#stopAtNegationBehind(loop);
    if (passed === 'none') return loop;
    const waiting = this.#state('normal');
    connect(waiting, 'take', loop, take);
    connect(waiting, 'ignore', waiting, passed);
    connect(loop, 'ignore', waiting, passed);
    this.#stopAtNegationBehind(waiting);
    return loop;
  }

  /**
   * Proceeds to the following state. When `until` of a greedy stage holds, it proceeds to the
   * following state without the stage's priority.
   */
  #proceed(state: State, following: State, ungreedy: State): void {
    const { isGreedy, until } = this.#stage;
    if (isGreedy && until) {
      connect(state, 'proceed', ungreedy, until);
      connect(state, 'proceed', following, not(until));
    } else connect(state, 'proceed', following, undefined);
  }

  /**
   * Which elements may be skipped before the stage's first element (outer) or between its elements
   * (inner).
   */
  #passed(which: 'outer' | 'inner'): Condition | 'none' {
    const { contiguity, inner } = this.#stage;
    const how = which === 'outer' ? contiguity : inner;
    if (how === 'strict') return 'none';
    const passed = how === 'relaxed' ? not(this.#take[this.#at]) : undefined;
    return which === 'outer' ? passed : this.#unless(passed);
  }
  /** Only while the stage's `until` does not hold. */
  #unless(condition: Condition): Condition {
    const { until } = this.#stage;
    return until ? both(not(until), condition) : condition;
  }
}

function connect(source: State, action: Transition['action'], target: State, condition: Condition): void {
  source.transitions.push({ action, source, target, condition });
}
/** A greedy stage has priority: the state after it ignores elements that the stage would take. */
function letFirst(state: State, take: Condition): void {
  for (const transition of state.transitions) transition.condition = both(transition.condition, not(take));
}
function not(condition: Condition): Predicate {
  if (!condition) return () => false;
  return (element, matched) => !condition(element, matched);
}
function both(one: Condition, other: Condition): Condition {
  if (!one) return other;
  if (!other) return one;
  return (element, matched) => one(element, matched) && other(element, matched);
}
