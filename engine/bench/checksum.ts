// The checksum of a run: the sum, modulo 2^32, of one hash per result. It does not depend on the
// order of results. A missing, doubled or wrong result changes it.

export const hashStart: number = 0x811c9dc5 | 0;

/** Folds one 32-bit field into the hash of a result. */
export function fold(hash: number, field: number): number {
  const mixed = Math.imul(hash ^ field, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
/** Folds an integer that does not fit into 32 bits: its low word, then its high word. */
export function foldLong(hash: number, value: number): number {
  return fold(fold(hash, value | 0), (value / 0x1_0000_0000) | 0);
}
/** The hash of a text: Java's String.hashCode. */
export function javaHashCode(text: string): number {
  let code = 0;
  for (let i = 0; i < text.length; i++) code = (Math.imul(code, 31) + text.charCodeAt(i)) | 0;
  return code;
}

export class Checksum {
  results = 0;
  #sum = 0;
  add(hash: number): void {
    this.results++;
    this.#sum = (this.#sum + hash) | 0;
  }
  get sum(): number {
    return this.#sum >>> 0;
  }
}
