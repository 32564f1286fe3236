// Finds the ends of the frames in a zstd file (RFC 8878). A file may have several, and the
// decompressor ends with the first. The end of the file must be the end of a frame.
//
//   magic ─► descriptor ─► block ─► block … ─► magic
//     └────► size of a frame to skip ────────────┘

type Step = 'magic' | 'descriptor' | 'block' | 'size';
const bytesOf: Readonly<Record<Step, number>> = { magic: 4, descriptor: 1, block: 3, size: 4 };

export class ZstdFrames {
  #step: Step = 'magic';
  /** The bytes of the present step. */
  #head: number[] = [];
  /** Bytes that belong to the present frame and are not looked at. */
  #skip = 0;
  #hasChecksum = false;
  #isLast = false;

  /** The file may end here. */
  get isBetweenFrames(): boolean {
    return this.#step === 'magic' && this.#head.length === 0 && this.#skip === 0;
  }

  /**
   * The index behind the frame's last byte in `bytes` from `from` on, or -1: the frame goes on.
   * Throws for bytes that are no frame.
   */
  end(bytes: Uint8Array, from: number): number {
    for (let at = from; at < bytes.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else this.#head.push(bytes[at++]!);
      if (this.#skip === 0 && this.#head.length === bytesOf[this.#step]) this.#next(this.#head.splice(0));
      if (this.#skip === 0 && this.#isLast) {
        this.#isLast = false;
        this.#step = 'magic';
        return at;
      }
    }
    return -1;
  }

  #next(head: readonly number[]): void {
    const value = head.reduceRight((number, byte) => number * 256 + byte, 0);
    switch (this.#step) {
      case 'magic':
        if (value === 0xfd2fb528) this.#step = 'descriptor';
        else if (value >= 0x184d2a50 && value <= 0x184d2a5f) this.#step = 'size';
        else throw new Error('a frame has another beginning');
        return;
      case 'size':
        this.#skip = value;
        this.#isLast = true;
        return;
      case 'descriptor': {
        const isSingle = (value & 0x20) !== 0;
        const contentSize = [isSingle ? 1 : 0, 2, 4, 8][value >> 6]!;
        this.#hasChecksum = (value & 4) !== 0;
        this.#skip = (isSingle ? 0 : 1) + [0, 1, 2, 4][value & 3]! + contentSize;
        this.#step = 'block';
        return;
      }
      case 'block': {
        const isRepeated = ((value >> 1) & 3) === 1;
        this.#isLast = (value & 1) === 1;
        this.#skip = (isRepeated ? 1 : value >> 3) + (this.#isLast && this.#hasChecksum ? 4 : 0);
        return;
      }
    }
  }
}
