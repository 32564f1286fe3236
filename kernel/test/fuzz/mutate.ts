// Makes inputs out of good ones: bytes are changed, cut, doubled and mixed, and words of the format
// and JSON values that are often wrong are put in.
import type { SeededRandom } from './random.ts';

/** Longer inputs are cut. */
export const longestInput = 512 << 10;

const jsonValues = [
  ...[
    'null',
    'true',
    '0',
    '-1',
    '1e999',
    '-0',
    '9007199254740993',
    '""',
    '"a"',
    '[]',
    '{}',
    '[null]',
    '[[]]',
    '{"a":1}',
  ],
  ...[
    '"__proto__"',
    '{"__proto__":{"a":1}}',
    '{"constructor":null}',
    '{"length":-1}',
    '{"toString":1,"valueOf":1}',
    '"\\ud800"',
    '"\\u0000"',
  ],
];
const anyWords = ['\n', '\r\n', '\r', '"', "'", '\\', '\0', '\ufeff', '\u2028', '\ufffd', ' ', '\t', '𝕏', '%s', '../'];

export function mutated(seeds: readonly Uint8Array[], words: readonly string[], random: SeededRandom): Uint8Array {
  let bytes: Uint8Array = random.pick(seeds);
  // Some inputs stay as good as their seed.
  for (let left = random.below(6); left > 0; left--) bytes = mutation(bytes, seeds, words, random);
  return bytes.subarray(0, longestInput);
}

function mutation(
  bytes: Uint8Array,
  seeds: readonly Uint8Array[],
  words: readonly string[],
  random: SeededRandom,
): Uint8Array {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + random.below(random.isOneIn(4) ? bytes.length + 1 : 16));
  switch (random.below(11)) {
    case 0:
      return replaced(bytes, at, Math.min(at + 1, bytes.length), Uint8Array.of(random.below(256)));
    case 1:
      return replaced(bytes, at, to, new Uint8Array());
    case 2:
      return replaced(bytes, to, to, bytes.subarray(at, to));
    case 3:
      return replaced(bytes, at, at, repeated(bytes.subarray(at, to), random));
    case 4: {
      const other = random.pick(seeds);
      return replaced(bytes, at, to, other.subarray(random.below(other.length + 1)));
    }
    case 5:
      return bytes.subarray(0, at);
    case 6:
      return replaced(bytes, at, at, repeated(encode(random.pick(words)), random));
    case 7:
      return replaced(bytes, at, to, encode(random.pick(anyWords)));
    case 8:
      return withLinesMixed(bytes, random);
    default:
      return withValueReplaced(bytes, random);
  }
}

function replaced(bytes: Uint8Array, from: number, to: number, middle: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);
}

/** Mostly once or twice, at times as often as fits. */
function repeated(piece: Uint8Array, random: SeededRandom): Uint8Array {
  const most = Math.max(1, Math.floor(longestInput / 4 / Math.max(1, piece.length)));
  const times = random.isOneIn(20) ? most : 1 + random.below(random.isOneIn(4) ? Math.min(most, 2000) : 2);
  return Buffer.concat(new Array<Uint8Array>(times).fill(piece));
}

function withLinesMixed(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const [line = ''] = lines.splice(random.below(lines.length), 1);
  lines.splice(random.below(lines.length + 1), 0, ...(random.isOneIn(2) ? [line] : [line, line]));
  return Buffer.from(lines.join('\n'), 'latin1');
}

/** A JSON value of the text, or any other place, gets another value. */
function withValueReplaced(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const values = [...text.matchAll(/"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\[[^[\]\n]*\]|\{[^{}\n]*\}/g)];
  const value = random.isOneIn(30) ? nested(random) : random.pick(jsonValues);
  if (values.length === 0) return bytes;
  const { index, 0: former } = random.pick(values);
  return Buffer.from(text.slice(0, index) + value + text.slice(index + former.length), 'latin1');
}

function nested(random: SeededRandom): string {
  const depth = random.pick([100, 5_000, 50_000]);
  return random.isOneIn(2) ? '['.repeat(depth) + ']'.repeat(depth) : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
