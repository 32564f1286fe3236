// The values and keys of a sink's rows in the formats without a schema.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { PartWriter, type PartSpec } from '../../connectors/kafka/part-writer.ts';

const events = { onProgress: () => undefined, onFailure: () => undefined };
const writer = (part: PartSpec['part'], format: PartSpec['format']) =>
  new PartWriter({ part, format, topic: 'orders' }, events);

test('format bytes writes a Uint8Array and nothing else', () => {
  assert.deepEqual(writer('value', 'bytes').write(new Uint8Array([1])), new Uint8Array([1]));
  assert.throws(() => writer('value', 'bytes').write({ a: 1 }), {
    message: 'It is an object with a; format "bytes" writes a Uint8Array.',
  });
  assert.throws(
    () => writer('key', 'bytes').write('a'),
    /^\w+: Its key is .*; keyFormat "bytes" writes a Uint8Array\.$/,
  );
});

test('format string writes texts and the like, and refuses an object', () => {
  assert.equal(writer('value', 'string').write(7), '7');
  assert.throws(() => writer('key', 'string').write({ a: 1 }), {
    message: 'Its key is an object with a; keyFormat "string" writes texts, numbers and the like.',
  });
});
