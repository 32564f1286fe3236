// mapAsync for tests that answer its calls by hand, in any order, and read its output.
import assert from 'node:assert/strict';
import type { Stream } from '../../index.ts';
import { harness } from '../../testing/index.ts';

export const nextRound = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export type Options = Parameters<Stream<unknown>['mapAsync']>[1];

/** Calls that wait for the test to answer them. */
export class Calls {
  readonly open: {
    readonly n: unknown;
    readonly signal: AbortSignal;
    resolve(result: unknown): void;
    reject(error: unknown): void;
  }[] = [];
  readonly made: unknown[] = [];
  most = 0;
  readonly f = (n: unknown, signal: AbortSignal): Promise<unknown> => {
    this.made.push(n);
    return new Promise((resolve, reject) => {
      this.open.push({ n, signal, resolve, reject });
      this.most = Math.max(this.most, this.open.length);
    });
  };
  #take(n: unknown) {
    const at = this.open.findIndex((call) => call.n === n);
    assert.ok(at >= 0, `nobody called for ${String(n)}`);
    return this.open.splice(at, 1)[0]!;
  }
  answer(n: unknown, result: unknown = `#${String(n)}`): void {
    this.#take(n).resolve(result);
  }
  reject(n: unknown, error: unknown = new Error(`no ${String(n)}`)): void {
    this.#take(n).reject(error);
  }
}
export function start(options?: Options, restore?: Uint8Array, calls = new Calls()) {
  const h = harness((items: Stream<unknown>) => items.mapAsync(calls.f, options), restore ? { restore } : {});
  const taken = (): unknown[] =>
    h.output({ watermarks: true }).map((one) => ('watermark' in one ? one.watermark : one.element));
  /** The output, after the answers so far have arrived. */
  const out = async (): Promise<unknown[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    h.hold(false);
    return taken();
  };
  return { h, calls, out, taken };
}
