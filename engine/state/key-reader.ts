// Reads canonical key bytes back: the tuple that `keyBytes` wrote. Fields of an object come by
// name.
import { SluiceError } from '../errors/error.ts';
import { setField } from '../values/field.ts';
import type { ValueReader } from '../values/value-reader.ts';

/** Reads values up to `end`. */
export function readTuple(reader: ValueReader, end: number): unknown[] {
  const tuple: unknown[] = [];
  while (reader.at < end) tuple.push(readKeyValue(reader));
  return tuple;
}

function readKeyValue(reader: ValueReader): unknown {
  const tag = reader.byte();
  switch (tag) {
    case 0:
      return null;
    case 1:
      return false;
    case 2:
      return true;
    case 3:
      return reader.double();
    case 4:
      return readText(reader);
    case 5: {
      const isNegative = reader.byte() === 1;
      const length = reader.uint32();
      const start = reader.take(length);
      const magnitude = BigInt(`0x${reader.bytes.toString('hex', start, start + length) || '0'}`);
      return isNegative ? -magnitude : magnitude;
    }
    case 6:
      return new Date(reader.double());
    case 7:
      return reader.copy(reader.uint32());
    case 8:
      return Array.from({ length: reader.uint32() }, () => readKeyValue(reader));
    case 9: {
      const fields = {};
      for (let left = reader.uint32(); left > 0; left--) setField(fields, readText(reader), readKeyValue(reader));
      return fields;
    }
    default:
      throw new SluiceError('bad-state', `A saved key has a value of the unknown type ${tag}.`);
  }
}

/** UTF-8 in which a lone surrogate is a code point like any other. */
function readText(reader: ValueReader): string {
  const length = reader.uint32();
  const start = reader.take(length);
  const { bytes } = reader;
  let text = '';
  for (let at = start; at < start + length;) {
    const first = bytes[at]!;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      at++;
      continue;
    }
    const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    let code = first & (0x3f >> more);
    for (let i = 1; i <= more; i++) code = (code << 6) | (bytes[at + i]! & 0x3f);
    text += String.fromCodePoint(code);
    at += 1 + more;
  }
  return text;
}
