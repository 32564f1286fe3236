// The generator of the comparison follows its definition: the hash over every field of the first
// million events is the published one.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Checksum, fold, hashStart, javaHashCode } from '../checksum.ts';
import { baseMillis, peerEvent } from '../peers/events.ts';

test('the first million events have the published hash, and the published mix', () => {
  const checksum = new Checksum();
  const kinds = [0, 0, 0];
  // The texts are from small tables.
  const codes = new Map<string, number>();
  const codeOf = (text: string): number => {
    let code = codes.get(text);
    if (code === undefined) codes.set(text, (code = javaHashCode(text)));
    return code;
  };
  for (let n = 0; n < 1_000_000; n++) {
    const event: Readonly<Record<string, string | number>> = { ...peerEvent(n) };
    kinds[event['kind'] as number]!++;
    let hash = hashStart;
    for (const name in event) {
      const value = event[name]!;
      if (typeof value === 'string') hash = fold(hash, codeOf(value));
      else hash = fold(hash, name === 'dateTime' || name === 'expires' ? value - baseMillis : value);
    }
    checksum.add(hash);
  }
  assert.equal(checksum.sum, 939272270);
  assert.deepEqual(kinds, [20_000, 60_000, 920_000]);
});
