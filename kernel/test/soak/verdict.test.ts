// The soak fails when memory grows, when a view stands still, and when the session is too slow.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { type Minute, verdict } from './verdict.ts';

const views = ['table', 'chart'];
const good: Minute = {
  ...{ residentBytes: 200, controlHeapBytes: 60, threadHeapBytes: 40, recordsPerSecond: 20_000 },
  messages: new Map(views.map((view) => [view, 300])),
};
const faultsOf = (minutes: readonly Minute[]): readonly string[] => verdict(minutes, views).faults;
const hour = (last: Partial<Minute>): Minute[] => [...new Array<Minute>(59).fill(good), { ...good, ...last }];

test('memory that stays is within bounds, and what grows before the tenth minute counts only in a short run', () => {
  assert.deepEqual(verdict(hour({ residentBytes: 210 }), views), {
    faults: [],
    line: '60 minutes, from minute 10: heap +0.0 %, resident +5.0 %; within bounds',
  });
  const early = { ...good, residentBytes: 20, threadHeapBytes: 1 };
  assert.deepEqual(faultsOf([early, ...hour({})]), []);
  assert.deepEqual(faultsOf([early, good]), ['the heap has grown by +63.9 %']);
});

test('a tenth more heap or resident memory after the tenth minute is a fault, in either thread', () => {
  assert.deepEqual(faultsOf(hour({ threadHeapBytes: 51 })), ['the heap has grown by +11.0 %']);
  assert.deepEqual(faultsOf(hour({ controlHeapBytes: 71 })), ['the heap has grown by +11.0 %']);
  assert.deepEqual(faultsOf(hour({ residentBytes: 222 })), ['resident memory has grown by +11.0 %']);
});

test('a view that stands still and a session that is too slow are faults', () => {
  assert.deepEqual(faultsOf([good, { ...good, messages: new Map([['table', 300]]) }]), [
    '"chart" stood still in minute 2',
  ]);
  assert.deepEqual(faultsOf([{ ...good, recordsPerSecond: 9000 }, good]), ['only 9000 records/s in minute 1']);
});
