// aggregator({create, add, merge?, result}): what the user's functions keep. They may change an accumulator that they are given, or give another one.
import { SluiceError } from '../../errors/error.ts';
import { copied } from '../../values/copied.ts';
import { assertStorable } from '../../values/storable.ts';
import { kindOf } from '../../values/kind.ts';
import type { Kept } from './kept.ts';

export interface CustomFunctions {
  readonly create: () => unknown;
  readonly add: (accumulator: unknown, element: unknown) => unknown;
  readonly merge?: ((a: unknown, b: unknown) => unknown) | undefined;
  readonly result: (accumulator: unknown) => unknown;
}
export interface Custom {
  accumulator: unknown;
  /** How often it has been added to. */
  adds: number;
}

export function custom({ create, add, merge }: CustomFunctions, aggregate: string): Kept<Custom> {
  const what = `The accumulator of aggregate "${aggregate}"`;
  const checked = (accumulator: unknown, from: string): unknown => {
    if (accumulator === undefined)
      throw new SluiceError(
        'bad-accumulator',
        `${from}() of aggregate "${aggregate}" gave undefined. Return the accumulator; null may stand for nothing yet.`,
        { aggregate },
      );
    assertStorable(accumulator, what);
    return accumulator;
  };
  return {
    // A copy, for functions that always give the same object.
    create: (_value, element) => ({
      accumulator: checked(add(copied(checked(create(), 'create')), element), 'add'),
      adds: 1,
    }),
    add(kept, _value, element) {
      const accumulator = add(kept.accumulator, element);
      const { adds } = kept;
      // One that is changed in place is looked at ever more rarely: looking costs as much as it is large.
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

/** A copy: rows are immutable, and the accumulator may go on changing. */
export function customResult({ result }: CustomFunctions): (kept: Custom) => unknown {
  return ({ accumulator }) => copied(result(accumulator));
}
