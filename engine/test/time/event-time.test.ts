// Values that are event times, and the errors for other values.
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import { compileEventTime, eventTimeOf } from '../../time/event-time.ts';
import { parseIsoInstant } from '../../time/iso-instant.ts';
import { zoneOf } from '../../time/zone.ts';

test('whole milliseconds, Dates and ISO-8601 with a zone are event times', () => {
  assert.equal(eventTimeOf(0), 0);
  assert.equal(eventTimeOf(-0), 0);
  assert.ok(Object.is(eventTimeOf(-0), 0));
  assert.equal(eventTimeOf(-8.64e15), -8.64e15);
  assert.equal(eventTimeOf(new Date(5)), 5);
  assert.equal(eventTimeOf(runInNewContext('new Date(7)')), 7);
  assert.equal(eventTimeOf('1970-01-01T00:00:01Z'), 1000);
  assert.equal(eventTimeOf('1970-01-01T00:00:01.5Z'), 1500);
  assert.equal(eventTimeOf('1970-01-01T00:00:01,123456789Z'), 1123);
  assert.equal(eventTimeOf('1970-01-01T01:00+01:00'), 0);
  assert.equal(eventTimeOf('1970-01-01T01:00:00+0100'), 0);
  assert.equal(eventTimeOf('1970-01-01T01:00:00+01'), 0);
  assert.equal(eventTimeOf('1970-01-01t00:00:00z'), 0);
  assert.equal(eventTimeOf('1969-12-31T24:00:00Z'), 0);
  assert.equal(eventTimeOf('1969-12-31T23:59:59.999Z'), -1);
});

test('everything else is none, and the text says why', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /^is missing$/],
    [null, /^is missing$/],
    [1.5, /^is 1\.5; .*whole number/],
    [NaN, /^is NaN/],
    [8.64e15 + 2, /8\.64e15/],
    [new Date(NaN), /invalid Date/],
    ['2024-01-01', /names no zone/],
    ['2024-01-01T10:00:00', /names no zone, .* such as zone: 'Europe\/Zurich'/],
    ['20240101 1000', /names no zone/],
    ['2024-02-30T10:00:00Z', /no ISO-8601/],
    ['2023-02-29T10:00:00Z', /no ISO-8601/],
    ['2024-13-01T10:00:00Z', /no ISO-8601/],
    ['2024-01-01T24:00:01Z', /no ISO-8601/],
    ['2024-01-01T10:60:00Z', /no ISO-8601/],
    ['2024-01-01T10:00:00Zebra', /no ISO-8601/],
    ['2024-01-01T10:00:00.Z', /no ISO-8601/],
    ['2024-01-01T10:00:00+25:00', /no ISO-8601/],
    ['1700000000000', /number in a text: give the source its unit/],
    ['', /no ISO-8601/],
    ['20240230T100000Z', /no ISO-8601/],
    ['2024-01-01T10:00:00+1', /no ISO-8601/],
    ['2024-01-01T10:00:61Z', /no ISO-8601/],
    ['2024-01-01T10:00:00[Mars/Olympus]', /no ISO-8601/],
    ['2024-01-01T10:00:00+01:00[Europe/Zurich', /no ISO-8601/],
    [2n ** 60n, /unit: 's', 'us' or 'ns'/],
    [1.7e18, /unit: 's', 'us' or 'ns'/],
    [true, /is true/],
    [{}, /object/],
  ];
  for (const [value, why] of refused) {
    const error = eventTimeOf(value);
    assert.equal(typeof error, 'string', `${String(value)} must be refused`);
    assert.match(error as string, why);
  }
});

test('law: what toISOString writes is read back, for every Date there is', () => {
  fc.assert(
    fc.property(fc.date({ noInvalidDate: true }), (date) => {
      assert.equal(parseIsoInstant(date.toISOString()), date.getTime());
    }),
    { numRuns: 2000 },
  );
});

test('law: a time with any offset is the point in time that Date.parse sees', () => {
  const offset = fc.tuple(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59));
  fc.assert(
    fc.property(
      fc.date({ min: new Date('0001-01-01'), max: new Date('9998-12-31'), noInvalidDate: true }),
      offset,
      (date, [sign, hours, minutes]) => {
        const zone = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
        const text = date.toISOString().replace('Z', zone);
        assert.equal(parseIsoInstant(text), Date.parse(text), text);
      },
    ),
    { numRuns: 1000 },
  );
});

test('a selector names the field that is to blame', () => {
  const timeOf = compileEventTime({ field: 'createdAt' }, new FunctionTable(), 'orders');
  assert.equal(timeOf({ createdAt: 5 }), 5);
  assert.equal(timeOf({}), 'The record has no "createdAt", so it has no event time.');
  assert.match(timeOf({ createdAt: '2024-01-01' }) as string, /^"createdAt" is "2024-01-01"; it names no zone/);
  assert.match(timeOf(null) as string, /The record is null/);
  assert.match(timeOf('text') as string, /The record is "text"/);
});

test('the forms of other tools are points in time', () => {
  const expected = Date.UTC(2024, 0, 1, 10, 0, 0);
  for (const [text, millis] of [
    ['2024-01-01 10:00:00.123456+00', 123],
    ['2024-01-01 10:00:00+00:00', 0],
    ['2024-01-01 11:00:00+0100', 0],
    ['20240101T100000Z', 0],
    ['20240101T100000,5Z', 500],
    ['20240101T1100+01', 0],
    ['20240101T10Z', 0],
    ['2024-01-01T10:00Z', 0],
    ['2024-01-01T10:00:00.999999999Z', 999],
    ['2024-01-01T09:59:60Z', 0],
    ['2024-01-01T11:00:00+01:00[Europe/Berlin]', 0],
    ['2024-01-01T11:00[Europe/Berlin]', 0],
    ['2024-01-01T10:00:00Z[UTC]', 0],
    ['2024-01-01T11:00:00+01:00[!Europe/Zurich][u-ca=gregory]', 0],
    ['2024-01-01T11:00+01:00[GMT+01:00]', 0],
    ['2024-01-01T10:00:00Z[u-ca=gregory]', 0],
    ['2024-01-01T10:34:08+00:34:08', 0],
    ['2024-01-01 10:00:00 UTC', 0],
    ['2024-01-01 05:00:00 -0500', 0],
    ['+002024-01-01T10:00:00Z', 0],
  ] as const)
    assert.equal(eventTimeOf(text), expected + millis, text);
  assert.equal(eventTimeOf('2016-12-31T23:59:60Z'), Date.UTC(2017, 0, 1));
  assert.equal(eventTimeOf('2016-12-31T23:59:60.5Z'), Date.UTC(2017, 0, 1) + 500);
});

test('a text without a zone is local time in the zone of the source, also where clocks are changed', () => {
  const reading = { zone: 'Europe/Zurich' };
  for (const [local, utc] of [
    ['2024-07-01T10:00:00', '2024-07-01T08:00:00Z'],
    ['2024-01-01 10:00', '2024-01-01T09:00:00Z'],
    ['20240101T100000.25', '2024-01-01T09:00:00.25Z'],
    ['2024-01-01', '2023-12-31T23:00:00Z'],
    // It exists twice: the earlier one.
    ['2024-10-27T02:30:00', '2024-10-27T00:30:00Z'],
    ['2024-10-27T03:00:00', '2024-10-27T02:00:00Z'],
    // It does not exist: one hour later.
    ['2024-03-31T02:30:00', '2024-03-31T01:30:00Z'],
    ['2024-03-31T03:00:00', '2024-03-31T01:00:00Z'],
    // A zone in the text counts.
    ['2024-07-01T10:00:00Z', '2024-07-01T10:00:00Z'],
    ['2024-07-01T10:00:00[America/New_York]', '2024-07-01T14:00:00Z'],
  ] as const)
    assert.equal(eventTimeOf(local, reading), Date.parse(utc), local);
});

test('law: the local time of any instant is read back, unless it exists twice', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('Europe/Zurich', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'),
      fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      (name, date) => {
        const zone = zoneOf(name)!;
        const offset = zone.offsetAt(date.getTime());
        const local = new Date(date.getTime() + offset).toISOString().slice(0, -1);
        const read = parseIsoInstant(local, zone)!;
        assert.equal(read + zone.offsetAt(read), date.getTime() + offset);
        assert.ok(read <= date.getTime());
        if (zone.offsetAt(date.getTime() - 90_000_000) === offset) assert.equal(read, date.getTime());
      },
    ),
    { numRuns: 300 },
  );
});

test('numbers have the unit of the source, and bigints too', () => {
  const at = 1_700_000_000_123;
  for (const [unit, values] of [
    ['s', [1_700_000_000.123, '1700000000.123']],
    ['ms', [at, BigInt(at), String(at), at + 0.9]],
    ['us', [at * 1000, BigInt(at) * 1000n + 999n]],
    ['ns', [at * 1e6, BigInt(at) * 1_000_000n, '1700000000123999999']],
  ] as const)
    for (const value of values) assert.equal(eventTimeOf(value, { unit }), at, `${String(value)} ${unit}`);
  assert.equal(eventTimeOf(BigInt(at)), at);
  assert.equal(eventTimeOf(5n, { unit: 's' }), 5000);
  assert.equal(eventTimeOf(-1n, { unit: 'us' }), -1);
  assert.match(eventTimeOf(1e300, { unit: 's' }) as string, /is 1e\+300; a timestamp is epoch seconds within/);
});

test('the first 100 numbers show another unit, which is a warning', () => {
  const timesOf = (unit?: 's') =>
    compileEventTime({ field: 'at' }, new FunctionTable(), 'orders', unit === undefined ? undefined : { unit });
  const noteOf = (values: readonly unknown[], hasEnded = false, unit?: 's'): string | undefined => {
    const timeOf = timesOf(unit);
    for (const at of values) timeOf({ at });
    return timeOf.guess?.note(hasEnded).note;
  };
  const many = <T>(value: T): T[] => Array.from({ length: 200 }, () => value);
  assert.match(
    noteOf(many(1.7e9))!,
    /^The first 100 timestamps of "orders" lie between 10⁹ and 10¹¹, .* Give unit: 's'/,
  );
  assert.match(noteOf(many(1.7e15))!, /above 10¹⁴, .* Give unit: 'us' or 'ns'/);
  assert.match(noteOf(many(17n * 10n ** 17n))!, /above 10¹⁴/);
  assert.match(noteOf([1.7e9], true)!, /^The only timestamp of "orders" lies between/);
  assert.equal(noteOf([1.7e9]), undefined);
  assert.equal(noteOf([1.7e12, ...many(1.7e9)]), undefined);
  assert.equal(noteOf(many(1.7e12)), undefined);
  assert.equal(noteOf([0, 1, 2], true), undefined);
  assert.equal(noteOf(many(1.7e9), true, 's'), undefined);
});
