// Watermarks and idleness on their way through an operator: each waits until the one before is
// done.
import type { Operator } from '../contract/operator.ts';
import type { Emitted } from '../time/emitted.ts';
import type { Collector } from './collector.ts';

/** `at` is the first that is not done. */
export interface TimeCall {
  readonly emitted: readonly Emitted[];
  at: number;
}

/**
 * False: the operator is not done with the one at `at`; call again. `progress` gets the watermark
 * that is done.
 */
export function forwardTime(
  call: TimeCall,
  operator: Operator,
  output: Collector,
  progress: { watermark: number },
): boolean {
  const { generatesWatermarks, ordersTime } = operator;
  for (; call.at < call.emitted.length; call.at++) {
    const one = call.emitted[call.at]!;
    if (one === 'idle' || one === 'active') {
      operator.idle?.(0, one === 'idle');
      // Such operators forward idleness themselves.
      if (generatesWatermarks || ordersTime) continue;
      if (one === 'idle') output.idle();
      else output.active();
      continue;
    }
    // An operator that generates watermarks hears only of the end of its input.
    const isSwallowed = generatesWatermarks === true && one.watermark !== Infinity;
    if (!isSwallowed && operator.advance && !operator.advance(one.watermark)) return false;
    progress.watermark = one.watermark;
    if (!isSwallowed && !ordersTime) output.watermark(one.watermark);
  }
  return true;
}
