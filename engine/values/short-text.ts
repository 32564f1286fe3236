// UTF-8 texts from bytes. Most are short and without accents, and a loop is cheaper for them than a
// call into Node.

/** The text from `start` to `end`. Up to `loopBytes` bytes are tried in the loop. */
export function textOf(bytes: Buffer, start: number, end: number, loopBytes: number): string {
  if (end - start < loopBytes) {
    let text = '';
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  return bytes.toString('utf8', start, end);
}
