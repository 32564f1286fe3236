// Values that are event times, and the errors for other values.
import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { test } from 'vitest';
import { FunctionTable } from '../../graph/plan.ts';
import { compileEventTime, eventTimeOf } from '../../time/event-time.ts';
import { parseIsoInstant } from '../../time/iso-instant.ts';

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
    ['2024-01-01T10:00:00', /names no zone/],
    ['2024-02-30T10:00:00Z', /no ISO-8601/],
    ['2023-02-29T10:00:00Z', /no ISO-8601/],
    ['2024-13-01T10:00:00Z', /no ISO-8601/],
    ['2024-01-01T24:00:01Z', /no ISO-8601/],
    ['2024-01-01T10:60:00Z', /no ISO-8601/],
    ['2024-01-01T10:00:00Zebra', /no ISO-8601/],
    ['2024-01-01T10:00:00.Z', /no ISO-8601/],
    ['2024-01-01T10:00:00+25:00', /no ISO-8601/],
    ['1700000000000', /no ISO-8601/],
    ['', /no ISO-8601/],
    [5n, /is 5n/],
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
