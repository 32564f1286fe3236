// A Promise where a value is needed: the callback is async, and nothing awaits it.
import { SluiceError } from '../errors/error.ts';

/** Also a promise of another realm or of a library. */
export function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** `what` begins the sentence: "The function of filter". */
export function refusePromise(value: unknown, what: string): void {
  if (isPromise(value))
    throw new SluiceError('gave-promise', `${what} gave a Promise. Use mapAsync for what has to be awaited.`);
}

/** Whether the answer of a predicate lets an element pass. A Promise is no answer. */
export function isTrue(answer: unknown, what: string): boolean {
  if (typeof answer === 'boolean') return answer;
  if (typeof answer === 'object') refusePromise(answer, what);
  return Boolean(answer);
}
