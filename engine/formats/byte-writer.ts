// Collects the bytes of one record in a buffer that is used again for the next one.

export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1 << 10);
  #at = 0;

  begin(): void {
    this.#at = 0;
  }
  /** A copy of the bytes since `begin`. */
  taken(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }
  /** The place to which `back` returns. */
  get at(): number {
    return this.#at;
  }
  /** Forgets all bytes after a place. */
  back(at: number): void {
    this.#at = at;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
  /** A length, then the bytes. */
  bytes(bytes: Uint8Array): void {
    this.zigzag64(bytes.length);
    this.raw(bytes);
  }
  /** A length, then the text in UTF-8. */
  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.zigzag64(length);
    this.#room(length);
    this.#at += this.#bytes.write(text, this.#at);
  }
  /** A whole number of at most 64 bits. */
  zigzag64(value: number | bigint): void {
    if (typeof value === 'number' && value === (value | 0)) {
      this.#room(5);
      let rest = ((value << 1) ^ (value >> 31)) >>> 0;
      for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      this.#bytes[this.#at++] = rest;
      return;
    }
    this.#room(10);
    const long = BigInt(value);
    let rest = BigInt.asUintN(64, (long << 1n) ^ (long >> 63n));
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#at++] = Number(rest);
  }
  uint32LE(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }
  uint32BE(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }
  float(value: number): void {
    this.#room(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }
  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + count));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
