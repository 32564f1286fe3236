// Answers of a Kafka broker: each is read or refused, in any pieces the same, and the next answer
// is read as if it had not been. Half of the inputs get right checksums, so that the code behind
// the checksum is tried, too.
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { FetchedBatches } from '../../../../engine/connectors/kafka/fetched-batches.ts';
import { heldBytes } from '../../../../engine/connectors/kafka/record-columns.ts';
import { RecordsUnreadable } from '../../../../engine/connectors/kafka/records-unreadable.ts';
import {
  attribute,
  attributesOf,
  batch,
  codecs,
  compressed,
  javaSnappy,
  message,
  type ReadRow,
  record,
  recordsOf,
  rowsOf,
  withChecksums,
} from '../../../../engine/test/connectors/made-batches.ts';
import { planted, type Plant, type Target } from '../target.ts';

const maxBatchBytes = 256 << 10;
const json = ['{"id":1,"name":"Ann"}', '{"id":2,"name":"Bob","tags":["a","b"]}', undefined, '{"é":"\\n"}', '[1]'];
const rows = recordsOf(...json, ...json.map((text) => text?.repeat(30)));

export function recordsTarget(plant?: Plant): Target {
  const seeds = seedAnswers();
  // WebAssembly keeps its memory from one call to the next.
  const canary = Buffer.concat([
    batch({ records: rows, codec: 'lz4' }),
    batch({ records: rows, codec: 'snappy', baseOffset: 10 }),
  ]);
  const canaryRows = read(canary, Infinity, 0);
  return {
    seeds,
    words: [
      '\0\0\0\0',
      '\x02',
      '\xff\xff\xff\xff',
      '\x7f\xff\xff\xff',
      '\x80\x80\x80\x80',
      '\x01',
      '\x04"M\x18',
      '\x1f\x8b',
    ],
    attempt(input, random) {
      planted(plant, input);
      // The input decides, so that a replay does the same.
      const bytes = (crc32(input) & 1) === 1 ? withChecksums(input) : Buffer.from(input);
      const whole = read(bytes, Infinity, 0);
      const enough = random.pick([1, 100, 3000]);
      const inPieces = read(bytes, enough, 0);
      if (plant === 'forgets' && inPieces.rows.length > 2 && !seeds.some((seed) => seed.equals(input)))
        inPieces.rows.pop();
      assert.deepEqual(inPieces, whole, 'Other pieces of an answer have other records.');
      let previous = -1;
      for (const { offset } of whole.rows) {
        assert.ok(offset > previous && Number.isSafeInteger(offset), 'The offsets do not rise.');
        previous = offset;
      }
      if (whole.rows.length > 0) {
        const from = random.pick(whole.rows).offset;
        const rest = { ...whole, rows: whole.rows.filter(({ offset }) => offset >= from) };
        assert.deepEqual(read(bytes, Infinity, from), rest, 'Reading from an offset gives other records.');
      }
      assert.deepEqual(read(canary, Infinity, 0), canaryRows, 'An answer changes how the next one is read.');
      return whole.problem === undefined && whole.rows.length > 0 ? 'accepted' : 'rejected';
    },
  };
}

/** All records until the end, or until a batch is refused. */
function read(bytes: Buffer, enough: number, from: number): { readonly rows: ReadRow[]; readonly problem?: string } {
  const found: ReadRow[] = [];
  try {
    const aborted = [{ producer: 7n, firstOffset: 0 }];
    const answer = { bytes, start: 0, end: bytes.length, aborted };
    const batches = new FetchedBatches(answer, { withKeys: true, enough, maxBatchBytes });
    for (let next = from; ;) {
      const piece = batches.read(next, Infinity);
      if (!piece) break;
      const held = heldBytes(piece.columns);
      assert.ok(held <= 64 * (bytes.length + maxBatchBytes), `${bytes.length} bytes take ${held} bytes of memory.`);
      found.push(...rowsOf(piece.columns));
      assert.ok(piece.next > next, 'A piece leads no further.');
      next = piece.next;
      if (batches.isRead) break;
    }
    return { rows: found };
  } catch (error) {
    if (error instanceof RecordsUnreadable) return { rows: found, problem: error.message };
    throw error;
  }
}

function seedAnswers(): Buffer[] {
  const withEverything = [
    record({ key: Buffer.from('k'), value: Buffer.from('{"a":1}'), headers: [['trace', Buffer.from('abc')]] }),
    record({ offsetDelta: 1, timestampDelta: 123_456, key: Buffer.from('k'.repeat(80)) }),
    record({
      offsetDelta: 7,
      timestampDelta: -5_000_000_000,
      value: Buffer.from('{"b":2}'),
      headers: [['x', undefined]],
    }),
  ];
  const gaps = { records: withEverything, lastOffsetDelta: 9 };
  const inTransaction = { records: recordsOf('{"t":1}'), attributes: attribute.transactional, producer: 7n };
  const end = (type: number) => ({
    ...inTransaction,
    attributes: attribute.transactional | attribute.control,
    records: [record({ key: Buffer.of(0, 0, 0, type), value: Buffer.alloc(6) })],
  });
  const bytes = Buffer.from('{"old":1}');
  const old = [0, 1].flatMap((format) => {
    const inner = [0, 1, 2].map((offset) => ({ format: format as 0 | 1, offset, timestamp: 5, value: bytes }));
    const inside = Buffer.concat(inner.map((made) => message(made)));
    const wrapped = codecs.slice(1).map((codec) =>
      message({
        format: format as 0 | 1,
        offset: 2,
        attributes: attributesOf(codec),
        value: compressed(codec, inside),
      }),
    );
    return [inside, ...wrapped];
  });
  return [
    ...codecs.map((codec) => batch({ records: rows, codec })),
    ...codecs.map((codec) => batch({ ...gaps, codec, attributes: attribute.logAppendTime })),
    batch({ body: javaSnappy(...rows), count: rows.length, attributes: attributesOf('snappy') }),
    Buffer.concat([
      batch(gaps),
      batch({ records: rows, codec: 'lz4', baseOffset: 10 }),
      batch({ lastOffsetDelta: 3, baseOffset: 30 }),
    ]),
    Buffer.concat([
      batch(inTransaction),
      batch({ ...end(0), baseOffset: 1 }),
      batch({ ...inTransaction, baseOffset: 2 }),
      batch({ ...end(1), baseOffset: 3 }),
    ]),
    ...old,
    Buffer.concat([message({ format: 1, offset: 0, value: bytes }), batch({ records: rows, baseOffset: 5 })]),
  ];
}
