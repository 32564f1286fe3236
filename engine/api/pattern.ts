// pattern(): stages in sequence, declared verb by verb. Each verb returns a new pattern, so one
// beginning can be continued in several ways.
//
// A verb that Flink refuses is refused here, with the stage's name. The verbs and the rules for
// their order are in one file.
import {
  type Contiguity,
  type InnerContiguity,
  isNegated,
  type PatternSpec,
  type SkipStrategy,
  type Stage,
} from '../graph/pattern-spec.ts';
import { SluiceError } from '../errors/error.ts';
import { fingerprintAs } from '../graph/fingerprint.ts';
import type { Json } from '../graph/spec.ts';
import { parseDuration } from '../time/duration.ts';
import { builderFor, type Builder, type Origin } from './builder.ts';
import { closestName } from '../errors/closest-name.ts';
import { oneOf, readOptions, text, wholeNumber } from './options.ts';
import { describe, userFunction, type UserFunction } from './parameters.ts';
import { PlannedPatternResult } from './stream.ts';
import type * as S from './surface.ts';

/** A limit that no real pattern needs to exceed. */
const mostTimes = 10_000;

/** A predicate, and the function itself for fingerprints. */
interface Said {
  readonly parameter: UserFunction;
  readonly fn: unknown;
}

class PlannedPattern<T> implements S.Pattern<T> {
  readonly spec: PatternSpec<Said>;
  /** `skip()` has been called. */
  readonly #saysSkip: boolean;
  constructor(spec: PatternSpec<Said>, saysSkip: boolean) {
    this.spec = spec;
    this.#saysSkip = saysSkip;
  }
  get #last(): Stage<Said> {
    return this.spec.stages.at(-1)!;
  }

  next(name: string): S.Pattern<T> {
    return this.#then(name, 'strict');
  }
  followedBy(name: string): S.Pattern<T> {
    return this.#then(name, 'relaxed');
  }
  followedByAny(name: string): S.Pattern<T> {
    return this.#then(name, 'any');
  }
  notNext(name: string): S.Pattern<T> {
    return this.#then(name, 'not-next');
  }
  notFollowedBy(name: string): S.Pattern<T> {
    return this.#then(name, 'not-followed-by');
  }

  where(predicate: (element: T, matched: Record<string, T[]>) => boolean): S.Pattern<T> {
    const { name, where } = this.#last;
    const fn = userFunction(`where() of "${name}"`, `where.${name}.${where.length + 1}`, predicate);
    return this.#change({ where: [...where, { parameter: fn, fn: predicate }] });
  }
  until(predicate: (element: T) => boolean): S.Pattern<T> {
    const { name, occurs, until } = this.#last;
    const fn = userFunction(`until() of "${name}"`, `until.${name}`, predicate);
    if (until) throw this.#malformed('has an until() already', 'Join the two conditions with ||');
    if (occurs !== 'loop')
      throw this.#malformed('has no loop to end', 'Put until() after oneOrMore() or timesOrMore()');
    return this.#change({ until: { parameter: fn, fn: predicate } });
  }

  times(n: number, max?: number): S.Pattern<T> {
    const from = wholeNumber(`The n of times() of "${this.#last.name}"`, n);
    if (max === undefined) {
      if (from === 0)
        throw this.#malformed('occurs 0 times', 'Use notNext() or notFollowedBy(), or leave the stage out');
      return this.#occurs('times()', { occurs: 'times', from, to: from });
    }
    const to = wholeNumber(`The max of times() of "${this.#last.name}"`, max);
    if (to < Math.max(from, 1))
      throw this.#malformed(`occurs ${from} to ${to} times`, `The max of times() is at least ${Math.max(from, 1)}`);
    return this.#occurs('times()', {
      occurs: 'times',
      from: Math.max(from, 1),
      to,
      ...(from === 0 && { isOptional: true }),
    });
  }
  timesOrMore(n: number): S.Pattern<T> {
    const from = wholeNumber(`The n of timesOrMore() of "${this.#last.name}"`, n);
    if (from === 0) throw this.#malformed('occurs 0 times or more', 'Write oneOrMore().optional()');
    return this.#occurs('timesOrMore()', { occurs: 'loop', from, to: from });
  }
  oneOrMore(): S.Pattern<T> {
    return this.#occurs('oneOrMore()', { occurs: 'loop', from: 1, to: 1 });
  }
  #occurs(verb: string, how: Partial<Stage<Said>>): S.Pattern<T> {
    this.#refuseNegated(verb);
    const { occurs, isOptional } = this.#last;
    if (occurs !== 'one') throw this.#malformed('has two quantifiers', `Remove one of them, for example ${verb}`);
    if (Math.max(how.from!, how.to!) > mostTimes)
      throw this.#malformed(
        `occurs ${Math.max(how.from!, how.to!)} times, which needs as many states`,
        `Ask for ${mostTimes} at most, or count in process()`,
      );
    if (isOptional) throw this.#malformed(`is optional before its quantifier`, `Put optional() after ${verb}`);
    return this.#change(how);
  }

  optional(): S.Pattern<T> {
    this.#refuseNegated('optional()');
    if (this.#last.isOptional) throw this.#malformed('is optional already', 'Leave one optional() out');
    if (this.spec.stages.at(-2)?.isGreedy)
      throw this.#malformed(
        'is optional behind a greedy stage',
        'Make the stage before it not greedy, or this one not optional',
      );
    return this.#change({ isOptional: true });
  }
  greedy(): S.Pattern<T> {
    this.#refuseNegated('greedy()');
    this.#refuseSingle('greedy()');
    if (this.#last.inner === 'any')
      throw this.#malformed('is greedy and allows combinations', 'Choose greedy() or allowCombinations()');
    return this.#change({ isGreedy: true });
  }
  consecutive(): S.Pattern<T> {
    return this.#inner('consecutive()', 'strict');
  }
  allowCombinations(): S.Pattern<T> {
    return this.#inner('allowCombinations()', 'any');
  }
  #inner(verb: string, inner: InnerContiguity): S.Pattern<T> {
    this.#refuseNegated(verb);
    this.#refuseSingle(verb);
    if (this.#last.inner === inner) throw this.#malformed(`has ${verb} already`, 'Leave one out');
    if (this.#last.inner !== 'relaxed')
      throw this.#malformed('is consecutive and allows combinations', 'Choose consecutive() or allowCombinations()');
    return this.#change({ inner });
  }

  within(duration: S.Duration): S.Pattern<T> {
    const millis = parseDuration(duration, 'within()');
    if (!Number.isInteger(millis) || millis < 1)
      throw new SluiceError(
        'bad-duration',
        `within() is ${JSON.stringify(duration)}. It is a whole number of milliseconds, at least one.`,
      );
    // Of several durations, the shortest counts.
    const withinMillis = Math.min(millis, this.spec.withinMillis ?? Infinity);
    return new PlannedPattern<T>({ ...this.spec, withinMillis }, this.#saysSkip);
  }
  skip(strategy: Parameters<S.Pattern<T>['skip']>[0]): S.Pattern<T> {
    if (this.#saysSkip) throw new SluiceError('bad-pattern', 'The pattern has two skip strategies. Remove one skip().');
    return new PlannedPattern<T>({ ...this.spec, skip: skipOf(strategy) }, true);
  }

  [fingerprintAs](): unknown {
    const { stages, withinMillis, skip } = this.spec;
    const functions = stages.map(({ where, until }) => [where.map(({ fn }) => fn), until?.fn]);
    return [stages.map(structureOf), functions, withinMillis, skip];
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Pattern ${this.spec.stages.map(({ name }) => name).join(', ')}`;
  }

  #then(name: string, contiguity: Contiguity): S.Pattern<T> {
    const { stages } = this.spec;
    const last = this.#last;
    if (stages.some((stage) => stage.name === name))
      throw new SluiceError(
        'bad-pattern',
        `Two stages of the pattern are called "${name}". Give one of them another name.`,
      );
    const stage = newStage(name, contiguity);
    if (isNegated(stage) && last.isOptional)
      throw this.#malformed(
        `is optional, and a negation follows`,
        'Make two patterns, one with the stage and one without it',
      );
    return new PlannedPattern<T>({ ...this.spec, stages: [...stages, stage] }, this.#saysSkip);
  }
  #change(change: Partial<Stage<Said>>): S.Pattern<T> {
    const stages = [...this.spec.stages.slice(0, -1), { ...this.#last, ...change }];
    return new PlannedPattern<T>({ ...this.spec, stages }, this.#saysSkip);
  }

  #malformed(what: string, wayOut: string): SluiceError {
    return new SluiceError('bad-pattern', `Stage "${this.#last.name}" ${what}. ${wayOut}.`);
  }
  #refuseNegated(verb: string): void {
    if (isNegated(this.#last)) throw this.#malformed(`is negated, so ${verb} has no meaning`, `Leave ${verb} out`);
  }
  #refuseSingle(verb: string): void {
    if (this.#last.occurs === 'one')
      throw this.#malformed(
        `occurs once, so ${verb} has no meaning`,
        `Put times(), timesOrMore() or oneOrMore() before ${verb}, or leave it out`,
      );
  }
}

/** The contract's `pattern`. */
export const pattern = <T>(firstName: string): S.Pattern<T> =>
  new PlannedPattern<T>({ stages: [newStage(firstName, 'strict')], skip: { kind: 'no-skip' } }, false);

/** `KeyedStream.pattern(p)`. `select` declares the node. */
export function matchPattern<T>(
  origin: Origin,
  own: Builder | undefined,
  p: unknown,
): { select<R>(f: (match: Record<string, T[]>) => R): S.PatternResult<R, T> } {
  const { parameters, shape, about } = patternParameters(p);
  return {
    select<R>(f: (match: Record<string, T[]>) => R) {
      const builder = builderFor('pattern', own);
      const draft = builder.declare({
        verb: 'pattern',
        kind: 'pattern',
        about,
        parameters: { ...parameters, select: userFunction('select()', 'select', f) },
        shape: [shape],
        inputs: [{ from: origin, exchange: 'key' }],
      });
      return new PlannedPatternResult<R, T>({ origin: { draft, port: 'out' }, builder });
    },
  };
}

/**
 * The parameters and the form of the state of the node that matches `pattern`. Checks the rules for
 * the pattern as a whole.
 */
function patternParameters(pattern: unknown): {
  parameters: PatternSpec<UserFunction>;
  shape: Json;
  about: string;
} {
  if (!(pattern instanceof PlannedPattern))
    throw new SluiceError(
      'bad-pattern',
      `pattern() of a keyed stream takes a pattern made by pattern("name"), not ${describe(pattern)}.`,
    );
  const { stages, withinMillis, skip } = (pattern as PlannedPattern<unknown>).spec;
  refuseEndlessNegation(stages, withinMillis);
  if ('stage' in skip && !stages.some(({ name }) => name === skip.stage)) throw unknownStage(skip.stage, stages);
  const functionsOf = ({ where, until }: Stage<Said>): Pick<Stage<UserFunction>, 'where' | 'until'> => ({
    where: where.map(({ parameter }) => parameter),
    ...(until && { until: until.parameter }),
  });
  return {
    parameters: {
      stages: stages.map((stage) => ({ ...structureOf(stage), ...functionsOf(stage) })),
      ...(withinMillis !== undefined && { withinMillis }),
      skip,
    },
    // With another predicate, partial matches continue. With another structure, window or strategy
    // they cannot.
    shape: [
      stages.map((stage) => ({ ...structureOf(stage), hasUntil: stage.until !== undefined })),
      withinMillis ?? null,
      skip,
    ],
    about: stages.map(({ name }) => name).join(', '),
  };
}

function newStage(name: unknown, contiguity: Contiguity): Stage<Said> {
  text('The name of a stage', name);
  if (name === '__proto__')
    throw new SluiceError(
      'bad-pattern',
      'A stage cannot be called "__proto__": its elements are a field of the match.',
    );
  return {
    name: name as string,
    contiguity,
    occurs: 'one',
    from: 1,
    to: 1,
    inner: 'relaxed',
    isOptional: false,
    isGreedy: false,
    where: [],
  };
}
function structureOf({
  where: _where,
  until: _until,
  ...structure
}: Stage<Said>): Omit<Stage<Said>, 'where' | 'until'> {
  return structure;
}

function skipOf(strategy: unknown): SkipStrategy {
  if (typeof strategy === 'string')
    return { kind: oneOf('The strategy of skip()', strategy, ['no-skip', 'to-next', 'past-last-event']) };
  const options = readOptions('skip()', strategy, ['toFirst', 'toLast']);
  const names = Object.keys(options);
  if (names.length !== 1)
    throw new SluiceError(
      'bad-option',
      'skip() takes "no-skip", "to-next", "past-last-event", { toFirst: name } or { toLast: name }.',
    );
  const [kind] = names as ['toFirst' | 'toLast'];
  return { kind: kind === 'toFirst' ? 'to-first' : 'to-last', stage: text(`${kind} of skip()`, options[kind]) };
}

/** An element that must not come can be decided only when the time for it is over. */
function refuseEndlessNegation(stages: readonly Stage<Said>[], withinMillis: number | undefined): void {
  const last = stages.at(-1)!;
  if (last.contiguity !== 'not-followed-by') return;
  if (withinMillis === undefined)
    throw new SluiceError(
      'bad-pattern',
      `The pattern ends with notFollowedBy("${last.name}"), which never becomes true without a window. Add within().`,
    );
}
function unknownStage(name: string, stages: readonly Stage<Said>[]): SluiceError {
  const names = stages.map((stage) => stage.name);
  return new SluiceError(
    'bad-pattern',
    `skip() names the stage "${name}", which the pattern does not have. Closest: "${closestName(name, names) ?? names[0]!}".`,
  );
}
