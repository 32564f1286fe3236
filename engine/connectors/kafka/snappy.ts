// Reads Snappy: blocks of literals and copies. Java's producers add their own header (16 bytes,
// then blocks with their lengths). Other producers write one bare block.

const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);

/** More than any batch holds. */
const largestBlock = 1 << 29;

export function decompressSnappy(bytes: Buffer): Buffer {
  if (bytes.length < 16 || !bytes.subarray(0, 8).equals(javaMagic)) return decompressBlock(bytes);
  const blocks: Buffer[] = [];
  for (let at = 16; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    blocks.push(decompressBlock(bytes.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}

function decompressBlock(bytes: Buffer): Buffer {
  let at = 0;
  let size = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++]!;
    size += (byte & 0x7f) * scale;
    // A NaN or undefined from beyond the end ends it too.
    if (!(byte >= 0x80)) break;
  }
  if (!(size <= largestBlock)) throw new RangeError('broken snappy block');
  const out = Buffer.allocUnsafe(size);
  let filled = 0;
  const copy = (distance: number, length: number): void => {
    if (!(distance > 0 && distance <= filled && filled + length <= size)) throw new RangeError('broken snappy block');
    // Source and target of a copy may overlap. Then it is copied byte by byte.
    if (distance >= length) out.copy(out, filled, filled - distance, filled - distance + length);
    else for (let i = 0; i < length; i++) out[filled + i] = out[filled + i - distance]!;
    filled += length;
  };
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    switch (tag & 3) {
      case 0: {
        let length = tag >>> 2;
        if (length >= 60) {
          const extra = length - 59;
          length = bytes.readUIntLE(at, extra);
          at += extra;
        }
        length++;
        if (filled + length > size || at + length > bytes.length) throw new RangeError('broken snappy block');
        bytes.copy(out, filled, at, at + length);
        at += length;
        filled += length;
        break;
      }
      case 1:
        copy(((tag & 0xe0) << 3) | bytes[at++]!, ((tag >>> 2) & 7) + 4);
        break;
      case 2:
        copy(bytes.readUInt16LE(at), (tag >>> 2) + 1);
        at += 2;
        break;
      default:
        copy(bytes.readUInt32LE(at), (tag >>> 2) + 1);
        at += 4;
    }
  }
  if (filled !== size) throw new RangeError('broken snappy block');
  return out;
}
