// An invariant: a sentence that the code after it relies on. A broken one is a defect of Sluice,
// and its message says so.
import { SluiceError } from './error.ts';
import { isSluiceError } from './thrown.ts';

/**
 * Throws when `condition` does not hold. `sentence` says what must hold, without a full stop.
 * Call it where something is relied on, once per call, batch or barrier; never once per record.
 */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (condition) return;
  throw new SluiceError(
    'invariant',
    `This does not hold: ${sentence}. It is a defect of Sluice, please report it with the stack of this error.`,
  );
}

/** A broken invariant ends the operator at work; other errors of the engine are passed on. */
export function isBrokenInvariant(error: unknown): error is SluiceError {
  return isSluiceError(error) && error.code === 'invariant';
}
