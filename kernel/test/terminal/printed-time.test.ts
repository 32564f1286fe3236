// Times in text output carry their offset, so they can be told apart and read back.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { parseIsoInstant } from '../../../engine/time/iso-instant.ts';
import { zoneOf } from '../../../engine/time/zone.ts';
import { timeAsText } from '../../session/reasons.ts';
import { printedTime } from '../../terminal/figures.ts';

const now = Date.parse('2026-05-05T12:00:00Z');

test('an autumn night does not run backwards', () => {
  const hours = ['2024-11-03T05:00:00Z', '2024-11-03T06:00:00Z', '2024-11-03T07:00:00Z'];
  assert.deepEqual(
    hours.map((hour) => printedTime(Date.parse(hour), undefined, 'America/New_York')),
    ['2024-11-03 01:00:00-04:00', '2024-11-03 01:00:00-05:00', '2024-11-03 02:00:00-05:00'],
  );
});

test('a reason does not run backwards in an autumn night, and in UTC its times have no offset', () => {
  const [first, second] = ['2024-11-03T05:30:00Z', '2024-11-03T06:30:00Z'].map((text) => Date.parse(text));
  const text = (time: number, zone: string): string => timeAsText(time, second!, zone);
  assert.equal(text(first!, 'America/New_York'), '01:30:00-04:00');
  assert.equal(text(second!, 'America/New_York'), '01:30:00-05:00');
  assert.equal(text(first!, 'UTC'), '05:30:00');
  assert.equal(text(now, 'Asia/Kolkata'), '2026-05-05 17:30:00+05:30');
});

test('in UTC there is no offset, today has no date in a drawn table, and milliseconds show when there are some', () => {
  assert.equal(printedTime(now, now, 'UTC'), '12:00:00');
  assert.equal(printedTime(now + 5, now, 'Asia/Kolkata'), '17:30:00.005+05:30');
  assert.equal(printedTime(0, now, 'Europe/Zurich'), '1970-01-01 01:00:00+01:00');
  assert.equal(printedTime(now, undefined, 'UTC'), '2026-05-05 12:00:00');
  assert.equal(printedTime(NaN, now), 'Invalid Date');
});

test('law: parse of a printed time is identity', () => {
  const utc = zoneOf('UTC')!;
  fc.assert(
    fc.property(
      fc.constantFrom('UTC', 'Europe/Zurich', 'America/New_York', 'Asia/Kolkata', 'Africa/Monrovia'),
      fc.date({ min: new Date('1800-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
      (zone, date) => {
        const text = printedTime(date.getTime(), undefined, zone);
        assert.equal(parseIsoInstant(text, utc), date.getTime(), text);
      },
    ),
    { numRuns: 300 },
  );
});
