// Checks an LZ4 frame before it is decompressed. The decompressor is WebAssembly: it writes as many
// bytes as the blocks ask for, and an error inside it takes memory that is never given back. So a
// walk over the blocks counts their bytes and refuses broken ones first.
//
// The frame that is returned has a header of its own. The frame's checksums are left out: the
// batch's checksum covers the same bytes. The header's checksum is wrong in old producers anyway.
import { RecordsUnreadable, tooLarge } from './records-unreadable.ts';

const frameMagic = 0x184d2204;
/** The longest distance of a copy to what it repeats. */
const reach = 64 << 10;
const smallestBlockCode = 4;
/**
 * The last byte of a header is a checksum of its flags and its block size. These are all of them,
 * by the code of the block size (64 KB, 256 KB, 1 MB, 4 MB).
 */
const headerChecksums = { independent: [0x82, 0xfb, 0x51, 0x73], linked: [0xc0, 0x77, 0x96, 0xdf] };

/** The frame as the decompressor can read it. It holds `most` bytes at most. */
export function checkedLz4Frame(bytes: Buffer, most: number): Buffer {
  if (bytes.length < 11 || bytes.readUInt32LE(0) !== frameMagic) throw broken();
  const flags = bytes[4]!;
  const version = flags >>> 6;
  const blockCode = (bytes[5]! >>> 4) & 7;
  const hasDictionary = (flags & 0x01) !== 0;
  if (version !== 1 || blockCode < smallestBlockCode || hasDictionary) throw broken();
  const isIndependent = (flags & 0x20) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const checksumSize = (flags & 0x10) !== 0 ? 4 : 0;
  const largestBlock = 1 << (2 * blockCode + 8);
  const checksum = headerChecksums[isIndependent ? 'independent' : 'linked'][blockCode - smallestBlockCode]!;
  const pieces: Buffer[] = [Buffer.of(0x04, 0x22, 0x4d, 0x18, isIndependent ? 0x60 : 0x40, blockCode << 4, checksum)];

  const blocksStart = 7 + (hasContentSize ? 8 : 0);
  let at = blocksStart;
  for (let size = 0; ;) {
    if (at + 4 > bytes.length) throw broken();
    const head = bytes.readUInt32LE(at);
    const end = at + 4 + (head & 0x7fffffff);
    if (head === 0) {
      pieces.push(bytes.subarray(checksumSize > 0 ? at : blocksStart, end));
      return Buffer.concat(pieces);
    }
    if (end + checksumSize > bytes.length || end - at - 4 > largestBlock) throw broken();
    const isStored = head >>> 31 === 1;
    const blockSize = isStored
      ? end - at - 4
      : sizeOfBlock(bytes, at + 4, end, isIndependent ? 0 : Math.min(reach, size));
    if (blockSize > largestBlock) throw broken();
    size += blockSize;
    if (size > most) throw tooLarge(most);
    if (checksumSize > 0) pieces.push(bytes.subarray(at, end));
    at = end + checksumSize;
  }
}

/**
 * The decompressed size of a block: sequences of literals and a copy of earlier bytes. The last
 * sequence has literals only. `before`: the bytes before the block that a copy may repeat.
 *
 * A read beyond the end gives NaN, which fails the next check.
 */
function sizeOfBlock(bytes: Buffer, start: number, end: number, before: number): number {
  let size = 0;
  for (let at = start; at < end;) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === 15)
      for (let more = 255; more === 255;) {
        more = bytes[at++]!;
        literals += more;
      }
    at += literals;
    size += literals;
    if (at === end) return size;
    if (!(at + 2 < end)) break;
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    if (distance === 0 || distance > size + before) break;
    let length = (token & 15) + 4;
    if (length === 19)
      for (let more = 255; more === 255;) {
        more = bytes[at++]!;
        length += more;
      }
    if (!(at < end)) break;
    size += length;
  }
  throw broken();
}

function broken(): RecordsUnreadable {
  return new RecordsUnreadable('its LZ4 data is broken.');
}
