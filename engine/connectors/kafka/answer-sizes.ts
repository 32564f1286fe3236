// Checks the length before each answer of a connection. A wrong one is not from Kafka, and kafkajs
// would wait for its bytes.
export class AnswerSizes {
  readonly #length = Buffer.alloc(4);
  #lengthBytes = 0;
  /** Bytes of the present answer that are still to come. */
  #missing = 0;

  areSound(bytes: Buffer): boolean {
    if (this.#lengthBytes === 0 && this.#missing === 0 && isTlsAlert(bytes)) return false;
    for (let at = 0; at < bytes.length;) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, bytes.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      this.#length[this.#lengthBytes++] = bytes[at++]!;
      if (this.#lengthBytes < 4) continue;
      this.#lengthBytes = 0;
      this.#missing = this.#length.readInt32BE(0);
      if (this.#missing < 4 || this.#missing > largestAnswer) return false;
    }
    return true;
  }
}
/** As a length it would be more than 350 MB. */
export function isTlsAlert(bytes: Buffer): boolean {
  return bytes[0] === 0x15 && bytes[1] === 3 && bytes.length >= 2;
}
/** Far more than any answer to our requests. */
const largestAnswer = 1 << 29;
