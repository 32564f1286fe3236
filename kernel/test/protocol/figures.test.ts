// Figures of all clients: SI suffixes and three digits.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { duration, rate, si } from '../../protocol/figures.ts';

test('rates take an SI suffix and three digits', () => {
  const table: readonly [number, string][] = [
    [0, '0/s'],
    [0.3, '0.3/s'],
    [3, '3/s'],
    [9.96, '10.0/s'],
    [412, '412/s'],
    [999.4, '999/s'],
    [999.6, '1.0 k/s'],
    [18_240, '18.2 k/s'],
    [412_000, '412 k/s'],
    [1_204_118, '1.2 M/s'],
  ];
  for (const [value, text] of table) assert.equal(rate(value), text);
});

test('a figure without a unit has the same digits', () => {
  assert.equal(si(0.5), '0.5');
  assert.equal(si(-3_420_000), '-3.4 M');
  assert.equal(si(99.97), '100');
  assert.equal(si(45.23), '45.2');
});

test('a duration has at most two units', () => {
  const table: readonly [number, string][] = [
    [0, '0 s'],
    [400, '0 s'],
    [35_200, '35 s'],
    [60_000, '1 min'],
    [276_000, '4 min 36 s'],
    [3_600_000, '1 h'],
    [3_659_000, '1 h'],
    [5_400_000, '1 h 30 min'],
    [90_061_000, '1 d 1 h'],
  ];
  for (const [millis, text] of table) assert.equal(duration(millis), text);
});
