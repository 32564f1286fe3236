// The Nexmark events are those of Beam's generator: the first 150 field by field, the first hundred
// thousand by their hashes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'vitest';
import { vectors } from '../../test/time/vectors.ts';
import { adjustedEventNumber, nexmarkGenerator, type NexmarkEvent } from '../nexmark/generator.ts';

interface GeneratorVectors {
  readonly events: readonly NexmarkEvent[];
  readonly sha256OfFirstN: Readonly<Record<string, string>>;
  readonly countsFirst100000: Readonly<Record<string, number>>;
  readonly outOfOrderAdjustedEventNumbers_groupSize10_first20: readonly number[];
}
const recorded = vectors<GeneratorVectors>('nexmark-generator.json');

test('the first 150 events are the recorded ones', { skip: recorded.skip }, () => {
  if (recorded.skip !== false) return;
  const event = nexmarkGenerator();
  assert.deepEqual(
    recorded.data.events.map((_, n) => event(n)),
    recorded.data.events,
  );
});

test('the hashes of the first 1,000, 10,000 and 100,000 events are the recorded ones', { skip: recorded.skip }, () => {
  if (recorded.skip !== false) return;
  const event = nexmarkGenerator();
  const hash = createHash('sha256');
  const counts: Record<string, number> = { person: 0, auction: 0, bid: 0 };
  const found: Record<string, string> = {};
  for (let n = 0; n < 100_000; n++) {
    const next = event(n);
    counts[next.type]!++;
    // The recorder wrote a backslash, the only character here that JSON escapes, as its code.
    hash.update(`${JSON.stringify(next).replaceAll('\\\\', '\\u005c')}\n`);
    if (String(n + 1) in recorded.data.sha256OfFirstN) found[n + 1] = hash.copy().digest('hex');
  }
  assert.deepEqual(found, recorded.data.sha256OfFirstN);
  assert.deepEqual(counts, recorded.data.countsFirst100000);
});

test('events out of order are permuted inside their group', { skip: recorded.skip }, () => {
  if (recorded.skip !== false) return;
  const numbers = recorded.data.outOfOrderAdjustedEventNumbers_groupSize10_first20;
  assert.deepEqual(
    numbers.map((_, n) => adjustedEventNumber(n, 10)),
    numbers,
  );
  const inOrder = nexmarkGenerator();
  const permuted = nexmarkGenerator({ outOfOrderGroupSize: 10 });
  assert.deepEqual(
    Array.from({ length: 1_000 }, (_, n) => permuted(n)),
    Array.from({ length: 1_000 }, (_, n) => inOrder(adjustedEventNumber(n, 10))),
  );
});
