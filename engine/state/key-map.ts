// A map whose keys are tuples. Primitive values are looked up as they are, with one map per
// position in the tuple: '1' is not 1, −0 is 0, and nothing is allocated. Only a tuple with a Date,
// bytes, an array or an object is looked up by its text, which is several times slower.
import { keyText } from './key-text.ts';

/** The key of the empty tuple in `plain`. */
export const emptyTuple: unique symbol = Symbol('the empty key');

/**
 * One step from a position of the tuple to the next. The last step leads to the value. Most first
 * values have only one second value, so a single one needs no map.
 */
export type Branch = Map<unknown, unknown> | Single;
class Single {
  readonly key: unknown;
  value: unknown;
  constructor(key: unknown, value: unknown) {
    this.key = key;
    this.value = value;
  }
}
export function step(branch: unknown, key: unknown): unknown {
  if (branch instanceof Map) return (branch as Map<unknown, unknown>).get(key);
  return branch !== undefined && (branch as Single).key === key ? (branch as Single).value : undefined;
}

export class KeyMap<V> {
  /** Tuples of one primitive. The loops of keyed operators read this. */
  readonly plain = new Map<unknown, V>();
  /** Tuples of several primitives, by their length. */
  branches: (Branch | undefined)[] | undefined;
  /** All other tuples, by `keyText`. */
  #composite: Map<string, V> | undefined;
  #branched = 0;

  get size(): number {
    return this.plain.size + this.#branched + (this.#composite?.size ?? 0);
  }
  get(tuple: readonly unknown[]): V | undefined {
    // A tuple of one value, by far the most common, comes first.
    if (tuple.length < 2 && isPrimitive(tuple[0])) return this.plain.get(plainKey(tuple));
    if (!tuple.every(isPrimitive)) return this.#composite?.get(keyText(tuple));
    return tuple.reduce(step, this.branches?.[tuple.length]) as V | undefined;
  }
  set(tuple: readonly unknown[], value: V): void {
    if (tuple.length < 2 && isPrimitive(tuple[0])) this.plain.set(plainKey(tuple), value);
    else if (!tuple.every(isPrimitive)) (this.#composite ??= new Map<string, V>()).set(keyText(tuple), value);
    else {
      if (this.get(tuple) === undefined) this.#branched++;
      this.branches ??= [];
      this.branches[tuple.length] = grown(this.branches[tuple.length], tuple, 0, value);
    }
  }
  delete(tuple: readonly unknown[]): void {
    if (tuple.length < 2 && isPrimitive(tuple[0])) this.plain.delete(plainKey(tuple));
    else if (!tuple.every(isPrimitive)) this.#composite?.delete(keyText(tuple));
    else if (this.get(tuple) !== undefined) {
      this.#branched--;
      this.branches![tuple.length] = pruned(this.branches![tuple.length]!, tuple, 0);
    }
  }
  clear(): void {
    this.plain.clear();
    this.branches = undefined;
    this.#composite = undefined;
    this.#branched = 0;
  }
  forEach(visit: (value: V) => void): void {
    this.plain.forEach(visit);
    this.branches?.forEach((branch, places) => visitLeaves(branch, places, visit as (value: unknown) => void));
    this.#composite?.forEach(visit);
  }
}

export function isPrimitive(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}
function plainKey(tuple: readonly unknown[]): unknown {
  return tuple.length === 0 ? emptyTuple : tuple[0];
}

/** The branch after the value is set at the rest of the tuple. */
function grown(branch: Branch | undefined, tuple: readonly unknown[], place: number, value: unknown): Branch {
  const key = tuple[place];
  const next =
    place === tuple.length - 1 ? value : grown(step(branch, key) as Branch | undefined, tuple, place + 1, value);
  if (branch === undefined) return new Single(key, next);
  if (branch instanceof Map) return branch.set(key, next);
  if (branch.key !== key) return new Map([[branch.key, branch.value]]).set(key, next);
  branch.value = next;
  return branch;
}
/** The branch after the value is removed; undefined when the branch is empty. */
function pruned(branch: Branch, tuple: readonly unknown[], place: number): Branch | undefined {
  const key = tuple[place];
  const next = place === tuple.length - 1 ? undefined : pruned(step(branch, key) as Branch, tuple, place + 1);
  if (branch instanceof Single) {
    branch.value = next;
    return next === undefined ? undefined : branch;
  }
  if (next !== undefined) branch.set(key, next);
  else branch.delete(key);
  return branch.size > 0 ? branch : undefined;
}
function visitLeaves(branch: unknown, places: number, visit: (value: unknown) => void): void {
  if (branch === undefined) return;
  if (places === 0) visit(branch);
  else if (branch instanceof Map) branch.forEach((next) => visitLeaves(next, places - 1, visit));
  else visitLeaves((branch as Single).value, places - 1, visit);
}
