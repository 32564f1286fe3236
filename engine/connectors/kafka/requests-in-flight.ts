// The write requests without an answer, by broker. A request that is old names the broker that does
// not answer, or that makes this client wait because of a quota.
import { mostInFlight } from './partition-queue.ts';
import { ordinaryWaitMillis } from './troubles.ts';

export interface RequestInFlight {
  readonly node: number;
  /** One of the partitions that it writes. */
  readonly partition: number;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** A broker that works answers much earlier. */
const slowMillis = 5_000;

export class RequestsInFlight {
  readonly #requests = new Set<RequestInFlight>();
  readonly #waiting: (() => void)[] = [];
  /** Brokers whose last answer had a wait in it, since when. Epoch milliseconds. */
  readonly #throttlingSince = new Map<number, number>();

  /** As in Java's producer, a broker has at most five requests of a writer. */
  mayAsk(node: number): boolean {
    let count = 0;
    for (const request of this.#requests) if (request.node === node) count++;
    return count < mostInFlight;
  }
  begin(request: RequestInFlight): void {
    this.#requests.add(request);
  }
  end(request: RequestInFlight): void {
    this.#requests.delete(request);
    if (this.#requests.size > 0) return;
    for (const tell of this.#waiting.splice(0)) tell();
  }
  /** Resolves when no request waits for its answer. */
  allAnswered(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#requests.size === 0) resolve();
      else this.#waiting.push(resolve);
    });
  }
  /** `throttleMillis`: the broker answers the next request so much later. */
  answered(node: number, throttleMillis: number, now: number): void {
    if (throttleMillis === 0) this.#throttlingSince.delete(node);
    else if (!this.#throttlingSince.has(node)) this.#throttlingSince.set(node, now);
  }
  /** The broker that makes this client wait for the longest time, if that is more than usual. */
  throttling(now: number): { readonly node: number; readonly since: number } | undefined {
    const [oldest] = [...this.#throttlingSince].sort(([, a], [, b]) => a - b);
    if (!oldest || this.#requests.size === 0) return undefined;
    const [node, since] = oldest;
    return now - since >= ordinaryWaitMillis ? { node, since } : undefined;
  }
  /** The oldest request, if its broker is slow. */
  slow(now: number): RequestInFlight | undefined {
    const [oldest] = [...this.#requests].sort((a, b) => a.since - b.since);
    return oldest && now - oldest.since >= slowMillis ? oldest : undefined;
  }
}
