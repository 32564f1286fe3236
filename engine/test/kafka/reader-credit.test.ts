// What a reader holds is limited for all partitions together, however many there are, and no
// partition waits for ever. The broker is a socket with answers of the test.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { afterEach, test, vi } from 'vitest';
import { AssignedSplit } from '../../connectors/kafka/placement.ts';
import { ReaderCredit } from '../../connectors/kafka/reader-credit.ts';
import type { Chunk } from '../../connectors/kafka/reader-messages.ts';
import { SourceSplits } from '../../connectors/kafka/source-splits.ts';
import { SourceTime } from '../../time/source-time.ts';
import { batch, record } from '../connectors/made-batches.ts';
import { ReaderOn, ScriptedBroker } from './scripted-broker.ts';

const closing: { close(): void }[] = [];
afterEach(() => {
  for (const one of closing.splice(0)) one.close();
});
const until = (condition: () => unknown): Promise<unknown> =>
  vi.waitUntil(condition, { timeout: 120_000, interval: 10 });

const forAll = 32 << 20;
const recordBytes = 100 << 10;
const perPartition = 4;
const compressed = batch({
  body: gzipSync(record({ value: Buffer.alloc(recordBytes) })),
  count: 1,
  attributes: 1,
});
/** A batch of one record, which grows from some hundred bytes to 100 KB. */
function batchAt(offset: number): Buffer {
  const bytes = Buffer.from(compressed);
  bytes.writeBigInt64BE(BigInt(offset), 0);
  return bytes;
}

test('a reader of 1,000 partitions holds 32 MB and a chunk, and reads all of them', { timeout: 300_000 }, async () => {
  let looks = 0;
  const broker = await ScriptedBroker.start({
    partitions: 1_000,
    end: () => perPartition,
    fetch: (asked) => {
      if (asked[0]?.maxBytes === 1) looks++;
      const rest = (offset: number): Buffer[] =>
        Array.from({ length: perPartition - offset }, (_, n) => batchAt(offset + n));
      return {
        // As with a real broker, the first partitions fill the answer.
        partitions: asked.map(({ partition, offset, maxBytes }, index) => ({
          partition,
          highWatermark: perPartition,
          bytes: maxBytes === 1 || index >= 200 ? Buffer.alloc(0) : Buffer.concat(rest(offset)),
        })),
      };
    },
  });
  const reader = new ReaderOn(broker);
  closing.push(reader, broker);
  let [held, most, records, isReading] = [0, 0, 0, false];
  const waiting: Chunk[] = [];
  const read = new Set<string>();
  const give = (chunk: Chunk): void => {
    held -= chunk.bytes;
    reader.tell({ kind: 'credit', split: chunk.split, bytes: chunk.bytes });
  };
  reader.onMessage = (message) => {
    if (message.kind !== 'chunks') return;
    reader.messages.length = 0;
    for (const chunk of message.chunks) {
      held += chunk.bytes;
      most = Math.max(most, held);
      records += chunk.columns.count;
      read.add(chunk.split);
      if (isReading) setImmediate(give, chunk);
      else waiting.push(chunk);
    }
  };
  await until(() => looks > 1);
  const largest = Math.max(...waiting.map(({ bytes }) => bytes));
  assert.ok(held >= forAll, `${held} bytes are held`);
  assert.ok(held < forAll + largest, `${held} bytes are held, the largest chunk has ${largest}`);
  assert.ok(read.size < 1_000);
  isReading = true;
  for (const chunk of waiting.splice(0)) give(chunk);
  await until(() => records === 1_000 * perPartition);
  assert.equal(read.size, 1_000);
  assert.ok(most < forAll + 2 * largest, `${most} bytes were held`);
});

test('a partition that the source needs exceeds the limit with one chunk', () => {
  const credit = new ReaderCredit(() => 2);
  const [full, needed, other] = [0, 1, 2].map(
    (partition) => new AssignedSplit({ topic: 't', partition, offset: 0, epoch: 0 }),
  ) as [AssignedSplit, AssignedSplit, AssignedSplit];
  const may = (): boolean[] => [full, needed, other].map((split) => credit.mayAsk(split));
  credit.handedOver(full, forAll);
  assert.deepEqual(may(), [false, false, false]);
  credit.blocked(['t[0]', 't[1]']);
  assert.deepEqual(may(), [false, true, false]);
  credit.handedOver(needed, 100);
  assert.deepEqual(may(), [false, false, false]);
  credit.returned(needed, 100);
  credit.returned(full, 1);
  assert.deepEqual(may(), [false, true, true]);
  credit.dropped(full);
  assert.deepEqual([may(), credit.held], [[true, true, true], 0]);
});

test('a source that may emit nothing of what it has names the partitions that it needs, once', () => {
  const output = { watermark: () => {}, idle: () => {}, active: () => {} };
  const splits = new SourceSplits(new SourceTime(output, 0), { look: () => undefined, isHeld: () => false }, false);
  splits.assign([0, 1, 2].map((partition) => ({ topic: 't', partition, offset: 0, epoch: 0 })));
  splits.unresolved([]);
  assert.equal(splits.needed(true), undefined, 'it has nothing');
  const columns = {
    count: 0,
    values: new Uint8Array(),
    lengths: new Int32Array(),
    offsets: new Float64Array(),
    timestamps: new Float64Array(),
  };
  splits.push([{ split: 't[0]', columns, ascii: true, next: 5, epoch: 0, end: 9, bytes: 1 }]);
  splits.receive({ kind: 'silent', splits: [{ split: 't[2]', offset: 0 }] }, 0);
  const open = splits.take(true)!;
  open.state.share = 0;
  splits.setAside(open);
  assert.equal(splits.take(true), undefined);
  assert.deepEqual(splits.needed(true), ['t[1]'], 't[2] has nothing to read');
  assert.equal(splits.needed(true), undefined);
  splits.receive({ kind: 'behind', splits: [{ split: 't[2]', offset: 4 }] }, 0);
  assert.deepEqual(splits.needed(true), ['t[1]', 't[2]']);
});
