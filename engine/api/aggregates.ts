// Aggregates as plan data: a built-in by name with what it selects. The row they make must be able to hold them all.
import { notYet, SluiceError } from '../error.ts';
import type { Json } from '../graph/plan.ts';
import { describe, selector, type Parameters } from './parameters.ts';
import type * as S from './surface.ts';

class PlannedAggregator<T, R> implements S.Aggregator<T, R> {
  readonly kind = 'aggregator';
  readonly spec: S.AggregatorSpec;
  constructor(name: string, value?: unknown) {
    if (name !== 'count') selector(`${name}()`, 'value', value);
    this.spec = { name, ...(value !== undefined && { value }) };
  }
}

export const count: typeof S.count = () => new PlannedAggregator('count');
export const sum: typeof S.sum = (value) => new PlannedAggregator('sum', value);
export const avg: typeof S.avg = (value) => new PlannedAggregator('avg', value);
export const min: typeof S.min = (value: unknown) => new PlannedAggregator<never, never>('min', value);
export const max: typeof S.max = (value: unknown) => new PlannedAggregator<never, never>('max', value);

export const minBy: typeof S.minBy = () => notYet('aggregates that keep an element (minBy)');
export const maxBy: typeof S.maxBy = () => notYet('aggregates that keep an element (maxBy)');
export const first: typeof S.first = () => notYet('first and last values (first)');
export const last: typeof S.last = () => notYet('first and last values (last)');
export const variance: typeof S.variance = () => notYet('variance and standard deviation (variance)');
export const stddev: typeof S.stddev = () => notYet('variance and standard deviation (stddev)');
export const quantile: typeof S.quantile = () => notYet('quantiles');
export const countDistinct: typeof S.countDistinct = () => notYet('distinct counts (countDistinct)');
export const topN: typeof S.topN = () => notYet('top lists (topN)');
export const collect: typeof S.collect = () => notYet('collected values (collect)');
export const aggregator: typeof S.aggregator = () => notYet('custom aggregators');

/** `parameters.aggregates` of a node: Record<name, {name, value?: SelectorSpec}>; and what its state looks like. */
export function aggregateParameters(
  aggregates: unknown,
  keyFields: readonly string[] | undefined,
  windowFields: readonly string[],
): { parameters: Parameters; shape: Json; about: string } {
  if (aggregates === null || typeof aggregates !== 'object')
    throw new SluiceError('bad-aggregate', `aggregate() takes { name: count(), … }, not ${describe(aggregates)}.`);
  const names = Object.keys(aggregates);
  if (names.length === 0)
    throw new SluiceError('bad-aggregate', 'aggregate() needs at least one aggregate: aggregate({ n: count() }).');
  const parameters: Record<string, Parameters> = {};
  const shape: [string, string][] = [];
  for (const [name, aggregate] of Object.entries(aggregates)) {
    if (!(aggregate instanceof PlannedAggregator))
      throw new SluiceError(
        'bad-aggregate',
        `Aggregate "${name}" is ${describe(aggregate)}. It must be made by count(), sum(), avg(), min() or max().`,
      );
    refuseTaken(name, keyFields ?? [], 'the key field');
    refuseTaken(name, windowFields, "the window's bound");
    const { name: kind, value } = aggregate.spec;
    parameters[name] = {
      name: kind,
      ...(value !== undefined && { value: selector(`${kind}()`, `aggregates.${name}`, value) }),
    };
    shape.push([name, kind]);
  }
  return { parameters, shape, about: names.join(', ') };
}

function refuseTaken(name: string, fields: readonly string[], whose: string): void {
  const field = fields.find((candidate) => candidate === name);
  if (field !== undefined)
    throw new SluiceError(
      'name-taken',
      `Aggregate "${name}" has the name of ${whose} "${field}": a row cannot hold both. Rename the aggregate.`,
    );
}
