// Compression of record batches that a sink writes, in the forms that Kafka's own clients read.
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { lz4Compress, snappyCompress } from '@platformatic/wasm-utils/bundled';

export const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CompressionName = (typeof compressions)[number];

/** The number in the attributes of a batch. */
export function compressionNumber(name: CompressionName): number {
  return compressions.indexOf(name);
}

export function compress(name: CompressionName, records: Buffer): Buffer {
  switch (name) {
    case 'none':
      return records;
    case 'gzip':
      return gzipSync(records);
    case 'snappy':
      return snappyBlocks(records);
    case 'lz4':
      return lz4Compress(records);
    case 'zstd':
      return zstdCompressSync(records);
    default:
      throw new TypeError(`There is no compression ${String(name satisfies never)}.`);
  }
}

// Java's clients frame snappy: a magic, two versions, then blocks with their length before them.
const snappyMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
/** Java's block size. Readers may have no room for larger blocks. */
const snappyBlockBytes = 32 << 10;
function snappyBlocks(records: Buffer): Buffer {
  const parts: Buffer[] = [snappyMagic];
  for (let at = 0; at < records.length; at += snappyBlockBytes) {
    const block = snappyCompress(records.subarray(at, at + snappyBlockBytes));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}
