// Avro's logical types as values of JavaScript, and back.
//
//   date                          Date, at 00:00 UTC
//   timestamp-millis/micros/nanos Date; micros and nanos are cut off, towards the past
//   local-timestamp-…             text without a zone, "2024-01-31T08:00:00.123456": it is no instant
//   time-millis/micros            milliseconds since midnight; micros may have a fraction
//   decimal                       its exact text with all decimals, "12.30"
//   uuid                          text
//   duration                      { months, days, millis }
//
// Writing takes the same values. Where a Date is wanted, it also takes epoch milliseconds, or an
// ISO-8601 text with a zone.
import { eventTimeOf, maxTimestamp } from '../time/event-time.ts';
import { described } from '../values/kind.ts';
import type { FixedType, Logical, PrimitiveType } from './avro-schema.ts';
import type { ByteWriter } from './byte-writer.ts';
import { BadRecord, exact, type ByteReader } from './byte-reader.ts';

const dayMillis = 86_400_000;
const mostDecimals = 10_000;
const fractionDigits = { 1: 3, 1_000: 6, 1_000_000: 9 } as const;

// ----------------------------------------------------------------------------------------- reading

export function readLogical(type: PrimitiveType | FixedType, logical: Logical): (reader: ByteReader) => unknown {
  switch (logical.kind) {
    case 'date':
      return (reader) => dateOf(reader.zigzag32() * dayMillis);
    case 'timestamp': {
      const { perMilli } = logical;
      return perMilli === 1
        ? (reader) => dateOf(Number(reader.zigzag64()))
        : (reader) => dateOf(divided(reader.zigzag64(), perMilli));
    }
    case 'local-timestamp': {
      const { perMilli } = logical;
      return (reader) => localText(reader.zigzag64(), perMilli);
    }
    case 'time-millis':
      return (reader) => reader.zigzag32();
    case 'time-micros':
      return (reader) => Number(reader.zigzag64()) / 1_000;
    case 'decimal': {
      const { scale } = logical;
      return type.kind === 'fixed'
        ? (reader) => decimalText(reader.slice(type.size), scale)
        : (reader) => decimalText(reader.slice(reader.zigzagLength()), scale);
    }
    case 'uuid':
      return type.kind === 'fixed'
        ? (reader) => uuidText(reader.slice(16))
        : (reader) => reader.text(reader.zigzagLength());
    case 'duration':
      return (reader) => ({ months: reader.fixed32(), days: reader.fixed32(), millis: reader.fixed32() });
  }
}

function dateOf(millis: number): Date {
  if (!(millis >= -maxTimestamp && millis <= maxTimestamp))
    throw new BadRecord(`it has a time of ${millis} ms since 1970, which no Date can hold`);
  return new Date(millis);
}
/** Rounded towards the past. */
function divided(value: number | bigint, by: number): number {
  if (typeof value === 'number') return Math.floor(value / by);
  const whole = value / BigInt(by);
  return Number(value < 0n && whole * BigInt(by) !== value ? whole - 1n : whole);
}
function localText(value: number | bigint, perMilli: 1 | 1_000 | 1_000_000): string {
  const millis = divided(value, perMilli);
  const seconds = Math.floor(millis / 1_000);
  const rest = BigInt(value) - BigInt(seconds) * 1_000n * BigInt(perMilli);
  const fraction = String(rest).padStart(fractionDigits[perMilli], '0');
  return `${dateOf(seconds * 1_000)
    .toISOString()
    .slice(0, -5)}.${fraction}`;
}
/** Of a number in two's complement, the highest byte first. */
export function decimalText(bytes: Uint8Array, scale: number): string {
  if (!(scale >= 0 && scale <= mostDecimals)) throw new BadRecord(`it has a decimal with ${scale} decimals`);
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  const unscaled = hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const at = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, at)}${scale > 0 ? `.${digits.slice(at)}` : ''}`;
}
function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

// ----------------------------------------------------------------------------------------- writing

/**
 * Undefined, or why the value does not fit: the end of a sentence that begins with the field.
 * Writes nothing then.
 */
export function writeLogical(
  type: PrimitiveType | FixedType,
  logical: Logical,
  value: unknown,
  writer: ByteWriter,
): string | undefined {
  switch (logical.kind) {
    case 'date': {
      const millis = eventTimeOf(value);
      if (typeof millis === 'string') return millis;
      writer.zigzag64(Math.floor(millis / dayMillis));
      return undefined;
    }
    case 'timestamp': {
      const millis = eventTimeOf(value);
      if (typeof millis === 'string') return millis;
      writer.zigzag64(exact(BigInt(millis) * BigInt(logical.perMilli)));
      return undefined;
    }
    case 'local-timestamp': {
      const units = localUnits(value, logical.perMilli);
      if (units === undefined) return `is ${described(value)}, no date and time such as "2024-01-31T08:00:00.123"`;
      writer.zigzag64(units);
      return undefined;
    }
    case 'time-millis':
    case 'time-micros':
      if (typeof value !== 'number' || !(value >= 0 && value < dayMillis))
        return `is ${described(value)}, no time of day in milliseconds`;
      writer.zigzag64(Math.round(logical.kind === 'time-millis' ? value : value * 1_000));
      return undefined;
    case 'decimal':
      return writeDecimal(type, logical, value, writer);
    case 'uuid': {
      if (typeof value !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
        return `is ${described(value)}, no UUID`;
      if (type.kind === 'fixed') writer.raw(Buffer.from(value.replaceAll('-', ''), 'hex'));
      else writer.text(value);
      return undefined;
    }
    case 'duration': {
      const parts = (value ?? {}) as Readonly<Record<string, unknown>>;
      const numbers = ['months', 'days', 'millis'].map((name) => parts[name]);
      if (
        !numbers.every(
          (one): one is number => Number.isInteger(one) && (one as number) >= 0 && (one as number) < 2 ** 32,
        )
      )
        return `is ${described(value)}, no { months, days, millis } of whole numbers`;
      for (const number of numbers) writer.uint32LE(number);
      return undefined;
    }
  }
}

function localUnits(value: unknown, perMilli: 1 | 1_000 | 1_000_000): number | bigint | undefined {
  const [, seconds, fraction = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?$/.exec(String(value)) ?? [];
  const millis = seconds === undefined ? NaN : Date.parse(`${seconds}Z`);
  if (Number.isNaN(millis)) return undefined;
  const digits = fractionDigits[perMilli];
  return exact(BigInt(millis) * BigInt(perMilli) + BigInt(fraction.padEnd(digits, '0').slice(0, digits)));
}

function writeDecimal(
  type: PrimitiveType | FixedType,
  { precision, scale }: Extract<Logical, { kind: 'decimal' }>,
  value: unknown,
  writer: ByteWriter,
): string | undefined {
  const isNumeric = typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number';
  const [, sign, whole, decimals = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(isNumeric ? String(value) : '') ?? [];
  if (whole === undefined) return `is ${described(value)}, no decimal such as "12.30"`;
  if (decimals.length > scale) return `is ${described(value)}, which has more than ${scale} decimals`;
  const magnitude = BigInt(whole + decimals.padEnd(scale, '0'));
  if (String(magnitude).length > precision) return `is ${described(value)}, which has more than ${precision} digits`;
  const unscaled = sign === '-' ? -magnitude : magnitude;
  let bytes = 1;
  while (BigInt.asIntN(bytes * 8, unscaled) !== unscaled) bytes++;
  if (type.kind === 'fixed') {
    if (bytes > type.size) return `is ${described(value)}, which does not fit ${type.size} bytes`;
    bytes = type.size;
  }
  const hex = BigInt.asUintN(bytes * 8, unscaled).toString(16);
  const encoded = Buffer.from(hex.padStart(bytes * 2, '0'), 'hex');
  if (type.kind === 'fixed') writer.raw(encoded);
  else writer.bytes(encoded);
  return undefined;
}
