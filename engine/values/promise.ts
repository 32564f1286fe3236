// A Promise where a value is needed: the callback is async, and nothing awaits it.
import { types } from 'node:util';
import { SluiceError } from '../errors/error.ts';

/** Also a promise of another realm or of a library. Runs no trap of a Proxy. */
export function isPromise(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}

/** `what` begins the sentence: "The function of filter". */
export function refusePromise(value: unknown, what: string): void {
  if (isPromise(value))
    throw new SluiceError('gave-promise', `${what} gave a Promise. Use mapAsync for what has to be awaited.`);
}

/**
 * An operator reads a Promise that the one above it gave. Displays and sinks have errors of their
 * own.
 */
export function refusePromiseElement(element: unknown): void {
  refusePromise(element, 'The function that made this row');
}
/**
 * Index of the first element that is a promise, or the length. A promise of a library is found if
 * it is the first element: a function that gives one gives it each time, and the test costs more.
 */
export function firstPromise(elements: readonly unknown[], length: number): number {
  if (length > 0 && isPromise(elements[0])) return 0;
  for (let i = 0; i < length; i++) if (elements[i] instanceof Promise) return i;
  return length;
}

/** Whether the answer of a predicate lets an element pass. A Promise is no answer. */
export function isTrue(answer: unknown, what: string): boolean {
  if (typeof answer === 'boolean') return answer;
  if (typeof answer === 'object') refusePromise(answer, what);
  return Boolean(answer);
}
