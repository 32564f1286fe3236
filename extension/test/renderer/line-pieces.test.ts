// A long line is cut into pieces that together are the same line.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { piecesOf } from '../../renderer/line-pieces.ts';

const line = (points: number, command = 'L'): string =>
  Array.from({ length: points }, (_, x) => `${x === 0 ? 'M' : command}${String(x)},${String((x * 7) % 5)}e-7`).join('');

/** The straight parts of a path: from where to where. */
function parts(path: string): readonly string[] {
  const found: string[] = [];
  let at = '';
  for (const [, command, to = ''] of path.matchAll(/([ML])([^ML]*)/g)) {
    if (command === 'L') found.push(`${at} → ${to}`);
    at = to;
  }
  return found;
}

test('a long line is drawn in pieces, each from the end of the one before it', () => {
  const whole = line(500);
  const pieces = piecesOf(whole);
  assert.equal(pieces.length, 11);
  assert.deepEqual(pieces.flatMap(parts), parts(whole));
  assert.ok(pieces.every((piece) => parts(piece).length <= 48));
});

test('a gap in a line stays a gap', () => {
  const whole = `${line(96)}M200,1L201,2${line(100)}`;
  const pieces = piecesOf(whole);
  assert.ok(pieces.length > 1);
  assert.deepEqual(pieces.flatMap(parts), parts(whole));
});

test('a curve is cut between two of its parts', () => {
  const curve = `M0,0${Array.from({ length: 100 }, (_, x) => `C${String(x)},1,${String(x)},2,${String(x + 1)},0`).join('')}`;
  const pieces = piecesOf(curve);
  assert.equal(pieces.length, 3);
  assert.match(pieces[1]!, /^M47,0C47,1,47,2,48,0C/);
});

test('short, closed and relative paths stay whole', () => {
  for (const path of ['', line(96), `${line(500)}Z`, line(500, 'l'), line(500, 'H')])
    assert.deepEqual(piecesOf(path), [path]);
});
