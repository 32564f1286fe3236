// Joins of two keyed streams: window join, coGroup and interval join. Keys are the same when their values are; what they are called is each side's own affair.
import { SluiceError } from '../errors/error.ts';
import { parseSignedDuration } from '../time/duration.ts';
import { builderFor, type VerbDeclaration } from './builder.ts';
import type { KeyedPlace } from './keyed-stream.ts';
import { oneOf } from './options.ts';
import { userFunction } from './parameters.ts';
import { PlannedWindowResult } from './stream.ts';
import type * as S from './surface.ts';
import { declaredWindow, windowParameters } from './windows.ts';

/** Two keyed streams before one operator. */
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
 * Each left element with each right one of the same key whose timestamp is within [left + lower, left + upper], both ends included; the row's timestamp is
 * the later of the two. `left`: also each left element that found no partner, once, when none can come any more, with `undefined` on the right; `outer`: those
 * of either side. An element whose timestamp is before the watermark is late. Flink's IntervalJoin.
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
          `between(${JSON.stringify(lower)}, ${JSON.stringify(upper)}) holds no time: the lower bound is above the upper one.`,
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
 * Each left element with each right one of the same key and window, when the window fires: left by left, in the order of arrival. `left`: also each left
 * element of a window without right ones, once, with `undefined` on the right; `outer`: those of either side. Rows have the window's last millisecond as their
 * timestamp. Sessions merge over both sides. Allowed lateness is 0.
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
 * All elements of a key and window, the left ones and the right ones, before one function that gives any number of rows; one of the two may be empty. The key has
 * the names of the left side (those of a function are known once it has given a key; until then `key`, or `key1`, `key2`, …).
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

/** The window of two streams as parameters. `emitsAlone`: what has no partner is emitted when the window closes. */
function sharedWindow(where: string, assigner: unknown, emitsAlone: boolean): ReturnType<typeof windowParameters> {
  const declared = declaredWindow(assigner);
  const { spec, trigger, evictor } = declared;
  const wayOut = 'Use a window of time, or countWindow(size).';
  if (evictor)
    throw badJoinWindow(
      `${where} cannot be over countWindow(size, slide): two streams are not counted back. ${wayOut}`,
    );
  if (spec.kind === 'global' && !trigger)
    throw badJoinWindow(`${where} over globalWindow() would never give anything: nothing fires it. ${wayOut}`);
  const window = windowParameters(declared);
  const firesBefore = window.parameters.trigger !== undefined && trigger?.kind !== 'purging';
  if (emitsAlone && firesBefore)
    throw badJoinWindow(
      `${where} emits what has no partner once, when the window closes, and the trigger of this window may fire before. ` +
        'Wrap the trigger in trigger.purging(), leave it out, or make the rows with coGroup().',
    );
  return window;
}
function badJoinWindow(message: string): SluiceError {
  return new SluiceError('bad-window', message);
}

/** `f` makes the rows. */
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
