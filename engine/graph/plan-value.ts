// Values that functions of a plan capture, as JSON for another engine. The engine here does not
// need them: its functions have their values.
import type { RowType } from './row-type.ts';

/**
 * Texts, booleans, null, lists and finite numbers are JSON as they are. All else has the name of
 * its type, with the words of `RowType` where they fit.
 */
export type PlanValue =
  | null
  | boolean
  | number
  | string
  | readonly PlanValue[]
  /** What JSON has no number for: NaN, Infinity, -Infinity and -0. */
  | { readonly type: 'double'; readonly text: string }
  /** A bigint, in decimal digits. */
  | { readonly type: 'long'; readonly text: string }
  /** Milliseconds since 1970. null: an invalid date. */
  | { readonly type: 'timestamp'; readonly millis: number | null }
  /** A Uint8Array, in base64. */
  | { readonly type: 'bytes'; readonly base64: string }
  /** Another array of numbers: the name of its class, and its bytes (little-endian) in base64. */
  | { readonly type: 'numbers'; readonly of: string; readonly base64: string }
  | { readonly type: 'row'; readonly fields: Readonly<Record<string, PlanValue>> }
  | { readonly type: 'map'; readonly entries: readonly (readonly [key: PlanValue, value: PlanValue])[] }
  | { readonly type: 'set'; readonly of: readonly PlanValue[] }
  | { readonly type: 'pattern'; readonly source: string; readonly flags: string }
  | { readonly type: 'undefined' };

/** A name of the notebook that functions of the plan use. Names of a notebook are unique. */
export interface CapturedName {
  readonly name: string;
  /** The id of the cell that declares it. */
  readonly cell: string;
  /**
   * constant: also a literal. start: known only where the job starts, from a parameter or from the
   * environment. code: a function or a class, made again from its text.
   */
  readonly kind: 'constant' | 'start' | 'code' | 'import' | 'stream';
  /** Of a constant: as the export has evaluated it. */
  readonly value?: PlanValue;
  /** Of a constant, and of what is known at the start. */
  readonly type?: RowType;
}
