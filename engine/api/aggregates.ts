// Aggregates as plan data: a built-in by name with its selector, or the user's functions. An
// aggregate may not have the name of another field of its result row.
import { SluiceError } from '../errors/error.ts';
import type { AggregateSpec, AggregatesSpec } from '../graph/aggregate-spec.ts';
import type { Json } from '../graph/spec.ts';
import { readOptions } from './options.ts';
import { describe, selector, type UserFunction, userMethod } from './parameters.ts';
import type * as S from './surface.ts';

/**
 * The part of a node that one aggregate adds: its plan data, and the form of its state apart from
 * its name.
 */
interface Planned {
  readonly parameters: AggregateSpec<UserFunction>;
  readonly shape?: Json;
}

class PlannedAggregator<T, R> implements S.Aggregator<T, R> {
  readonly kind = 'aggregator';
  readonly spec: S.AggregatorSpec;
  /** `slot` is the place of this aggregate's functions in its node. */
  readonly planned: (slot: string) => Planned;
  constructor(spec: S.AggregatorSpec, planned: (slot: string) => Planned) {
    this.spec = spec;
    this.planned = planned;
  }
}

type WithoutValue<Spec> = Spec extends { readonly value?: unknown } ? Omit<Spec, 'value'> : never;
/** An aggregate of a selected value. `shape` has the options that change the form of its state. */
function built<T, R>(options: WithoutValue<AggregateSpec>, value: unknown, shape?: Json): PlannedAggregator<T, R> {
  const where = `${options.name}()`;
  selector(where, 'value', value);
  return new PlannedAggregator({ ...options, value }, (slot) => ({
    parameters: { ...options, value: selector(where, slot, value) },
    ...(shape !== undefined && { shape }),
  }));
}
const withoutValue = <T, R>(name: 'count' | 'collect'): PlannedAggregator<T, R> =>
  new PlannedAggregator({ name }, () => ({ parameters: { name } }));

export const count: typeof S.count = () => withoutValue('count');
export const sum: typeof S.sum = (value: unknown) => built<never, never>({ name: 'sum' }, value);
export const avg: typeof S.avg = (value: unknown) => built<never, never>({ name: 'avg' }, value);
export const min: typeof S.min = (value: unknown) => built<never, never>({ name: 'min' }, value);
export const max: typeof S.max = (value: unknown) => built<never, never>({ name: 'max' }, value);

export const minBy: typeof S.minBy = (value: unknown) => built<never, never>({ name: 'minBy' }, value);
export const maxBy: typeof S.maxBy = (value: unknown) => built<never, never>({ name: 'maxBy' }, value);
export const first: typeof S.first = (value) => built({ name: 'first' }, value);
export const last: typeof S.last = (value) => built({ name: 'last' }, value);
export const variance: typeof S.variance = (value: unknown) => built<never, never>({ name: 'variance' }, value);
export const stddev: typeof S.stddev = (value: unknown) => built<never, never>({ name: 'stddev' }, value);

export const quantile: typeof S.quantile = (p: number, value: unknown) => {
  if (typeof p !== 'number' || !(p >= 0 && p <= 1))
    throw new SluiceError(
      'bad-aggregate',
      `quantile() takes a share from 0 to 1, not ${describe(p)}: 0.95 is the 95th percentile.`,
    );
  return built<never, never>({ name: 'quantile', p }, value);
};
export const countDistinct: typeof S.countDistinct = (value, options) => {
  const { approximate = false } = readOptions('countDistinct()', options, ['approximate']);
  if (typeof approximate !== 'boolean')
    throw new SluiceError(
      'bad-option',
      `approximate of countDistinct() is true or false, not ${describe(approximate)}.`,
    );
  return built({ name: 'countDistinct', approximate }, value, approximate);
};
export const topN: typeof S.topN = (n, value) => {
  if (!Number.isSafeInteger(n) || n < 1)
    throw new SluiceError('bad-aggregate', `topN() takes a whole number from 1 on, not ${describe(n)}.`);
  return built({ name: 'topN', n }, value, n);
};
export const collect: typeof S.collect = (value?: unknown) =>
  value === undefined ? withoutValue<never, never>('collect') : built<never, never>({ name: 'collect' }, value);

export const aggregator: typeof S.aggregator = (functions) => {
  if (functions === null || typeof functions !== 'object')
    throw new SluiceError(
      'bad-aggregate',
      `aggregator() takes { create, add, merge?, subtract?, result }, not ${describe(functions)}.`,
    );
  const where = 'aggregator()';
  const hasMerge = 'merge' in functions && functions.merge !== undefined;
  const hasSubtract = 'subtract' in functions && functions.subtract !== undefined;
  const specOf = (slot: string): AggregateSpec<UserFunction> => {
    const method = (name: string): UserFunction => userMethod(where, functions, name, `${slot}.${name}`);
    return {
      name: 'aggregator',
      create: method('create'),
      add: method('add'),
      ...(hasMerge && { merge: method('merge') }),
      ...(hasSubtract && { subtract: method('subtract') }),
      result: method('result'),
    };
  };
  // A missing function is an error here, not where the aggregate is used.
  specOf('');
  return new PlannedAggregator({ name: 'aggregator', ...functions }, (slot) => ({
    parameters: specOf(slot),
    // With a merge, windows keep slices instead of one accumulator for each window.
    ...(hasMerge && { shape: 'merge' }),
  }));
};

/**
 * `parameters.aggregates` of a node by the name of the result, the form of its state, and the first
 * aggregate that cannot be merged, if there is one.
 */
export function aggregateParameters(
  aggregates: unknown,
  keyFields: readonly string[] | undefined,
  windowFields: readonly string[],
): { parameters: AggregatesSpec<UserFunction>; shape: Json; about: string; unmergeable?: string } {
  if (aggregates === null || typeof aggregates !== 'object')
    throw new SluiceError('bad-aggregate', `aggregate() takes { name: count(), … }, not ${describe(aggregates)}.`);
  const names = Object.keys(aggregates);
  if (names.length === 0)
    throw new SluiceError('bad-aggregate', 'aggregate() needs at least one aggregate: aggregate({ n: count() }).');
  const parameters: (readonly [name: string, parameters: AggregateSpec<UserFunction>])[] = [];
  const shape: Json[] = [];
  let unmergeable: string | undefined;
  for (const [name, aggregate] of Object.entries(aggregates)) {
    if (!(aggregate instanceof PlannedAggregator))
      throw new SluiceError(
        'bad-aggregate',
        `Aggregate "${name}" is ${describe(aggregate)}. It must be made by count(), sum() or another aggregate, or by aggregator({ create, add, result }).`,
      );
    refuseTaken(name, keyFields ?? [], 'the key field');
    refuseTaken(name, windowFields, "the window's bound");
    const planned = aggregate.planned(`aggregates.${name}`);
    parameters.push([name, planned.parameters]);
    const kind = aggregate.spec.name;
    shape.push(planned.shape === undefined ? [name, kind] : [name, kind, planned.shape]);
    const { parameters: spec } = planned;
    if (spec.name === 'aggregator' && spec.merge === undefined) unmergeable ??= name;
  }
  return {
    parameters: Object.fromEntries(parameters),
    shape,
    about: names.join(', '),
    ...(unmergeable !== undefined && { unmergeable }),
  };
}

function refuseTaken(name: string, fields: readonly string[], whose: string): void {
  const field = fields.find((candidate) => candidate === name);
  if (field !== undefined)
    throw new SluiceError(
      'name-taken',
      `Aggregate "${name}" has the name of ${whose} "${field}": a row cannot hold both. Rename the aggregate.`,
    );
}
