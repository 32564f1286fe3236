// aggregator({create, add, merge?, subtract?, result}): the accumulator of the user's functions.
// They may change the given accumulator, or return another one.
import { SluiceError } from '../../errors/error.ts';
import { copied } from '../../values/copied.ts';
import { refusePromise } from '../../values/promise.ts';
import { assertStorable } from '../../values/storable.ts';
import { kindOf } from '../../values/kind.ts';
import type { Kept } from './kept.ts';

export interface CustomFunctions {
  readonly create: () => unknown;
  readonly add: (accumulator: unknown, element: unknown) => unknown;
  readonly merge?: ((a: unknown, b: unknown) => unknown) | undefined;
  /** For groups of a table. */
  readonly subtract?: ((accumulator: unknown, element: unknown) => unknown) | undefined;
  readonly result: (accumulator: unknown) => unknown;
}
export interface Custom {
  accumulator: unknown;
  /** Number of added elements. */
  adds: number;
}

/** Returns the accumulator that the function `from` gave, or throws if it cannot be kept. */
export function accumulatorCheck(aggregate: string): (accumulator: unknown, from: string) => unknown {
  const what = `The accumulator of aggregate "${aggregate}"`;
  return (accumulator, from) => {
    if (accumulator === undefined)
      throw new SluiceError(
        'bad-accumulator',
        `${from}() of aggregate "${aggregate}" gave undefined. Return the accumulator; null may stand for nothing yet.`,
        { aggregate },
      );
    assertStorable(accumulator, what);
    return accumulator;
  };
}

export function custom({ create, add, merge }: CustomFunctions, aggregate: string): Kept<Custom> {
  const checked = accumulatorCheck(aggregate);
  return {
    // Copied, because `create` may always return the same object.
    create: (_value, element) => ({
      accumulator: checked(add(copied(checked(create(), 'create')), element), 'add'),
      adds: 1,
    }),
    add(kept, _value, element) {
      const accumulator = add(kept.accumulator, element);
      const { adds } = kept;
      // An accumulator that is changed in place is checked less and less often, because the cost of
      // a check grows with its size.
      if (accumulator !== kept.accumulator || adds < 16 || (adds & (adds - 1)) === 0)
        kept.accumulator = checked(accumulator, 'add');
      kept.adds = adds + 1;
      return kept;
    },
    ...(merge && {
      merge(into: Custom, from: Custom) {
        into.accumulator = checked(merge(into.accumulator, copied(from.accumulator)), 'merge');
        into.adds += from.adds;
        return into;
      },
    }),
    copy: ({ accumulator, adds }) => ({ accumulator: copied(accumulator), adds }),
    isSmall: ({ accumulator }) =>
      typeof accumulator !== 'object' ||
      accumulator === null ||
      (kindOf(accumulator) === 'object' && Object.values(accumulator).every((field) => typeof field !== 'object')),
  };
}

/** Copied, because rows are immutable, but the accumulator may still change. */
export function resultOf({ result }: CustomFunctions, aggregate: string): (accumulator: unknown) => unknown {
  const what = `result() of aggregate "${aggregate}"`;
  return (accumulator) => {
    const given = result(accumulator);
    refusePromise(given, what);
    return copied(given);
  };
}
export function customResult(functions: CustomFunctions, aggregate: string): (kept: Custom) => unknown {
  const read = resultOf(functions, aggregate);
  return ({ accumulator }) => read(accumulator);
}
