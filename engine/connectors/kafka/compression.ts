// Decompression of record batches, for the compressions that Kafka's producers use.
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { decompressLz4Frames } from './lz4.ts';
import { decompressSnappy } from './snappy.ts';

/** The error about records from Kafka that cannot be read. The caller adds which records. */
export class RecordsUnreadable extends Error {}

/** The code in a batch's attributes. */
export type Compression = 0 | 1 | 2 | 3 | 4;
const none = 0;
const gzip = 1;
const snappy = 2;
const lz4 = 3;
const zstd = 4;

/** The records of a compressed batch. */
export function decompress(compression: Compression, bytes: Buffer): Buffer {
  switch (compression) {
    case none:
      return bytes;
    case gzip:
      return gunzipSync(bytes);
    case snappy:
      return decompressSnappy(bytes);
    case lz4:
      return decompressLz4Frames(bytes);
    case zstd:
      return zstdDecompressSync(bytes);
    default:
      throw new RecordsUnreadable(`its compression has the unknown number ${String(compression)}.`);
  }
}
