// Decompression of record batches, for the compressions that Kafka's producers use. A batch that
// holds more than its limit is refused before, or while, it is decompressed.
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { lz4Decompress } from '@platformatic/wasm-utils/bundled';
import { checkedLz4Frame } from './lz4-frame.ts';
import { RecordsUnreadable, tooLarge } from './records-unreadable.ts';
import { decompressSnappy } from './snappy-blocks.ts';

/** The code in the attributes of a batch. */
export type Compression = 0 | 1 | 2 | 3 | 4;
const none = 0;
const gzip = 1;
const snappy = 2;
const lz4 = 3;
const zstd = 4;

/** The most bytes of a batch, if the source has no limit of its own. */
export const defaultMaxBatchBytes = 64 << 20;

/** The records of a compressed batch: `most` bytes at most. */
export function decompress(compression: Compression, bytes: Buffer, most = defaultMaxBatchBytes): Buffer {
  switch (compression) {
    case none:
      return bytes;
    case gzip:
      return byZlib('gzip', gunzipSync, bytes, most);
    case snappy:
      return decompressSnappy(bytes, most);
    case lz4:
      return lz4Decompress(checkedLz4Frame(bytes, most));
    case zstd:
      return byZlib('zstd', zstdDecompressSync, bytes, most);
    default:
      throw new RecordsUnreadable(`its compression has the unknown number ${String(compression)}.`);
  }
}

/** Larger than Node's default of 16 KB: fewer pieces. */
const chunkSize = 128 << 10;

function byZlib(
  name: string,
  read: (bytes: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer,
  bytes: Buffer,
  most: number,
): Buffer {
  try {
    return read(bytes, { maxOutputLength: most, chunkSize });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(most);
    throw new RecordsUnreadable(`its ${name} data is broken (${message}).`);
  }
}
