// Writes the segments of a data file one behind the other, in steps of a mebibyte, so that neither
// the event loop nor a system call is busy for long.
import { valueSegment } from '../../engine/state/segment.ts';
import type { NewFile } from './disk.ts';
import type { LargeBytes } from './large-bytes.ts';
import type { Extent } from './places.ts';

const stepBytes = 1 << 20;

export class DataWriter {
  readonly #file: NewFile;
  #step = Buffer.allocUnsafe(stepBytes);
  #filled = 0;
  #written = 0;
  constructor(file: NewFile) {
    this.#file = file;
  }
  get size(): number {
    return this.#written + this.#filled;
  }

  async segment(segment: Uint8Array): Promise<Extent> {
    const extent = { offset: this.size, length: segment.length };
    for (let at = 0; at < segment.length;) {
      const part = segment.subarray(at, at + stepBytes - this.#filled);
      this.#step.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === stepBytes) await this.flush();
    }
    return extent;
  }
  /** One segment for each mebibyte: other programs find nothing but segments in the file. */
  async large(bytes: LargeBytes): Promise<readonly Extent[]> {
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const extents: Extent[] = [];
    for (let at = 0; at === 0 || at < plain.length; at += stepBytes)
      extents.push(await this.segment(valueSegment(plain.subarray(at, at + stepBytes))));
    return extents;
  }
  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    await this.#file.write(this.#step.subarray(0, this.#filled));
    this.#written += this.#filled;
    this.#filled = 0;
  }
}
