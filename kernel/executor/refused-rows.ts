// Rows that cannot leave the executor's thread. Each is left out and counted, and the first is the
// error of its cell. Everything else goes on.
import { obstacleIn, type RowTarget } from '../../engine/values/leaving.ts';
import type { ExecutorEvent } from './executor-protocol.ts';
import { placeText, type RecordPlace, recordText } from './record.ts';

export type RowRefused = Extract<ExecutorEvent, { kind: 'row-refused' }>;

/** What a report about refused rows belongs to. */
export interface RefusedOf {
  readonly cell: string;
  /** A display, or a pull. */
  readonly display: string;
  readonly instance?: string;
  /** The name of the source above: "orders". */
  readonly source?: string | undefined;
}

export class RefusedRows {
  /** Since the last report. */
  #count = 0;
  /** Of those rows. A display may go on with another stream, so each report has a first row. */
  #first: { readonly obstacle: string; readonly place: RecordPlace; readonly text: string } | undefined;

  /** True when the row cannot leave. */
  refuses(row: unknown, target: RowTarget, place: RecordPlace = {}): boolean {
    const obstacle = obstacleIn(row, target);
    if (obstacle === undefined) return false;
    this.#count++;
    // The text is made at once, because the cell may change the row later.
    this.#first ??= { obstacle, place, text: recordText(row) };
    return true;
  }

  get hasNew(): boolean {
    return this.#count > 0;
  }
  /** undefined: no row was refused since the last report. */
  report({ cell, display, instance, source }: RefusedOf): RowRefused | undefined {
    if (this.#count === 0 || !this.#first) return undefined;
    const { obstacle, place, text } = this.#first;
    const count = this.#count;
    this.#count = 0;
    this.#first = undefined;
    return {
      kind: 'row-refused',
      ...{ cell, display, count },
      ...(instance !== undefined && { instance }),
      error: rowNotShown(obstacle, cell),
      record: placeText(place, source) + text,
    };
  }
}

export function rowNotShown(obstacle: string, cell: string): RowRefused['error'] {
  return { code: 'row-not-shown', cell, message: `A row cannot be shown: ${obstacle}` };
}
