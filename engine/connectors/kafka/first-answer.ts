// One answer from several addresses of which some may be silent.
import { setTimeout as sleep } from 'node:timers/promises';

/** All addresses have been asked after this time, so that a silent one costs little. */
const allAskedMillis = 1_500;
const longestHeadStartMillis = 500;

/**
 * Asks the addresses in their order, and takes the first answer. The next one is asked when the
 * others before it have failed, or had no answer for a while. Rejects with the error of the first
 * address when none answers, or with the first one that says more.
 */
export async function firstAnswer<Answer>(
  addresses: readonly string[],
  ask: (address: string) => Promise<Answer>,
  errorKinds: {
    /** The error ends the question at once. */
    readonly isLast: (error: unknown) => boolean;
    readonly saysMore: (error: unknown) => boolean;
  },
): Promise<Answer> {
  const headStart = Math.min(longestHeadStartMillis, allAskedMillis / addresses.length);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const errors = new Map<string, unknown>();
  const over = new AbortController();
  const askOne = async (address: string): Promise<void> => {
    try {
      resolve(await ask(address));
    } catch (error) {
      errors.set(address, error);
      if (errorKinds.isLast(error)) reject(error);
      else if (errors.size === addresses.length) {
        const inOrder = addresses.map((one) => errors.get(one));
        reject(inOrder.find((one) => errorKinds.saysMore(one)) ?? inOrder[0]);
      }
    }
  };
  void promise.catch(() => undefined).finally(() => over.abort());
  for (const address of addresses) {
    const asked = askOne(address);
    // After a failure the next one is asked at once.
    await Promise.race([asked, sleep(headStart, undefined, { signal: over.signal }).catch(() => undefined)]);
    if (over.signal.aborted) break;
  }
  return await promise;
}
