// The set of byte strings that compaction asks: it says what a Set of texts says.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { KnownKeys } from '../../state/known-keys.ts';

test('any keys: it numbers each once, in their order, and finds no other', () => {
  const key = fc.uint8Array({ maxLength: 3 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 40 }), fc.array(key), (added, asked) => {
      const known = new KnownKeys(added.length);
      const numbers = new Map<string, number>();
      for (const bytes of added) {
        // Each lies somewhere in its own bytes.
        const around = Uint8Array.from([7, ...bytes, 7]);
        known.add(around, 1, 1 + bytes.length);
        const text = bytes.join();
        if (!numbers.has(text)) numbers.set(text, numbers.size);
      }
      assert.equal(known.size, numbers.size);
      for (const bytes of [...added, ...asked])
        assert.equal(known.find(bytes, 0, bytes.length), numbers.get(bytes.join()) ?? -1);
    }),
  );
});

test('keys with one hash are different keys', () => {
  // Each pair of words has the same 32 bits of FNV-1a.
  const texts = ['costarring', 'liquid', 'declinate', 'macallums', 'altarage', 'zinke'].map((text) =>
    Buffer.from(text),
  );
  const known = new KnownKeys(texts.length);
  for (const bytes of texts) known.add(bytes, 0, bytes.length);
  assert.deepEqual(
    texts.map((bytes) => known.find(bytes, 0, bytes.length)),
    [0, 1, 2, 3, 4, 5],
  );
});
