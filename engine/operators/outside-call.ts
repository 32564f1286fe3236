// One call of a user's asynchronous function, and what becomes of it. Operators hold no promise: they are told.

/** `answered` or `failed` is called once, never before this returns. What the function throws at once is a failure like any other; what is no promise is an answer. */
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
