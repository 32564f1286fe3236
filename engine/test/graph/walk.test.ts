// Walks over plans: the nodes above and below a node, in a diamond, over an edge without a source,
// and in a cycle.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { above, below, edgesByReader, edgesByWriter, reached, type Way } from '../../graph/walk.ts';

/** "a>b b>c": edges in this order. */
const edges = (text: string): Way[] =>
  text.split(' ').map((edge) => {
    const [from, to] = edge.split('>') as [string, string];
    return { from, to };
  });
const diamond = edges('source>left source>right left>join right>join join>sink other>sink');

test('above is the node itself and everything it gets records from, nearest first', () => {
  assert.deepEqual([...above(diamond, ['join'])], ['join', 'left', 'right', 'source']);
  assert.deepEqual([...above(diamond, ['source'])], ['source']);
});

test('below is the node itself and everything that gets records from it, nearest first', () => {
  assert.deepEqual([...below(diamond, ['source'])], ['source', 'left', 'right', 'join', 'sink']);
  assert.deepEqual([...below(diamond, ['sink'])], ['sink']);
});

test('several starts are one walk, and each node is reached once', () => {
  assert.deepEqual([...above(diamond, ['left', 'right'])], ['left', 'right', 'source']);
  assert.deepEqual([...below(diamond, [])], []);
});

test('an edge from nowhere leads to its end that is no node', () => {
  assert.deepEqual([...above(edges('>map map>sink'), ['sink'])], ['sink', 'map', '']);
});

test('a walk ends in a circle', () => {
  const circle = edges('a>b b>c c>a');
  assert.deepEqual([...above(circle, ['a'])], ['a', 'c', 'b']);
  assert.deepEqual([...below(circle, ['a'])], ['a', 'b', 'c']);
});

test('a walk goes only where `next` leads', () => {
  const asked: string[] = [];
  const next = (id: string): string[] => {
    asked.push(id);
    return id === 'a' ? ['b', 'c'] : id === 'b' ? ['a', 'c'] : [];
  };
  assert.deepEqual([...reached(['a'], next)], ['a', 'b', 'c']);
  assert.deepEqual(asked, ['a', 'b', 'c']);
});

test('edges by reader and by writer keep the order of the edges', () => {
  assert.deepEqual(
    edgesByReader(diamond)
      .get('join')
      ?.map(({ from }) => from),
    ['left', 'right'],
  );
  assert.deepEqual(
    edgesByWriter(diamond)
      .get('source')
      ?.map(({ to }) => to),
    ['left', 'right'],
  );
});

test('law: one node lies above another exactly when the other lies below it', () => {
  const node = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  fc.assert(
    fc.property(fc.array(fc.record({ from: node, to: node }), { maxLength: 12 }), node, node, (graph, one, other) =>
      assert.equal(above(graph, [one]).has(other), below(graph, [other]).has(one)),
    ),
  );
});
