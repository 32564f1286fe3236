// Figures for people: SI suffixes, rates, times in the zone of the user.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  aligned,
  clock,
  count,
  figure,
  moment,
  number,
  percent,
  perSecond,
  rowCount,
  span,
  utc,
} from '../../renderer/format.ts';

test('counts are grouped and small rates keep a decimal', () => {
  assert.equal(count(188_204), '188,204');
  assert.equal(perSecond(18_240.4), '18,240');
  assert.equal(perSecond(0.3), '0.3');
  assert.equal(perSecond(0), '0');
});

test('a share above zero is never shown as 0 %', () => {
  assert.equal(percent(0), '0 %');
  assert.equal(percent(0.001), '<1 %');
  assert.equal(percent(0.224), '22 %');
  assert.equal(percent(1), '100 %');
});

test('the last value of a series is as exact as a glance needs', () => {
  assert.equal(figure(1_204), '1,204');
  assert.equal(figure(41.2), '41.2');
  assert.equal(figure(0.041234), '0.0412');
  assert.equal(figure(-3_420_000), '-3.4 M');
  assert.equal(figure(Number.NaN), 'NaN');
});

test('a label is short, and the value that the pointer shows is whole', () => {
  for (const [value, label, whole] of [
    [3_420_123, '3.4 M', '3,420,123'],
    [41.123456, '41.12', '41.123456'],
    [0.0412345, '0.0412', '0.0412345'],
    [1_204, '1,204', '1,204'],
  ] as const)
    assert.deepEqual([figure(value), number(value)], [label, whole]);
});

test('a time of today is a clock time, another contains its day, and the ends of time are words', () => {
  const now = new Date(2024, 4, 6, 12, 4, 12, 512).getTime();
  assert.equal(moment(now, now), '12:04:12');
  assert.equal(moment(now, now, true), '12:04:12.512');
  assert.equal(moment(now, now + 86_400_000), '2024-05-06 12:04:12');
  assert.equal(moment(8.64e15, now), 'the end of time');
  assert.equal(moment(-Infinity, now), 'the beginning of time');
  assert.equal(clock(now), '12:04:12');
});

test('the same instant in UTC is beside every time', () => {
  assert.equal(utc(Date.UTC(2024, 0, 1, 12, 4, 12, 512)), '2024-01-01 12:04:12.512 UTC');
  assert.equal(utc(Date.UTC(2024, 0, 1)), '2024-01-01 00:00:00 UTC');
  assert.equal(utc(Infinity), '');
});

test('spans are shown in their largest whole unit', () => {
  assert.equal(span(300_000), '5 min');
  assert.equal(span(5_400_000), '90 min');
  assert.equal(span(7_200_000), '2 h');
  assert.equal(span(1_500), '1.5 s');
});

test('a number of a row is grouped, and keeps six decimals or six digits', () => {
  const texts = [0, 7, 12_040, -1_204.5, 0.1 + 0.2, 1e-9, 1e21, 2 ** 53, NaN].map(number);
  assert.deepEqual(texts, ['0', '7', '12,040', '-1,204.5', '0.3', '1e-9', '1e+21', '9,007,199,254,740,992', 'NaN']);
  assert.equal(number(9_007_199_254_740_993n), '9,007,199,254,740,993');
  assert.deepEqual([aligned(812, 1), aligned(1e-9, 6), aligned(-1_204.5, 2)], ['812.0', '1e-9', '-1,204.50']);
});

test('one row is a row', () => {
  assert.deepEqual([0, 1, 1_204].map(rowCount), ['0 rows', '1 row', '1,204 rows']);
});
