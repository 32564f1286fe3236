// A timer of any length. setTimeout fires at once when its delay is above 2^31 − 1 ms, about 24.8
// days; this timer waits for the whole time.

/** The longest delay of setTimeout. */
const longestDelayMillis = 2 ** 31 - 1;

export interface LongTimer {
  /** The callback will not be called. Nothing happens when it has been. */
  cancel(): void;
}

/**
 * Calls back once, after `millis`: at once for 0 or less, never for Infinity. If `keepsAlive` is
 * false, the process may end before.
 */
export function startTimer(
  callback: () => void,
  millis: number,
  { keepsAlive = true }: { readonly keepsAlive?: boolean } = {},
): LongTimer {
  let handle: NodeJS.Timeout | undefined;
  const wait = (left: number): void => {
    const delay = Math.min(left, longestDelayMillis);
    handle = setTimeout(() => (left > delay ? wait(left - delay) : callback()), Math.max(0, delay));
    if (!keepsAlive) handle.unref();
  };
  if (millis < Infinity) wait(millis);
  return { cancel: () => clearTimeout(handle) };
}
