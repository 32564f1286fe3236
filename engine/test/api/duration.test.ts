// Durations in the notations that users write: parsed values and errors.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { parseDuration, parseSignedDuration } from '../../time/duration.ts';

test('each unit has its length in milliseconds', () => {
  const expected = {
    '7ms': 7,
    '0s': 0,
    '1s': 1_000,
    '1.5s': 1_500,
    '4.35s': 4_350,
    '2m': 120_000,
    '0.5h': 1_800_000,
    '1d': 86_400_000,
  };
  for (const [duration, millis] of Object.entries(expected)) assert.equal(parseDuration(duration, 'size'), millis);
});

test('a minus sign is for signed durations only', () => {
  assert.equal(parseSignedDuration('-1.5m', 'offset'), -90_000);
  assert.equal(parseSignedDuration('30s', 'offset'), 30_000);
  assert.ok(Object.is(parseSignedDuration('-0s', 'offset'), 0));
  assert.throws(() => parseDuration('-1m', 'size'), { code: 'bad-duration' });
  assert.throws(() => parseSignedDuration('--1m', 'offset'), { code: 'bad-duration' });
});

test('anything else is one error with the name and the value', () => {
  for (const wrong of [
    '',
    '1',
    's',
    '1 s',
    '1sec',
    '1e3s',
    '.5s',
    '5.s',
    '+1s',
    '1S',
    '1s\n',
    'Infinitys',
    5,
    null,
    {},
    undefined,
  ])
    assert.throws(() => parseDuration(wrong, 'tumbling() size'), {
      code: 'bad-duration',
      message: /^tumbling\(\) size is /,
    });
  assert.throws(() => parseDuration(`${'9'.repeat(400)}d`, 'size'), { code: 'bad-duration' });
});

test('whole milliseconds come out as they went in', () => {
  fc.assert(
    fc.property(fc.nat(1e12), (millis) => {
      assert.equal(parseDuration(`${millis}ms`, 'size'), millis);
      assert.equal(parseDuration(`${(millis / 1000).toFixed(3)}s`, 'size'), millis);
    }),
  );
});
