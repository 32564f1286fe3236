// Decompresses Snappy blocks. Java's producers put 16 bytes before them, and the length of each
// block before it. Other producers write one bare block.
//
// A block is checked before it is decompressed. The decompressor is WebAssembly: it reserves as
// many bytes as a block claims, and an error inside it takes memory that is never given back.
import { snappyDecompress } from '@platformatic/wasm-utils/bundled';
import { RecordsUnreadable, tooLarge } from './records-unreadable.ts';

const javaMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const javaHeaderSize = 16;

/** The bytes of all blocks: `most` at most. */
export function decompressSnappy(bytes: Buffer, most: number): Buffer {
  if (bytes.length < javaHeaderSize || !bytes.subarray(0, 8).equals(javaMagic)) {
    if (sizeOfBlock(bytes) > most) throw tooLarge(most);
    checkBlock(bytes);
    return snappyDecompress(bytes);
  }
  const blocks: Buffer[] = [];
  let size = 0;
  for (let at = javaHeaderSize; at < bytes.length;) {
    if (at + 4 > bytes.length) throw broken();
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw broken();
    const block = bytes.subarray(at + 4, end);
    size += sizeOfBlock(block);
    if (size > most) throw tooLarge(most);
    checkBlock(block);
    blocks.push(snappyDecompress(block));
    at = end;
  }
  return blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks, size);
}

/** The decompressed size, which a block begins with: up to five bytes of seven bits each. */
function sizeOfBlock(bytes: Buffer): number {
  let size = 0;
  for (let at = 0; at < Math.min(5, bytes.length); at++) {
    const byte = bytes[at]!;
    size += (byte & 0x7f) * 128 ** at;
    if (byte < 0x80) return size;
  }
  throw broken();
}

/**
 * Walks over the literals and copies of a block, whether they are complete and make the size that
 * the block begins with. A read beyond the end leads to a place that is not the end.
 */
function checkBlock(bytes: Buffer): void {
  let at = 0;
  while (bytes[at++]! >= 0x80);
  let size = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const sizeOfLength = length - 60;
        length = 1;
        for (let i = 0; i < sizeOfLength; i++) length += bytes[at++]! * 256 ** i;
      }
      at += length;
    } else {
      let distance: number;
      if (kind === 1) {
        length = ((tag >>> 2) & 7) + 4;
        distance = ((tag >>> 5) << 8) | bytes[at++]!;
      } else {
        distance = bytes[at++]! | (bytes[at++]! << 8);
        if (kind === 3) distance += bytes[at++]! * 2 ** 16 + bytes[at++]! * 2 ** 24;
      }
      if (!(distance > 0 && distance <= size)) throw broken();
    }
    size += length;
  }
  if (at !== bytes.length || size !== sizeOfBlock(bytes)) throw broken();
}

function broken(): RecordsUnreadable {
  return new RecordsUnreadable('its Snappy data is broken.');
}
