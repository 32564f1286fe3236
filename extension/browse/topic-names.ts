// The names of topics for completions, by connection. A list is kept for a while, and one that
// fails is not asked for again at once, so typing never waits for a cluster that is away.
import { setTimeout as sleep } from 'node:timers/promises';

export type ListTopics = (connection: string) => Promise<readonly string[]>;

const freshMillis = 30_000;
/** A completion waits this long for a list that nobody has asked for before. */
const patienceMillis = 2_000;

interface Known {
  /** undefined: it has not been read yet. */
  topics: readonly string[] | undefined;
  askedAt: number;
  asked: Promise<void>;
}

export class TopicNames {
  readonly #list: ListTopics;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  constructor(list: ListTopics, now: () => number = Date.now) {
    this.#list = list;
    this.#now = now;
  }

  /** Forgets all lists. */
  clear(): void {
    this.#known.clear();
  }

  /**
   * The names as far as they are known in time; undefined: they are not known yet, or not at all.
   */
  async of(connection: string): Promise<readonly string[] | undefined> {
    const known = this.#known.get(connection) ?? { topics: undefined, askedAt: -Infinity, asked: Promise.resolve() };
    this.#known.set(connection, known);
    if (this.#now() - known.askedAt > freshMillis) {
      known.askedAt = this.#now();
      known.asked = this.#list(connection).then(
        (topics) => void (known.topics = topics),
        () => undefined,
      );
    }
    if (known.topics === undefined) await Promise.race([known.asked, sleep(patienceMillis)]);
    return known.topics;
  }
}
