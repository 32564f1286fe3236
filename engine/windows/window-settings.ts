// The parameters that all window operators share.
import { SluiceError } from '../error.ts';
import type { PlanNode } from '../graph/plan.ts';
import { type Assigner, assignerOf, type WindowSpec } from './assigner.ts';

export function windowSettings({ parameters, name }: PlanNode): {
  readonly assigner: Assigner;
  readonly allowedLatenessMillis: number;
} {
  const allowedLatenessMillis = parameters.allowedLatenessMillis as number;
  if (!(allowedLatenessMillis >= 0))
    throw new SluiceError(
      'bad-window',
      `Allowed lateness of "${name}" is ${allowedLatenessMillis} ms, and cannot be negative.`,
    );
  return { assigner: assignerOf(parameters.window as unknown as WindowSpec), allowedLatenessMillis };
}
