// Reads LZ4: frames of blocks, which consist of literals and copies. A copy may refer to earlier
// blocks, so all blocks are written into one growing buffer.

const frameMagic = 0x184d2204;
const skippableMagic = 0x184d2a50;

export function decompressLz4Frames(bytes: Buffer): Buffer {
  let out = Buffer.allocUnsafe(Math.max(1024, bytes.length * 4));
  let filled = 0;
  const room = (more: number): void => {
    if (filled + more <= out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(filled + more, 2 * out.length));
    out.copy(larger, 0, 0, filled);
    out = larger;
  };

  const block = (start: number, end: number, frameStart: number): void => {
    for (let at = start; at < end;) {
      const token = bytes[at++]!;
      let literals = token >>> 4;
      if (literals === 15) {
        let more: number;
        do literals += more = bytes[at++]!;
        while (more === 255);
      }
      // Written so that a NaN from beyond the end fails too.
      if (!(at + literals <= end)) throw new RangeError('broken LZ4 block');
      room(literals);
      bytes.copy(out, filled, at, at + literals);
      at += literals;
      filled += literals;
      // The last sequence has literals only.
      if (at >= end) break;
      const distance = bytes.readUInt16LE(at);
      at += 2;
      let length = (token & 15) + 4;
      if (length === 19) {
        let more: number;
        do length += more = bytes[at++]!;
        while (more === 255);
      }
      if (distance === 0 || distance > filled - frameStart || !(at <= end)) throw new RangeError('broken LZ4 block');
      room(length);
      if (distance >= length) out.copy(out, filled, filled - distance, filled - distance + length);
      else for (let i = 0; i < length; i++) out[filled + i] = out[filled + i - distance]!;
      filled += length;
    }
  };

  for (let at = 0; at < bytes.length;) {
    const magic = bytes.readUInt32LE(at);
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      at += 8 + bytes.readUInt32LE(at + 4);
      continue;
    }
    if (magic !== frameMagic) throw new RangeError('not an LZ4 frame');
    const flags = bytes[at + 4]!;
    const hasBlockChecksum = (flags & 0x10) !== 0;
    const hasContentSize = (flags & 0x08) !== 0;
    const hasContentChecksum = (flags & 0x04) !== 0;
    const hasDictionary = (flags & 0x01) !== 0;
    at += 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
    const frameStart = filled;
    for (;;) {
      const head = bytes.readUInt32LE(at);
      at += 4;
      if (head === 0) break;
      const size = head & 0x7fffffff;
      const isStored = head >>> 31 === 1;
      if (isStored) {
        room(size);
        bytes.copy(out, filled, at, at + size);
        filled += size;
      } else block(at, at + size, frameStart);
      at += size + (hasBlockChecksum ? 4 : 0);
    }
    at += hasContentChecksum ? 4 : 0;
  }
  return out.subarray(0, filled);
}
