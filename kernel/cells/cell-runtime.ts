// `$`, the runtime that a compiled cell uses while it is evaluated.
// `cell-transform.ts` writes the calls. An executor makes the object.
import type { KeptData } from './kept-data.ts';
import { annotateLiteral } from './annotate-literal.ts';
import type { Namespace } from './module-files.ts';
import { copyData } from './plain-data.ts';

export interface CellRuntime {
  /** Values of other cells, by name. */
  readonly in: Readonly<Record<string, unknown>>;
  /** The cell assigns the value of its last expression. */
  last: unknown;
  /** `import.meta` of the notebook. */
  readonly meta: ImportMeta;
  /**
   * The top-level variable that is initialised next; '' before other statements. Uids contain it.
   */
  variable(name: string): void;
  /**
   * Registers the values that a function literal captures, or an object literal with methods. A
   * literal without a name gets the name of its variable. `isEffectFree`: see effect-free.ts.
   */
  fn<F extends object>(literal: F, captured: () => readonly unknown[], name?: string, isEffectFree?: boolean): F;
  /**
   * `needed` are the exports that are used as values. An optional module may be missing, because
   * only its types are used.
   */
  import(specifier: string, needed?: readonly string[], isOptional?: boolean): Promise<Namespace>;
  /** Keeps the texts of modules that the cell may import later, as they are now. */
  later(specifiers: readonly string[]): Promise<void>;
  /**
   * True in a restored executor if the first evaluation left a value under this key. Then `keep`
   * returns that value; otherwise `put` keeps the new one.
   */
  kept(key: string): boolean;
  keep(key: string): unknown;
  put<V>(key: string, value: V): V;
  /** The iterable of a `for await`. Its elements are kept like other data. */
  iterate<T>(key: string, iterable: AsyncIterable<T> | Iterable<T>): AsyncIterable<T>;
}

export interface CellRuntimeOptions {
  readonly in: Readonly<Record<string, unknown>>;
  readonly setVariable: (name: string) => void;
  readonly import: (specifier: string, needed: readonly string[], isOptional: boolean) => Promise<Namespace>;
  readonly later: (specifiers: readonly string[]) => Promise<void>;
  readonly meta: ImportMeta;
  /** The data that the first evaluation of this text left. */
  readonly restore?: KeptData | undefined;
}

/**
 * A `for await` with more elements than this is iterated again after a restore. Its elements are
 * not kept.
 */
const iterationLimit = 10_000;

export class CellEvaluation implements CellRuntime {
  readonly in: Readonly<Record<string, unknown>>;
  readonly meta: ImportMeta;
  last: unknown = undefined;
  readonly #options: CellRuntimeOptions;
  readonly #kept = Object.create(null) as Record<string, unknown>;
  /**
   * How often each key has been evaluated, because a key inside a loop is evaluated several times.
   */
  readonly #times = new Map<string, number>();

  constructor(options: CellRuntimeOptions) {
    this.in = options.in;
    this.meta = options.meta;
    this.#options = options;
  }

  /** All values given to `put` so far that are data. */
  get keptData(): KeptData {
    return { values: this.#kept };
  }

  variable(name: string): void {
    this.#options.setVariable(name);
  }
  fn<F extends object>(literal: F, captured: () => readonly unknown[], name?: string, isEffectFree?: boolean): F {
    return annotateLiteral(literal, captured, name, isEffectFree);
  }
  import(specifier: string, needed: readonly string[] = [], isOptional = false): Promise<Namespace> {
    return this.#options.import(specifier, needed, isOptional);
  }
  later(specifiers: readonly string[]): Promise<void> {
    return this.#options.later(specifiers);
  }

  kept(key: string): boolean {
    return Object.hasOwn(this.#options.restore?.values ?? {}, this.#place(key));
  }
  keep(key: string): unknown {
    const place = this.#place(key);
    this.#pass(key);
    const kept = this.#options.restore!.values[place];
    this.#kept[place] = kept;
    const copy = copyData(kept);
    return copy.isData ? copy.value : kept;
  }
  put<V>(key: string, value: V): V {
    const place = this.#place(key);
    this.#pass(key);
    const copy = copyData(value);
    if (copy.isData) this.#kept[place] = copy.value;
    return value;
  }

  async *iterate<T>(key: string, iterable: AsyncIterable<T> | Iterable<T>): AsyncIterable<T> {
    const place = this.#place(key);
    this.#pass(key);
    const former = this.#options.restore?.values[place];
    if (former !== undefined) {
      this.#kept[place] = former;
      const copy = copyData(former);
      yield* (copy.isData ? copy.value : former) as T[];
      return;
    }
    const elements: unknown[] = [];
    this.#kept[place] = elements;
    for await (const element of iterable) {
      const copy = place in this.#kept ? copyData(element) : undefined;
      if (copy?.isData && elements.length < iterationLimit) elements.push(copy.value);
      else delete this.#kept[place];
      yield element;
    }
  }

  #place(key: string): string {
    const times = this.#times.get(key) ?? 0;
    return times === 0 ? key : `${key}~${times}`;
  }
  #pass(key: string): void {
    this.#times.set(key, (this.#times.get(key) ?? 0) + 1);
  }
}
