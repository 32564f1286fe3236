// Sends a late element to the side output `late`. Without a reader there, it is counted as dropped.
import type { OperatorContext } from './operator.ts';

export function tooLate(context: OperatorContext, element: unknown, timestamp: number): void {
  const { output } = context;
  if (output.hasReader('late')) output.emitTo('late', element, timestamp);
  else context.countLate();
}
