// Whether the session of a kernel that has ended in user code is started again by itself.
//
//   ended in a call of a cell ──────────────────────────► started again: that cell stays out
//   ended in a timer or a callback, nobody knows of which cell
//        ├─ the first two times in ten minutes ─────────► started again: it may not happen again
//        └─ the third time ─────────────────────────────► the user chooses
import type { LastCall } from '../protocol/last-call.ts';

const countedMillis = 10 * 60_000;
const mostUnknown = 2;

export class ProcessEnds {
  #unknown: readonly number[] = [];

  /**
   * The kernel has ended in `call`, at `now` (epoch milliseconds). False: somebody has to choose.
   */
  goesOn(call: LastCall, now: number): boolean {
    if (call.cell !== undefined) return true;
    this.#unknown = [...this.#unknown.filter((at) => now - at < countedMillis), now];
    return this.#unknown.length <= mostUnknown;
  }
}
