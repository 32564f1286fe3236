// A constant as text: the bytes of `ValueWriter` in base64. They are canonical: the same value
// gives the same text. They hold bigint, Date, Map, Set, RegExp and typed arrays.
import { ValueReader } from '../../engine/values/value-reader.ts';
import { ValueWriter } from '../../engine/values/value-writer.ts';

/** `value` is data, as `copyData` knows it. Throws for a value that contains itself. */
export function constantText(value: unknown): string {
  const writer = new ValueWriter();
  writer.value(value);
  return Buffer.from(writer.taken()).toString('base64');
}

export function constantOf(text: string): unknown {
  return new ValueReader(Buffer.from(text, 'base64')).value();
}
