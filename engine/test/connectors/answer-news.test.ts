// What a fetch says of the partitions that were asked: records, silence, something that waits, or
// no answer. What holds time back is told before any record.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { AnswerNews } from '../../connectors/kafka/answer-news.ts';
import type { FetchedPartition } from '../../connectors/kafka/fetch-request.ts';
import { AssignedSplit } from '../../connectors/kafka/placement.ts';
import type { Chunk, ToSource } from '../../connectors/kafka/reader-messages.ts';

const asked = (partition: number, offset: number, endTime?: number) => ({
  split: new AssignedSplit({ topic: 't', partition, offset, epoch: 0, ...(endTime !== undefined && { endTime }) }),
  offset,
});
const answer = (partition: number, lastStable: number, highWatermark: number, bytes = 0): FetchedPartition => ({
  ...{ topic: 't', partition, error: 0, highWatermark, lastStable, aborted: [] },
  ...{ bytes: Buffer.alloc(bytes), start: 0, end: bytes },
});
function chunk(partition: number, next: number): Chunk {
  const columns = {
    count: 0,
    values: new Uint8Array(),
    lengths: new Int32Array(),
    offsets: new Float64Array(),
    timestamps: new Float64Array(),
  };
  return { split: `t[${partition}]`, columns, ascii: true, next, epoch: 3, end: next, bytes: 1 };
}
function texts(messages: readonly ToSource[]): string[] {
  return messages.map((message) => {
    if (message.kind === 'unanswered') return `unanswered ${message.splits.join()}`;
    if (message.kind === 'chunks') return `chunks ${message.chunks.map(({ split }) => split).join()}`;
    assert.ok(message.kind === 'behind' || message.kind === 'silent' || message.kind === 'ended');
    return `${message.kind} ${message.splits.map(({ split, offset }) => `${split}@${offset}`).join()}`;
  });
}

test('what holds time back comes before records, and silence after them', () => {
  const [records, end, open, full, cut, none] = [
    asked(0, 5),
    asked(1, 7),
    asked(2, 7),
    asked(3, 7),
    asked(4, 7),
    asked(5, 7),
  ];
  const news = new AnswerNews([records, end, open, full, cut, none]);
  assert.equal(news.asked(answer(1, 7, 7)), end);
  assert.equal(news.asked(answer(9, 7, 7)), undefined);
  news.answered(end, answer(1, 7, 7), undefined, 0);
  news.answered(records, answer(0, 9, 9, 40), chunk(0, 9), 0);
  news.answered(open, answer(2, 7, 9), undefined, 0);
  news.answered(full, answer(3, 20, 20), undefined, 0);
  news.answered(cut, answer(4, 20, 20, 10), undefined, 0);
  assert.deepEqual(texts(news.messages()), [
    'unanswered t[5]',
    'behind t[2]@7,t[3]@20,t[4]@20',
    'chunks t[0]',
    'silent t[1]@7',
  ]);
  assert.deepEqual([records.split.next, records.split.epoch], [9, 3]);
});

test('a read up to a time has ended when the time is over and all committed records are read', () => {
  const [early, late, behind] = [asked(0, 7, 2_000), asked(1, 7, 1_000), asked(2, 7, 1_000)];
  const news = new AnswerNews([early, late, behind]);
  news.answered(early, answer(0, 7, 7), undefined, 1_500);
  news.answered(late, answer(1, 7, 9), undefined, 1_500);
  news.answered(behind, answer(2, 9, 9), undefined, 1_500);
  assert.deepEqual(texts(news.messages()), ['behind t[1]@7,t[2]@9', 'silent t[0]@7', 'ended t[1]@7']);
  assert.deepEqual(
    [early, late, behind].map(({ split }) => split.isDone),
    [false, true, false],
  );
});
