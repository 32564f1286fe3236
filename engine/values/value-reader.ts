// Reads what ValueWriter wrote. The bytes have been checked by their checksum, so they are trusted;
// a read beyond their end is an error all the same, because a program may have written them wrong.
import { SluiceError } from '../errors/error.ts';
import { setField } from './field.ts';
import { textOf } from './short-text.ts';

export class ValueReader {
  readonly bytes: Buffer;
  at: number;
  readonly #end: number;
  /** The objects of the present value, by their numbers. */
  #objects: unknown[] = [];

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = from;
    this.#end = to;
  }
  get isAtEnd(): boolean {
    return this.at >= this.#end;
  }

  // --------------------------------------------------------------------------------- single parts

  /** Moves over bytes, and returns their start. */
  take(count: number): number {
    const start = this.at;
    if (count > this.#end - start) throw brokenValue();
    this.at = start + count;
    return start;
  }
  byte(): number {
    return this.bytes[this.take(1)]!;
  }
  uint32(): number {
    return this.bytes.readUInt32BE(this.take(4));
  }
  double(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }
  /** A copy, so that a change of it cannot change the bytes. */
  copy(count: number): Uint8Array {
    const start = this.take(count);
    return new Uint8Array(this.bytes.subarray(start, this.at));
  }

  // --------------------------------------------------------------------------------------- values

  value(): unknown {
    this.#objects = [];
    return this.#value();
  }
  #value(): unknown {
    const head = this.bytes[this.at];
    const isObject =
      head !== undefined &&
      ((head >= 0x80 && head < 0xa0) ||
        (head >= 0xc4 && head <= 0xc6) ||
        (head >= 0xdc && head <= 0xdf) ||
        head === 0xd7 ||
        (head === 0xc9 && numbered.has(this.bytes[this.at + 5]!)));
    if (!isObject) return this.#part();
    const number = this.#objects.push(undefined) - 1;
    return (this.#objects[number] = this.#part());
  }
  /** A value that counts as no object: the content of an extension. */
  #part(): unknown {
    const head = this.byte();
    if (head < 0x80) return head;
    if (head < 0x90) return this.#fields(head & 0x0f);
    if (head < 0xa0) return this.#items(head & 0x0f);
    if (head < 0xc0) return this.#text(head & 0x1f);
    if (head >= 0xe0) return head - 256;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.copy(this.byte());
      case 0xc5:
        return this.copy(this.#uint16());
      case 0xc6:
        return this.copy(this.uint32());
      case 0xc9:
        return this.#extension(this.uint32());
      case 0xcb:
        return this.double();
      case 0xcd:
        return this.#uint16();
      case 0xce:
        return this.uint32();
      case 0xd2:
        return this.bytes.readInt32BE(this.take(4));
      case 0xd4:
        return this.#extension(1);
      case 0xd6:
        return this.#extension(4);
      case 0xd7:
        return this.#extension(8);
      case 0xd9:
        return this.#text(this.byte());
      case 0xda:
        return this.#text(this.#uint16());
      case 0xdb:
        return this.#text(this.uint32());
      case 0xdc:
        return this.#items(this.#uint16());
      case 0xdd:
        return this.#items(this.uint32());
      case 0xde:
        return this.#fields(this.#uint16());
      case 0xdf:
        return this.#fields(this.uint32());
      default:
        throw brokenValue();
    }
  }

  #uint16(): number {
    return this.bytes.readUInt16BE(this.take(2));
  }
  #text(length: number): string {
    const start = this.take(length);
    return textOf(this.bytes, start, this.at, 32);
  }
  #items(count: number): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.#value();
      if (item === hole) items.length = i + 1;
      else items[i] = item;
    }
    return items;
  }
  #fields(count: number): Record<string, unknown> {
    const fields: Record<string, unknown> = {};
    for (let i = 0; i < count; i++) setField(fields, this.#value() as string, this.#value());
    return fields;
  }
  #entries(): Map<unknown, unknown> {
    const head = this.byte();
    const count = head < 0x90 ? head & 0x0f : head === 0xde ? this.#uint16() : this.uint32();
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < count; i++) map.set(this.#value(), this.#value());
    return map;
  }

  #extension(length: number): unknown {
    const type = this.byte();
    const end = this.at + length;
    switch (type) {
      case 0:
        return this.byte() === 1 ? hole : undefined;
      case 1: {
        const isNegative = this.byte() === 1;
        const start = this.take(end - this.at);
        const hex = this.bytes.toString('hex', start, end);
        const magnitude = hex === '' ? 0n : BigInt(`0x${hex}`);
        return isNegative ? -magnitude : magnitude;
      }
      case 2:
        return new Date(this.double());
      case 3:
        return this.#entries();
      case 4:
        return new Set(this.#part() as unknown[]);
      case 5: {
        let text = '';
        while (this.at < end) text += String.fromCharCode(this.#uint16());
        return text;
      }
      case 6: {
        const [className, bytes] = this.#pair() as [string, Uint8Array];
        return viewOf(className, bytes);
      }
      case 7:
        return errorOf(this.#part() as { readonly name: string; readonly message: string; readonly stack?: string });
      case 8: {
        const [source, flags] = this.#pair() as [string, string];
        return new RegExp(source, flags);
      }
      case 9: {
        const number = this.uint32();
        const object = this.#objects[number];
        if (object === undefined) throw brokenValue();
        return object;
      }
      default:
        throw brokenValue();
    }
  }
  /** An array of two parts. */
  #pair(): unknown {
    this.byte();
    return [this.#part(), this.#part()];
  }
}

/** Types of extensions that are objects, among those of any length. */
const numbered: ReadonlySet<number> = new Set([3, 4, 6, 7, 8]);
/** What the reader of an array sees where the array has a hole. */
const hole: unique symbol = Symbol('a hole in an array');

/** `bytes` are a copy that nobody else has. */
function viewOf(className: string, bytes: Uint8Array): unknown {
  const { buffer } = bytes;
  if (className === 'ArrayBuffer') return buffer;
  if (className === 'Buffer') return Buffer.from(buffer);
  const makers: Readonly<Record<string, (new (buffer: ArrayBufferLike) => unknown) | undefined>> = {
    ...{ Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
    ...{ Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView },
  };
  const make = makers[className];
  return make ? new make(buffer) : bytes;
}
function errorOf({
  name,
  message,
  stack,
}: {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}) {
  const makers: Readonly<Record<string, (new (message: string) => Error) | undefined>> = {
    ...{ EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
  };
  const error = new (makers[name] ?? Error)(message);
  if (error.name !== name) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

function brokenValue(): SluiceError {
  return new SluiceError(
    'bad-state',
    'The bytes of a saved value are broken. Take an older checkpoint, or start anew.',
  );
}

/** The value of `valueBytes`. */
export function valueOf(bytes: Uint8Array): unknown {
  return new ValueReader(bytes).value();
}
