// The brokers that make this client wait because of its quota. One short wait is ordinary, and
// answers without a wait come between those with one. So a broker is named by the share of the time
// that it took: a fifth of the last seconds begins the trouble, and less than a tenth ends it.
import { throttledBy, type Troubles } from './troubles.ts';

const windowMillis = 10_000;
const waitedMillis = { begins: 2_000, ends: 1_000 };
const lookEveryMillis = 1_000;

interface Wait {
  readonly from: number;
  readonly to: number;
}

export class Throttling {
  readonly #troubles: Pick<Troubles, 'end' | 'waits'>;
  readonly #now: () => number;
  readonly #waits = new Map<number, readonly Wait[]>();
  readonly #named = new Set<number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(troubles: Pick<Troubles, 'end' | 'waits'>, now: () => number = Date.now) {
    this.#troubles = troubles;
    this.#now = now;
  }

  /** The broker's answer. `millis`: how long this client has to wait from now on. */
  answered(node: number, millis: number): void {
    if (millis <= 0 && !this.#waits.has(node)) return;
    const now = this.#now();
    const waits = this.#waits.get(node) ?? [];
    this.#waits.set(node, millis > 0 ? [...waits, { from: now, to: now + millis }] : waits);
    this.#look(node, now);
    this.#timer ??= setInterval(() => this.look(), lookEveryMillis).unref();
  }
  /** Nothing is asked of the broker any more. */
  forget(node: number): void {
    this.#waits.delete(node);
    this.#named.delete(node);
    this.#troubles.end(keyOf(node));
  }
  close(): void {
    clearInterval(this.#timer);
  }

  /** Waits leave the window also while no answer comes. */
  look(): void {
    const now = this.#now();
    for (const node of [...this.#waits.keys()]) this.#look(node, now);
    if (this.#waits.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
  #look(node: number, now: number): void {
    const begin = now - windowMillis;
    const waits = this.#waits.get(node)!.filter(({ to }) => to > begin);
    const waited = waits.reduce((sum, { from, to }) => sum + to - Math.max(from, begin), 0);
    this.#waits.set(node, waits);
    if (waits.length === 0 || (this.#named.has(node) && waited < waitedMillis.ends)) {
      if (waits.length === 0) this.#waits.delete(node);
      if (this.#named.delete(node)) this.#troubles.end(keyOf(node));
    } else if (!this.#named.has(node) && waited >= waitedMillis.begins) {
      this.#named.add(node);
      this.#troubles.waits(keyOf(node), throttledBy(node), { since: waits[0]!.from });
    }
  }
}

function keyOf(node: number): string {
  return `quota of broker ${node}`;
}
