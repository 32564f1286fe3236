// One call of the user's asynchronous function, with callbacks for its outcome. Operators hold no
// promise.

/**
 * Exactly one of `answered` and `failed` is called, once, and never before this function returns.
 * An exception that `f` throws synchronously is a failure too. A result that is no promise is an
 * answer.
 */
export function callOutside(
  f: (element: unknown, signal: AbortSignal) => unknown,
  element: unknown,
  signal: AbortSignal,
  answered: (result: unknown) => void,
  failed: (error: unknown) => void,
): void {
  let answer: unknown;
  try {
    answer = f(element, signal);
  } catch (error) {
    queueMicrotask(() => failed(error));
    return;
  }
  void (answer instanceof Promise ? answer : Promise.resolve(answer)).then(answered, failed);
}
