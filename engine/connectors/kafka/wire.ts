// Kafka's primitive types on the wire: big-endian integers, and strings and arrays with a length
// before them. Flexible versions of requests write lengths compactly (an unsigned varint, one more
// than the length, 0 for null) and end each structure with tagged fields.

export class WireWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
  int8(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeInt8(value, at);
    return this;
  }
  int16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeInt16BE(value, at);
    return this;
  }
  int32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }
  int64(value: number): this {
    const at = this.#room(8);
    this.#bytes.writeBigInt64BE(BigInt(value), at);
    return this;
  }
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const size = Buffer.byteLength(value);
    this.int16(size);
    const at = this.#room(size);
    this.#bytes.write(value, at);
    return this;
  }
  bytes(value: Uint8Array): this {
    this.int32(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }
  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    items.forEach((item) => write(item));
    return this;
  }
  uvarint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.#bytes[this.#room(1)] = (rest % 128) | 0x80;
    this.#bytes[this.#room(1)] = rest;
    return this;
  }
  compactString(value: string | null): this {
    if (value === null) return this.uvarint(0);
    const size = Buffer.byteLength(value);
    this.uvarint(size + 1);
    const at = this.#room(size);
    this.#bytes.write(value, at);
    return this;
  }
  compactArray<T>(items: readonly T[] | null, write: (item: T) => void): this {
    if (items === null) return this.uvarint(0);
    this.uvarint(items.length + 1);
    items.forEach((item) => write(item));
    return this;
  }
  /** 16 bytes, given as hexadecimal digits with or without dashes. */
  uuid(value: string): this {
    const at = this.#room(16);
    this.#bytes.write(value.replaceAll('-', ''), at, 'hex');
    return this;
  }
  noTags(): this {
    return this.uvarint(0);
  }
  /** All that was written. */
  content(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

export class WireReader {
  readonly bytes: Buffer;
  position = 0;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  boolean(): boolean {
    return this.bytes.readInt8(this.#skip(1)) !== 0;
  }
  int16(): number {
    return this.bytes.readInt16BE(this.#skip(2));
  }
  int32(): number {
    return this.bytes.readInt32BE(this.#skip(4));
  }
  /** Offsets and timestamps of Kafka stay far below 2^53. */
  int64(): number {
    return Number(this.bytes.readBigInt64BE(this.#skip(8)));
  }
  string(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const at = this.#skip(length);
    return this.bytes.toString('utf8', at, at + length);
  }
  array<T>(read: () => T): T[] {
    const count = this.int32();
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }
  uvarint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 35; scale *= 128) {
      const byte = this.bytes.readUInt8(this.#skip(1));
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  }
  compactString(): string | null {
    const length = this.uvarint() - 1;
    if (length < 0) return null;
    const at = this.#skip(length);
    return this.bytes.toString('utf8', at, at + length);
  }
  compactArray<T>(read: () => T): T[] {
    const count = this.uvarint() - 1;
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }
  /** 32 hexadecimal digits. */
  uuid(): string {
    const at = this.#skip(16);
    return this.bytes.toString('hex', at, at + 16);
  }
  skipTags(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint();
      this.#skip(this.uvarint());
    }
  }
  /** As `byteRange`, with a compact length. */
  compactRange(): { start: number; end: number } {
    const length = Math.max(0, this.uvarint() - 1);
    const start = this.#skip(length);
    return { start, end: start + length };
  }
  /** Skips bytes with a 32-bit length before them and returns their place. */
  byteRange(): { start: number; end: number } {
    const length = Math.max(0, this.int32());
    const start = this.#skip(length);
    return { start, end: start + length };
  }
  #skip(size: number): number {
    const at = this.position;
    if (size < 0 || at + size > this.bytes.length) throw new RangeError('it is shorter than it announces');
    this.position += size;
    return at;
  }
}
