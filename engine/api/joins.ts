// Joins of two keyed streams: window join, coGroup and interval join. Keys are equal when their
// values are equal. The names of the key fields may differ.
import { SluiceError } from '../errors/error.ts';
import { parseSignedDuration } from '../time/duration.ts';
import { builderFor, type VerbDeclaration } from './builder.ts';
import type { KeyedPlace } from './keyed-stream.ts';
import { oneOf } from './options.ts';
import { userFunction } from './parameters.ts';
import { PlannedWindowResult } from './stream.ts';
import type * as S from './surface.ts';
import { declaredWindow, windowParameters } from './windows.ts';

/** Two keyed streams as the inputs of one operator. */
export interface Sides {
  readonly left: KeyedPlace;
  readonly right: KeyedPlace;
}
type SelectFunction<T, U, R> = (left: T | undefined, right: U | undefined) => R;
const kinds = ['inner', 'left', 'outer'] as const;

/** `verb` names the call for errors: "join()". */
export function sidesOf(verb: string, left: KeyedPlace, right: KeyedPlace): Sides {
  const [l, r] = [left.keyFields, right.keyFields];
  if (l && r && l.length !== r.length)
    throw new SluiceError(
      'bad-key',
      `${verb} cannot match its sides: the left key has ${valuesOf(l)}, the right one ${valuesOf(r)}. Key both by the same values, in the same order.`,
    );
  return { left, right };
}
function valuesOf(fields: readonly string[]): string {
  return `${fields.length === 1 ? '1 value' : `${fields.length} values`} (${fields.join(', ')})`;
}

/**
 * Joins each left element with each right element of the same key whose timestamp is within [left +
 * lower, left + upper], both bounds included. The row has the later timestamp of the two. `left`: a
 * left element without a partner is also emitted, once, when no partner can arrive any more, with
 * `undefined` on the right. `outer`: the same for both sides. An element whose timestamp is before
 * the watermark is late. Flink's IntervalJoin.
 */
export function intervalJoin<T, U>(sides: Sides, joinKind: unknown = 'inner') {
  const join = oneOf('The kind of intervalJoin()', joinKind, kinds);
  return {
    between: (lower: S.SignedDuration, upper: S.SignedDuration) => {
      const lowerMillis = wholeMillis('The lower bound of between()', lower);
      const upperMillis = wholeMillis('The upper bound of between()', upper);
      if (lowerMillis > upperMillis)
        throw new SluiceError(
          'bad-bounds',
          `between(${JSON.stringify(lower)}, ${JSON.stringify(upper)}) is an empty interval: the lower bound is above the upper one.`,
        );
      return {
        select: <R>(f: SelectFunction<T, U, R>): S.WindowResult<R, T | U> =>
          declare(sides, f, {
            verb: 'intervalJoin',
            kind: 'intervalJoin',
            parameters: { join, lowerMillis, upperMillis, fn: userFunction('select()', 'fn', f) },
            shape: [join, lowerMillis, upperMillis],
          }),
      };
    },
  };
}

/**
 * Joins each left element with each right element of the same key and window, when the window
 * fires: left by left, in the order of arrival. `left`: a left element of a window without right
 * elements is also emitted, once, with `undefined` on the right. `outer`: the same for both sides.
 * Rows have the window's last millisecond as their timestamp. Sessions merge over both sides.
 * Allowed lateness is 0.
 */
export function windowJoin<T, U>(sides: Sides, joinKind: unknown = 'inner') {
  const join = oneOf('The kind of join()', joinKind, kinds);
  return {
    window: (assigner: S.WindowAssigner<T | U>) => {
      const window = sharedWindow('join()', assigner, join !== 'inner');
      return {
        select: <R>(f: SelectFunction<T, U, R>): S.WindowResult<R, T | U> =>
          declare(sides, f, {
            verb: 'join',
            kind: 'windowJoin',
            parameters: {
              ...window.parameters,
              allowedLatenessMillis: 0,
              join,
              fn: userFunction('select()', 'fn', f),
            },
            shape: window.shape,
          }),
      };
    },
  };
}

/**
 * Gives all left and all right elements of a key and window to one function, which returns any
 * number of rows. One of the two sides may be empty. The key has the field names of the left side.
 * If a function gives the key, the names are known after its first key; until then they are `key`,
 * or `key1`, `key2`, …
 */
export function coGroup<T, K, U>(sides: Sides) {
  return {
    window: (assigner: S.WindowAssigner<T | U>) => {
      const window = sharedWindow('coGroup()', assigner, false);
      return {
        apply: <R>(
          f: (key: K, left: readonly T[], right: readonly U[], window: S.WindowBounds) => Iterable<R>,
        ): S.WindowResult<R, T | U> =>
          declare(sides, f, {
            verb: 'coGroup',
            kind: 'windowCoGroup',
            parameters: { ...window.parameters, allowedLatenessMillis: 0, fn: userFunction('apply()', 'fn', f) },
            shape: window.shape,
          }),
      };
    },
  };
}

/**
 * The window over both streams, as parameters. `emitsAlone`: elements without a partner are emitted
 * when the window closes.
 */
function sharedWindow(where: string, assigner: unknown, emitsAlone: boolean): ReturnType<typeof windowParameters> {
  const declared = declaredWindow(assigner);
  const { spec, trigger, evictor } = declared;
  const wayOut = 'Use a window of time, or countWindow(size).';
  if (evictor)
    throw badJoinWindow(
      `${where} cannot be over countWindow(size, slide): a join cannot count the last elements of two streams. ${wayOut}`,
    );
  if (spec.kind === 'global' && !trigger)
    throw badJoinWindow(`${where} over globalWindow() would never emit a row: no trigger fires it. ${wayOut}`);
  const window = windowParameters(declared);
  const firesBefore = window.parameters.trigger !== undefined && trigger?.kind !== 'purging';
  if (emitsAlone && firesBefore)
    throw badJoinWindow(
      `${where} emits elements without a partner once, when the window closes, and the trigger of this window may fire before. ` +
        'Wrap the trigger in trigger.purging(), leave it out, or make the rows with coGroup().',
    );
  return window;
}
function badJoinWindow(message: string): SluiceError {
  return new SluiceError('bad-window', message);
}

/** `f` is the function that makes the rows. */
function declare<R, E>(
  { left, right }: Sides,
  f: { readonly name: string },
  declaration: VerbDeclaration,
): PlannedWindowResult<R, E> {
  const builder = builderFor(declaration.verb, left.builder);
  const inputs = [
    { from: left.origin, input: 0 as const, exchange: 'key' as const },
    { from: right.origin, input: 1 as const, exchange: 'key' as const },
  ];
  const draft = builder.declare({ ...declaration, about: f.name, inputs });
  return new PlannedWindowResult<R, E>({ origin: { draft, port: 'out' }, builder });
}

function wholeMillis(what: string, duration: unknown): number {
  const millis = parseSignedDuration(duration, what);
  if (Number.isInteger(millis)) return millis;
  throw new SluiceError('bad-duration', `${what} is ${JSON.stringify(duration)}. It must be in whole milliseconds.`);
}
