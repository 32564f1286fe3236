// The write requests without an answer, by broker. A request that is old names the broker that does
// not answer.
import { mostInFlight } from './partition-queue.ts';

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
  }
  /** The oldest request, if its broker is slow. */
  slow(now: number): RequestInFlight | undefined {
    const [oldest] = [...this.#requests].sort((a, b) => a.since - b.since);
    return oldest && now - oldest.since >= slowMillis ? oldest : undefined;
  }
}
