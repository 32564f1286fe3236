// A record batch is believed only after its length, checksum, counts and offsets have been checked.
// Each check has its sentence. What is complete and right before a broken batch is read first.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { FetchedBatches } from '../../connectors/kafka/fetched-batches.ts';
import { RecordsUnreadable } from '../../connectors/kafka/records-unreadable.ts';
import { heldBytes } from '../../connectors/kafka/record-columns.ts';
import {
  attribute,
  attributesOf,
  batch,
  type Codec,
  codecs,
  compressed,
  message,
  readAll,
  record,
  recordsOf,
  zigzag,
} from './made-batches.ts';

function refused(bytes: Buffer, sentence: RegExp, options = {}): void {
  assert.throws(
    () => readAll(bytes, options),
    (error) => error instanceof RecordsUnreadable && sentence.test(error.message),
    String(sentence),
  );
}
const values = (bytes: Buffer, options = {}) => readAll(bytes, options).map(({ value }) => value);
const a = recordsOf('{"a":1}');

test('a byte that was changed is found by the checksum, wherever it is', () => {
  const good = batch({ records: recordsOf('{"amount":100}', '{"amount":200}') });
  for (let at = 21; at < good.length; at++) {
    const bytes = Buffer.from(good);
    bytes[at] = bytes[at]! ^ 0x01;
    refused(
      bytes,
      /^the checksum of its batch is [0-9a-f]{8}, but that of its bytes is [0-9a-f]{8}\. They were changed/,
    );
  }
});

test('a byte of an old message that was changed is found by the checksum, wherever it is', () => {
  for (const format of [0, 1] as const) {
    const good = message({ format, offset: 3, value: Buffer.from('{"amount":100}') });
    for (let at = 17; at < good.length; at++) {
      const bytes = Buffer.from(good);
      bytes[at] = bytes[at]! ^ 0x01;
      refused(bytes, /^the checksum of its batch/);
    }
  }
});

test('the offset and the leader epoch, which brokers write, are outside the checksum', () => {
  const bytes = batch({ records: a });
  bytes.writeBigInt64BE(41n, 0);
  bytes.writeInt32BE(7, 12);
  assert.deepEqual(
    readAll(bytes).map(({ offset }) => offset),
    [41],
  );
});

test('a length that no batch can have is refused, and reading ends', () => {
  for (const length of [-(2 ** 31), -13, -12, -1, 0, 13, 48])
    refused(batch({ records: a, length }), /^its batch has a length of -?\d+ bytes, and the least is 61\.$/);
  const short = message({ format: 1, offset: 0, value: Buffer.from('x') });
  short.writeInt32BE(20, 8);
  refused(short, /^its batch has a length of 32 bytes, and the least is 34\.$/);
});

test('a format that nobody knows is refused', () => {
  for (const magic of [-1, 3, 127])
    refused(batch({ records: a, magic }), /^its batch has the message format -?\d+, and only 0, 1 and 2 are known\.$/);
});

test('counts and offsets of a batch must agree', () => {
  const records = recordsOf('1', '2');
  refused(batch({ records, count: -5, lastOffsetDelta: 1 }), /^its batch has -5 records at the offsets 0 to 1\.$/);
  refused(batch({ records, count: 3, lastOffsetDelta: 1 }), /^its batch has 3 records at the offsets 0 to 1\.$/);
  refused(batch({ records, lastOffsetDelta: -1 }), /^its batch has the offsets 0 to -1\.$/);
  refused(batch({ records, baseOffset: -1 }), /^its batch has the offsets -1 to 0\.$/);
  refused(batch({ records, baseOffset: 2n ** 53n }), /^its batch has the offsets 9007199254740992 to /);
});

test('a count that the bytes cannot hold reserves no memory', () => {
  const count = 2 ** 31 - 1;
  for (const codec of codecs)
    refused(
      batch({ body: compressed(codec, a[0]!), codec, count, lastOffsetDelta: count }),
      /^its batch has 14 bytes, too few for 2147483647 records\.$/,
    );
});

test('a batch has neither fewer nor more records than its count says', () => {
  const records = recordsOf('1', '2', '3');
  refused(batch({ records, count: 2 }), /^its batch has 8 bytes behind its 2 records\.$/);
  refused(batch({ records, count: 1, lastOffsetDelta: 2 }), /^its batch has 16 bytes behind its 1 records\.$/);
  refused(batch({ records, count: 0, lastOffsetDelta: 2 }), /^its batch has 24 bytes behind its 0 records\.$/);
  refused(batch({ records, count: 4 }), /^(record 3 of its batch does not end|its batch has 24 bytes, too few)/);
});

test('the offsets of records rise within their batch', () => {
  const deltas = (...all: number[]) =>
    batch({ records: all.map((offsetDelta) => record({ offsetDelta })), baseOffset: 10, lastOffsetDelta: 5 });
  assert.deepEqual(
    readAll(deltas(0, 2, 5)).map(({ offset }) => offset),
    [10, 12, 15],
    'Compaction leaves gaps.',
  );
  refused(deltas(-1), /^record 0 of its batch has the offset 9, and must lie between 10 and 15\.$/);
  refused(deltas(0, 6), /^record 1 of its batch has the offset 16, and must lie between 11 and 15\.$/);
  refused(deltas(3, 3), /^record 1 of its batch has the offset 13, and must lie between 14 and 15\.$/);
  refused(deltas(3, 2), /^record 1 of its batch has the offset 12, /);
});

test('the offsets of batches rise, and an answer that leads no further is refused', () => {
  const one = batch({ records: a, baseOffset: 4 });
  assert.equal(readAll(Buffer.concat([one, batch({ records: a, baseOffset: 9 })])).length, 2);
  for (const baseOffset of [4, 3]) {
    const back = batch({ records: a, baseOffset });
    assert.equal(readAll(Buffer.concat([one, back])).length, 1);
    refused(back, new RegExp(`^the broker answers with the records up to offset ${baseOffset}\\.$`), { from: 5 });
  }
});

test('a record ends where its size says', () => {
  const value = Buffer.from('{"a":1}');
  const [right] = [record({ value }).length - 1];
  for (const size of [-1, 0, 1, right - 1, right + 1, 63, 1_000_000, 2 ** 31 - 1])
    refused(batch({ records: [record({ value, size })] }), /does not end where its size says|behind its 1 records/);
  const after = [record({ value, size: right + 1 }), record({ offsetDelta: 1, value })];
  refused(batch({ records: after }), /^record 0 of its batch does not end where its size says\.$/);
});

test('a key, a value or a header is inside its record', () => {
  const body = (...parts: Buffer[]) => {
    const bytes = Buffer.concat([Buffer.of(0), zigzag(0), zigzag(0), ...parts]);
    return Buffer.concat([zigzag(bytes.length), bytes]);
  };
  const none = zigzag(-1);
  const text = Buffer.from('abc');
  const wrong: Readonly<Record<string, Buffer>> = {
    'a key beyond the record': body(zigzag(100), text, none, zigzag(0)),
    'a key beyond the batch': body(zigzag(2 ** 31 - 1), text, none, zigzag(0)),
    'a value beyond the record': body(none, zigzag(4), text, zigzag(0)),
    'a value beyond the batch': body(none, zigzag(2 ** 31 - 1), text, zigzag(0)),
    'headers that are not there': body(none, none, zigzag(1)),
    'a negative number of headers': body(none, none, zigzag(-1)),
    'two billion headers': body(none, none, zigzag(2 ** 31 - 1), text),
    'a header without a name': body(none, none, zigzag(1), zigzag(-1), zigzag(-1)),
    'a header beyond the record': body(none, none, zigzag(1), zigzag(1), Buffer.from('h'), zigzag(9), text),
    'bytes behind the headers': body(none, none, zigzag(0), text),
  };
  for (const [what, bytes] of Object.entries(wrong)) {
    const others = [bytes, record({ offsetDelta: 1, value: Buffer.from('x'.repeat(300)) })];
    for (const codec of codecs)
      assert.throws(() => readAll(batch({ records: others, codec })), RecordsUnreadable, `${what}, ${codec}`);
  }
  const right = record({
    key: text,
    value: text,
    headers: [
      ['h', text],
      ['', undefined],
      ['h', Buffer.alloc(0)],
    ],
  });
  assert.deepEqual(
    readAll(batch({ records: [right] })).map(({ key, value }) => [key, value]),
    [['abc', 'abc']],
  );
});

test('a number that never ends is refused', () => {
  refused(batch({ body: Buffer.alloc(64, 0xff), count: 1 }), /^a number in a record has more than five bytes\.$/);
  const timestamp = Buffer.concat([zigzag(20), Buffer.of(0), Buffer.alloc(40, 0xff)]);
  refused(batch({ body: timestamp, count: 1 }), /^a number in a record has more than ten bytes\.$/);
  refused(batch({ body: Buffer.alloc(8, 0x80), count: 1 }), /more than five bytes/);
});

test('a batch that is cut off inside a record is refused, although its checksum is right', () => {
  const whole = Buffer.concat(recordsOf('{"a":1}', '{"a":2}'));
  for (let length = 14; length < whole.length; length++)
    assert.throws(() => readAll(batch({ body: whole.subarray(0, length), count: 2 })), RecordsUnreadable);
});

test('the batches before a broken one are read, and the next answer begins with the broken one', () => {
  const good = [batch({ records: recordsOf('0', '1') }), batch({ records: recordsOf('2'), baseOffset: 2 })];
  const wrongChecksum = batch({ records: recordsOf('3'), baseOffset: 3 });
  wrongChecksum[60] = 9;
  const wrongRecords = batch({ records: recordsOf('3'), baseOffset: 3, body: Buffer.alloc(20) });
  for (const broken of [wrongChecksum, wrongRecords, batch({ records: a, baseOffset: 3, length: -12 })]) {
    const bytes = Buffer.concat([...good, broken]);
    const batches = new FetchedBatches({ bytes, start: 0, end: bytes.length, aborted: [] });
    const piece = batches.read(0, Infinity)!;
    assert.deepEqual([piece.columns.count, piece.next], [3, 3]);
    if (!batches.isRead) assert.throws(() => batches.read(3, Infinity), RecordsUnreadable);
    assert.throws(() => readAll(broken), RecordsUnreadable);
  }
});

test('a batch that ends behind the answer is left for the next one', () => {
  const first = batch({ records: recordsOf('0') });
  const bytes = Buffer.concat([first, batch({ records: recordsOf('1'), baseOffset: 1 })]);
  for (let end = first.length; end < bytes.length; end++) assert.deepEqual(values(bytes, { end }), ['0']);
  assert.deepEqual(values(bytes), ['0', '1']);
});

test('a first batch that ends behind the answer says how many bytes it needs', () => {
  const old = message({ format: 0, offset: 0, value: Buffer.alloc(50) });
  for (const bytes of [batch({ records: recordsOf('x'.repeat(300)) }), old])
    for (let end = 0; end <= bytes.length; end++) {
      const { needs } = new FetchedBatches({ bytes, start: 0, end, aborted: [] });
      assert.equal(needs, end === 0 || end === bytes.length ? undefined : end < 12 ? 17 : bytes.length);
    }
});

test('a batch that is larger than the limit is refused before it has arrived', () => {
  const bytes = batch({ records: a, length: 2 ** 31 - 1 });
  refused(
    bytes,
    /^its batch holds more than 1,000 bytes, the limit for one batch\..* kafka\(topic, \{ maxBatchBytes \}\)\.$/,
    {
      maxBatchBytes: 1000,
    },
  );
  refused(bytes, /^its batch holds more than 67,108,864 bytes/);
});

test('control batches are skipped, also empty ones, and the next offset is after them', () => {
  const control = (...key: number[]) =>
    batch({
      records: key.length > 0 ? [record({ key: Buffer.from(key), value: Buffer.alloc(6) })] : [],
      attributes: attribute.control | attribute.transactional,
      baseOffset: 1,
      lastOffsetDelta: 0,
      producer: 5n,
    });
  for (const marker of [control(0, 0, 0, 0), control(0, 0, 0, 1), control()]) {
    const bytes = Buffer.concat([batch({ records: a }), marker]);
    const batches = new FetchedBatches({ bytes, start: 0, end: bytes.length, aborted: [] });
    const { columns, next } = batches.read(0, Infinity)!;
    assert.deepEqual([columns.count, next], [1, 2]);
    const alone = new FetchedBatches({ bytes: marker, start: 0, end: marker.length, aborted: [] });
    assert.deepEqual([alone.read(1, Infinity)?.next, alone.isRead], [2, true]);
  }
  refused(control(0, 0, 0), /^its control record, the end of a transaction, has no type\.$/);
});
test('a control batch is decompressed within the limit, and has nothing behind its record', () => {
  const marker = record({ key: Buffer.of(0, 0, 0, 1), value: Buffer.alloc(6) });
  const control = (rest: Buffer, codec: Codec) =>
    batch({
      body: compressed(codec, Buffer.concat([marker, rest])),
      count: 1,
      attributes: attribute.control | attribute.transactional | attributesOf(codec),
      producer: 7n,
    });
  const read = (bytes: Buffer, maxBatchBytes: number) =>
    new FetchedBatches({ bytes, start: 0, end: bytes.length, aborted: [] }, { maxBatchBytes }).read(0, Infinity)?.next;
  for (const codec of codecs) {
    assert.equal(read(control(Buffer.alloc(0), codec), 100_000), 1, codec);
    assert.throws(
      () => read(control(Buffer.alloc(3), codec), 100_000),
      /its control batch has 3 bytes behind its 1 records\.$/,
    );
    if (codec !== 'none')
      assert.throws(() => read(control(Buffer.alloc(5 << 20), codec), 100_000), /holds more than 100,000 bytes/, codec);
  }
});

test('a batch that compaction has emptied moves the reader on', () => {
  const empty = batch({ lastOffsetDelta: 9, baseOffset: 100 });
  const batches = new FetchedBatches({ bytes: empty, start: 0, end: empty.length, aborted: [] });
  const { columns, next } = batches.read(100, Infinity)!;
  assert.deepEqual([columns.count, next], [0, 110]);
});

test('an answer is read in pieces, and a piece has the bytes that are enough, or one batch', () => {
  const many = Array.from({ length: 20 }, (_, i) =>
    batch({ records: recordsOf('x'.repeat(1000), String(i)), baseOffset: 2 * i, codec: codecs[i % codecs.length]! }),
  );
  const bytes = Buffer.concat(many);
  const all = readAll(bytes);
  assert.equal(all.length, 40);
  for (const enough of [1, 1000, 5000, 15_000, Infinity]) {
    const batches = new FetchedBatches({ bytes, start: 0, end: bytes.length, aborted: [] }, { enough });
    let [next, pieces] = [0, 0];
    while (!batches.isRead) {
      const piece = batches.read(next, Infinity)!;
      assert.ok(piece.columns.count * 520 < enough + 2000);
      next = piece.next;
      pieces++;
    }
    assert.equal(next, 40);
    assert.equal(pieces, enough === Infinity ? 1 : Math.ceil(40 / (2 * Math.max(1, Math.ceil(enough / 1044)))));
    assert.deepEqual(readAll(bytes, { enough }), all);
  }
});

test('records without values, keys and headers hold memory that is counted', () => {
  const count = 20_000;
  const records = Array.from({ length: count }, (_, offsetDelta) => record({ offsetDelta }));
  const tombstones = batch({ records, codec: 'zstd' });
  assert.ok(tombstones.length < count);
  const read = new FetchedBatches({ bytes: tombstones, start: 0, end: tombstones.length, aborted: [] });
  assert.ok(heldBytes(read.read(0, Infinity)!.columns) >= 20 * count);
  const header = record({ headers: [['trace', Buffer.alloc(1 << 20)]] });
  const withHeader = batch({ records: [header] });
  const { columns } = new FetchedBatches({ bytes: withHeader, start: 0, end: withHeader.length, aborted: [] }).read(
    0,
    Infinity,
  )!;
  assert.ok(heldBytes(columns) < 1000, 'Headers are not kept.');
});
