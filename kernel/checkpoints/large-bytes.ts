// Takes large arrays of bytes out of a value, so that they are stored apart and once, and puts them
// back. In the value that is left, a DataView with a number stands for each. A real DataView is
// taken out too, whatever its size, so nothing else can be mistaken for a number.
import { types } from 'node:util';
import { SluiceError } from '../../engine/errors/error.ts';
import { setField } from '../../engine/values/field.ts';
import { kindOf } from '../../engine/values/kind.ts';

/** Smaller arrays stay where they are. */
export const largeBytes = 4096;
/** ValueWriter refuses what is deeper. */
const deepest = 1_000;

/** Bytes that are taken out. They are never changed. */
export type LargeBytes = Uint8Array | DataView;

/** Returns the value itself when nothing in it is taken out. */
export class LargeBytesTaker {
  /** The arrays, by their numbers. */
  readonly taken: LargeBytes[] = [];
  readonly #numbers = new Map<LargeBytes, number>();
  /** Parts may be shared very often. */
  readonly #known = new Map<object, unknown>();

  without(value: unknown): unknown {
    return this.#without(value, 0);
  }
  #without(value: unknown, depth: number): unknown {
    if (typeof value !== 'object' || value === null || types.isProxy(value)) return value;
    if (depth > deepest) throw tooDeep();
    if (isLarge(value)) return this.#numberOf(value);
    let copy = this.#known.get(value);
    if (copy === undefined) this.#known.set(value, (copy = this.#copied(value, depth + 1)));
    return copy;
  }
  #copied(value: object, depth: number): unknown {
    switch (kindOf(value)) {
      case 'array': {
        const items = value as unknown[];
        let copy: unknown[] | undefined;
        for (const index of items.keys()) {
          const inner = this.#without(items[index], depth);
          if (inner !== items[index]) (copy ??= items.slice())[index] = inner;
        }
        return copy ?? value;
      }
      case 'Map': {
        const entries = [...(value as Map<unknown, unknown>)];
        const copies = entries.map(([key, inner]) => [this.#without(key, depth), this.#without(inner, depth)] as const);
        return copies.every(([key, inner], i) => key === entries[i]![0] && inner === entries[i]![1])
          ? value
          : new Map(copies);
      }
      case 'Set': {
        const items = [...(value as Set<unknown>)];
        const copies = items.map((inner) => this.#without(inner, depth));
        return copies.every((inner, i) => inner === items[i]) ? value : new Set(copies);
      }
      case 'instance':
        // These are written as what they are, and other instances as their fields.
        if (types.isPromise(value) || types.isNativeError(value) || types.isRegExp(value)) return value;
        return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) ? value : this.#fields(value, depth);
      case 'object':
        return this.#fields(value, depth);
      default:
        return value;
    }
  }
  #fields(value: object, depth: number): unknown {
    const fields = value as Readonly<Record<string, unknown>>;
    let isSame = true;
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(fields)) {
      const inner = this.#without(fields[name], depth);
      isSame &&= inner === fields[name];
      setField(copy, name, inner);
    }
    return isSame ? value : copy;
  }
  #numberOf(bytes: LargeBytes): DataView {
    let number = this.#numbers.get(bytes);
    if (number === undefined) this.#numbers.set(bytes, (number = this.taken.push(bytes) - 1));
    const standIn = new DataView(new ArrayBuffer(4));
    standIn.setUint32(0, number);
    return standIn;
  }
}

function isLarge(value: object): value is LargeBytes {
  return types.isDataView(value) || (types.isUint8Array(value) && value.length >= largeBytes);
}

/** Puts the arrays back. `value` was just read, so it is changed in place. */
export function withLargeBytes(value: unknown, taken: readonly LargeBytes[]): unknown {
  const known = new Set<object>();
  const put = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return part;
    if (types.isDataView(part)) return taken[part.getUint32(0)];
    if (known.has(part)) return part;
    known.add(part);
    switch (kindOf(part)) {
      case 'array': {
        const items = part as unknown[];
        for (const index of items.keys()) if (index in items) items[index] = put(items[index]);
        return part;
      }
      case 'Map': {
        const entries = [...(part as Map<unknown, unknown>)].map(([key, inner]) => [put(key), put(inner)] as const);
        (part as Map<unknown, unknown>).clear();
        for (const [key, inner] of entries) (part as Map<unknown, unknown>).set(key, inner);
        return part;
      }
      case 'Set': {
        const items = [...(part as Set<unknown>)].map(put);
        (part as Set<unknown>).clear();
        for (const inner of items) (part as Set<unknown>).add(inner);
        return part;
      }
      case 'object':
        for (const name of Object.keys(part)) {
          const fields = part as Record<string, unknown>;
          setField(fields, name, put(fields[name]));
        }
        return part;
      default:
        return part;
    }
  };
  return put(value);
}

function tooDeep(): SluiceError {
  return new SluiceError(
    'not-storable',
    'A value contains itself, or is nested more than 1,000 levels deep. Keep flat data.',
  );
}
