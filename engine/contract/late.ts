// Counts a late element, and sends it to the side output `late`. Without a reader there, it is
// dropped.
import type { OperatorContext } from './operator.ts';

export function tooLate(context: OperatorContext, element: unknown, timestamp: number): void {
  const { output } = context;
  const isRead = output.hasReader('late');
  context.countLate(isRead);
  if (isRead) output.emitTo('late', element, timestamp);
}
