// The bytes of the rows that a peek has sent, for the client's look at one record. The oldest are
// forgotten: their number and their bytes are bounded.
import { isUtf8 } from 'node:buffer';
import type { PeekedRecord, RecordBytesView } from '../protocol/browse.ts';
import type { HeaderValues } from '../../engine/connectors/kafka/record-headers.ts';
import type { ChunkRecord } from './chunk-records.ts';

const most = { records: 1_000, bytes: 16 << 20 } as const;
/** Bytes of a key, a value or a header that are shown. */
const mostShown = 16 << 10;

interface Kept {
  readonly key: Buffer | undefined;
  readonly value: Buffer | undefined;
  readonly headers: HeaderValues;
  readonly size: number;
}

export class KeptRecords {
  readonly #records = new Map<number, Kept>();
  #bytes = 0;

  /** `n`: the number of the row, which grows. */
  keep(n: number, { text, start, length, key }: ChunkRecord, headers: HeaderValues): void {
    const value = length < 0 ? undefined : Buffer.from(text.bytes.subarray(start, start + length));
    const size = (value?.length ?? 0) + (key?.length ?? 0) + sizeOf(headers);
    // Copies, because a view would keep the whole chunk in memory.
    this.#records.set(n, { value, key: key && Buffer.from(key), headers, size });
    this.#bytes += size;
    for (const [oldest, record] of this.#records) {
      if (this.#records.size <= most.records && (this.#bytes <= most.bytes || oldest === n)) break;
      this.#records.delete(oldest);
      this.#bytes -= record.size;
    }
  }

  view(n: number): PeekedRecord | null {
    const kept = this.#records.get(n);
    if (!kept) return null;
    return {
      ...(kept.key && { key: viewOf(kept.key) }),
      ...(kept.value && { value: viewOf(kept.value) }),
      headers: Object.entries(kept.headers).map(([name, value]) => ({
        name,
        ...(value !== null && { value: viewOf(Buffer.from(value)) }),
      })),
    };
  }
}

function sizeOf(headers: HeaderValues): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + (value?.length ?? 0), 0);
}
function viewOf(bytes: Buffer): RecordBytesView {
  const shown = bytes.subarray(0, mostShown);
  return {
    bytes: bytes.length,
    hex: shown.toString('hex'),
    // A text that was cut may end within a character, and is shown as far as it goes.
    ...(isUtf8(bytes) && { text: shown.toString('utf8') }),
  };
}
