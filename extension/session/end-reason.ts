// Why a session has ended, for a window that asked for the end.
const askedForByAnybody = 'The session was shut down.';

/** `said`: what the kernel gave as the reason. It may go on with the rows that were given up. */
export function endReason(asked: string, said: string): string {
  return said.startsWith(askedForByAnybody) ? asked + said.slice(askedForByAnybody.length) : asked;
}
