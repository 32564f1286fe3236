// The titles of a cell's displays, and the labels of their streams.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { DisplaySpec } from '../../../engine/api/fragment.ts';
import { layoutOf } from '../../displays/layout.ts';
import type { Export } from '../../executor/executor-protocol.ts';
import { labelsOf } from '../../live/displayed.ts';

const from = (node: string) => ({ node, port: 'out' });
const table = (node: string): DisplaySpec => ({ kind: 'table', rows: 100, from: from(node) });
const chart = (node: string, mark: object): DisplaySpec => ({
  kind: 'chart',
  from: from(node),
  mark: { x: 'at', y: 'n', ...mark },
});
const vega = (node: string, spec: object): DisplaySpec => ({
  kind: 'chart',
  from: from(node),
  vega: { encoding: {}, ...spec },
});
const titlesOf = (parts: readonly DisplaySpec[], exports: readonly Export[] = []): unknown[] =>
  layoutOf({ displayed: { parts }, exports }).map((layout) => ('title' in layout ? layout.title : layout.kind));

test('equal labels are numbered in the order of the displays, others stay as they are', () => {
  const parts = [table('a/_/map#1'), table('a/_/filter#1'), { kind: 'lag' } as const, table('a/_/map#2')];
  assert.deepEqual(labelsOf(parts), ['map#1', 'filter', undefined, 'map#2']);
  assert.deepEqual(titlesOf(parts), ['map#1', 'filter', 'lag', 'map#2']);
});

test('a stream has the name of the variable that holds it', () => {
  const exports: Export[] = [{ kind: 'stream', name: 'totals', endpoint: from('mine') }];
  assert.deepEqual(titlesOf([table('mine'), table('a/counts/map#1')], exports), ['totals', 'counts']);
});

test('charts with equal axes name their streams; a title that was given stays', () => {
  const parts = [
    chart('a/_/map#1', {}),
    chart('a/_/map#2', {}),
    chart('a/_/map#3', { color: 'k' }),
    chart('a/_/map#4', { title: 'mine' }),
    chart('a/_/map#5', { title: 'mine' }),
  ];
  assert.deepEqual(titlesOf(parts), ['n · map#1', 'n · map#2', 'n by k', 'mine', 'mine']);
});

test('a table beside a chart of its stream needs no number, beside an untitled spec it does', () => {
  assert.deepEqual(titlesOf([table('a/one/from#1'), chart('a/one/from#1', {})]), ['one', 'n']);
  assert.deepEqual(titlesOf([table('a/one/from#1'), vega('a/one/from#1', {})]), ['one#1', 'one#2']);
  assert.deepEqual(titlesOf([table('a/one/from#1'), vega('a/one/from#1', { title: 'all' })]), ['one', 'all']);
});

test('the value of the last expression is below the displays', () => {
  const layouts = layoutOf({ displayed: { parts: [table('a/one/from#1')], value: { text: '2' } } });
  assert.deepEqual(
    layouts.map(({ kind }) => kind),
    ['table', 'value'],
  );
});
