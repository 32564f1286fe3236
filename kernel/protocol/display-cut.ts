// Cuts a value to the size that a display keeps. Each cut is visible: "… (52,428,800 characters)".
//
// The executor cuts a row before it sends the row to the control thread. Only displays cut:
// `--json`, pulls and sinks get the whole value. A value that fits is returned as it is, without a
// copy. The recursion ends at `depth`, so no value can overflow the stack, and it ends when `bytes`
// are used up, so a value with shared parts costs no more than its size. Functions, symbols and
// promises are left as they are. They cannot be sent, and that is an error of their row.
import { isBoxed, setField } from './values.ts';

export interface CutLimits {
  /** Depth of nesting. State has the same limit. */
  readonly depth: number;
  /** Characters of one text. */
  readonly text: number;
  /** Approximate size of the whole value on the wire. */
  readonly bytes: number;
}

export const displayLimits: CutLimits = { depth: 500, text: 10_000, bytes: 256 * 1024 };

/** A row up to this size needs no `size`. The number of kept rows bounds such rows well enough. */
export const smallSize = 4096;

/** `size` is approximate. It is less than `limits.bytes` plus the size of one text. */
export interface CutValue {
  readonly value: unknown;
  readonly size: number;
}

export function cutForDisplay(value: unknown, limits: CutLimits = displayLimits): CutValue {
  const cutter = new Cutter(limits);
  const cut = cutter.cut(value, 0);
  return { value: cut, size: cutter.size };
}

/** The first characters, and the number of all. */
export function cutText(text: string, most: number = displayLimits.text): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  const isHalfPair = last >= 0xd800 && last < 0xdc00;
  return `${text.slice(0, isHalfPair ? most - 1 : most)}… (${grouped.format(text.length)} characters)`;
}

const grouped = new Intl.NumberFormat('en-US');
const more = (count: number, one: string, several: string): string =>
  `… (${grouped.format(count)} more ${count === 1 ? one : several})`;

/**
 * Approximate size of a value that is no text and no container, and of a container without its
 * content.
 */
const scalarSize = 8;
const mostDigits = 10_000;
let mostBigint: bigint | undefined;

class Cutter {
  size = 0;
  readonly #limits: CutLimits;
  /** The containers around the present value. */
  readonly #around = new Set<object>();

  constructor(limits: CutLimits) {
    this.#limits = limits;
  }

  cut(value: unknown, depth: number): unknown {
    if (typeof value === 'string') {
      const text = cutText(value, this.#limits.text);
      this.size += text.length + 2;
      return text;
    }
    this.size += scalarSize;
    if (typeof value === 'bigint') return this.#bigint(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= this.#limits.depth) return this.#marker(`… (nested deeper than ${this.#limits.depth})`);
    if (this.#around.has(value)) return this.#marker('… (circular)');
    this.#around.add(value);
    try {
      return this.#object(value, depth);
    } catch (error) {
      return this.#unreadable(error);
    } finally {
      this.#around.delete(value);
    }
  }

  get #isFull(): boolean {
    return this.size >= this.#limits.bytes;
  }

  #object(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.#array(value, depth);
    if (value instanceof Map) return this.#map(value, depth);
    if (value instanceof Set) return this.#set(value, depth);
    if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return this.#bytes(value);
    if (isBoxed(value)) return this.cut(value.valueOf(), depth);
    if (value instanceof Error) return this.#error(value);
    if (value instanceof RegExp) return this.cut(String(value), depth);
    if (value instanceof Date) return value;
    return this.#fields(value, depth);
  }

  #fields(value: object, depth: number): unknown {
    const names = Object.keys(value);
    let copy: Record<string, unknown> | undefined;
    for (const [index, name] of names.entries()) {
      if (this.#isFull) {
        copy ??= this.#firstFields(value, names, index);
        setField(copy, '…', this.#marker(more(names.length - index, 'field', 'fields')));
        return copy;
      }
      const inner = this.#read(value, name);
      const given = 'value' in inner ? inner.value : undefined;
      const cut = 'value' in inner ? this.cut(given, depth + 1) : inner.problem;
      const shown = cutText(name, this.#limits.text);
      this.size += shown.length + 3;
      if (!copy && Object.is(cut, given) && shown === name) continue;
      copy ??= this.#firstFields(value, names, index);
      setField(copy, shown, cut);
    }
    return copy ?? value;
  }
  /** These fields have been read and need no cut. */
  #firstFields(value: object, names: readonly string[], count: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const name of names.slice(0, count)) setField(copy, name, (value as Record<string, unknown>)[name]);
    return copy;
  }
  #read(value: object, name: string): { readonly value: unknown } | { readonly problem: string } {
    try {
      return { value: (value as Record<string, unknown>)[name] };
    } catch (error) {
      return { problem: this.#unreadable(error) };
    }
  }

  #array(value: readonly unknown[], depth: number): unknown {
    let copy: unknown[] | undefined;
    for (let i = 0; i < value.length; i++) {
      if (this.#isFull) {
        copy ??= value.slice(0, i);
        copy.push(this.#marker(more(value.length - i, 'element', 'elements')));
        return copy;
      }
      const cut = this.cut(value[i], depth + 1);
      if (!copy && Object.is(cut, value[i])) continue;
      copy ??= value.slice(0, i);
      copy.push(cut);
    }
    return copy ?? value;
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): unknown {
    const copy = new Map<unknown, unknown>();
    let isCut = false;
    for (const [key, inner] of value) {
      if (this.#isFull) {
        copy.set('…', this.#marker(more(value.size - copy.size, 'entry', 'entries')));
        return copy;
      }
      const [cutKey, cutInner] = [this.cut(key, depth + 1), this.cut(inner, depth + 1)];
      isCut ||= !Object.is(cutKey, key) || !Object.is(cutInner, inner);
      copy.set(cutKey, cutInner);
    }
    return isCut ? copy : value;
  }

  #set(value: ReadonlySet<unknown>, depth: number): unknown {
    const copy = new Set<unknown>();
    let isCut = false;
    for (const inner of value) {
      if (this.#isFull) {
        copy.add(this.#marker(more(value.size - copy.size, 'element', 'elements')));
        return copy;
      }
      const cut = this.cut(inner, depth + 1);
      isCut ||= !Object.is(cut, inner);
      copy.add(cut);
    }
    return isCut ? copy : value;
  }

  #bytes(value: ArrayBuffer | ArrayBufferView): unknown {
    if (value.byteLength > this.#limits.text) return this.#marker(`… (${grouped.format(value.byteLength)} bytes)`);
    // Base64 needs four characters for three bytes.
    this.size += Math.ceil((value.byteLength * 4) / 3);
    return value;
  }

  #error(value: Error): unknown {
    return this.cut(`${value.name}: ${value.message}`, 0);
  }

  #bigint(value: bigint): unknown {
    mostBigint ??= 10n ** BigInt(mostDigits);
    const size = value < 0n ? -value : value;
    if (size >= mostBigint) return this.#marker(`… (a bigint of more than ${grouped.format(mostDigits)} digits)`);
    // A text would need time, and a small number needs no exact size.
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) this.size += String(size).length;
    return value;
  }

  #unreadable(error: unknown): string {
    return this.#marker(cutText(`… (cannot be read: ${error instanceof Error ? error.message : String(error)})`, 200));
  }
  #marker(text: string): string {
    this.size += text.length;
    return text;
  }
}
