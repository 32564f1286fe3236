// Counts the work of a function without a clock: how often each block of the measured files runs,
// and how many characters and elements the built-in functions visit for them.
//
// V8 counts the blocks, loops included. It does not look into built-in functions, so the ones that
// walk a text or a list are replaced while the function runs, and add what they may visit. A
// regular expression counts as one walk; that it is no more, the test has to see in its source.
import { Session } from 'node:inspector/promises';

export class CountedWork {
  readonly #session = new Session();
  readonly #folder: string;

  /**
   * `folder` is the part of a file's address that the measured files share. Import them afterwards.
   */
  static async start(folder: string): Promise<CountedWork> {
    const work = new CountedWork(folder);
    work.#session.connect();
    await work.#session.post('Profiler.enable');
    await work.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return work;
  }
  private constructor(folder: string) {
    this.#folder = folder;
  }

  async of(action: () => void): Promise<number> {
    await this.#blocks();
    const visited = countingBuiltIns(action);
    return (await this.#blocks()) + visited;
  }

  /** Blocks that ran since the last call. */
  async #blocks(): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    return result
      .filter(({ url }) => url.includes(this.#folder))
      .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))
      .reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}

type Method = (this: { readonly length: number }, ...values: unknown[]) => unknown;
type Visits = (self: { readonly length: number }, values: readonly unknown[], result: unknown) => number;

const all: Visits = (self) => self.length;
const ofResult: Visits = (_, __, result) => (result as { readonly length: number }).length;
/** From where a search begins to where it ends. */
const searched: Visits = (self, [, from], result) =>
  ((result as number) < 0 ? self.length : (result as number)) - Number(from ?? 0);
const ofSubject: Visits = (_, [text]) => String(text).length;

const builtIns: readonly (readonly [object, Readonly<Record<string, Visits>>])[] = [
  [
    String.prototype,
    { slice: ofResult, indexOf: searched, search: all, split: all, replace: all, replaceAll: all, endsWith: all },
  ],
  [RegExp.prototype, { test: ofSubject, exec: (self, [text], result) => visitedByExec(self, text, result) }],
  [
    Array.prototype,
    {
      ...{ slice: ofResult, concat: ofResult, includes: all, indexOf: all, find: all, filter: all, map: all },
      ...{ flatMap: all, some: all, every: all, join: all, reverse: all, toReversed: all, fill: all },
    },
  ],
];

/** A global expression goes on behind its last match. */
function visitedByExec(self: object, text: unknown, result: unknown): number {
  const { global, lastIndex } = self as RegExp;
  const match = result as RegExpExecArray | null;
  return global && match ? lastIndex - match.index : String(text).length;
}

function countingBuiltIns(action: () => void): number {
  let visited = 0;
  let isCounting = false;
  const originals: (() => void)[] = [];
  for (const [prototype, methods] of builtIns)
    for (const [name, visits] of Object.entries(methods)) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
      const original = descriptor.value as Method;
      originals.push(() => Object.defineProperty(prototype, name, descriptor));
      const counting: Method = function (...values) {
        const result = Reflect.apply(original, this, values);
        // The counting itself uses built-in functions.
        if (isCounting) return result;
        isCounting = true;
        visited += visits(this, values, result);
        isCounting = false;
        return result;
      };
      Object.defineProperty(prototype, name, { ...descriptor, value: counting });
    }
  try {
    action();
  } finally {
    for (const restore of originals) restore();
  }
  return visited;
}
