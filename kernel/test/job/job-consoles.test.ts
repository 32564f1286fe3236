// Lines of cells that a job leaves out are counted once, where they are missing.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { JobConsoles } from '../../job/job-consoles.ts';

const printed = (cell: string, texts: readonly string[], dropped = 0) => ({
  cell,
  lines: texts.map((text) => ({ text })),
  dropped,
});

test('the number of lines that are left out stands before the next line, and at the end', () => {
  const consoles = new JobConsoles();
  assert.deepEqual(consoles.lines(printed('a', ['1', '2'], 3)), ['1', '2']);
  assert.deepEqual(consoles.lines(printed('a', [], 1000)), []);
  assert.deepEqual(consoles.lines(printed('b', ['x'])), ['x']);
  assert.deepEqual(consoles.lines(printed('a', ['3'], 1)), [
    '… 1,003 lines are left out: a cell prints at most 20 lines a second',
    '3',
  ]);
  assert.deepEqual(consoles.rest(), [['a', '… 1 line is left out: a cell prints at most 20 lines a second']]);
  assert.deepEqual(consoles.rest(), []);
});

test('lines and counts together are all that was printed', () => {
  const event = fc.record({
    cell: fc.constantFrom('a', 'b'),
    lines: fc.array(fc.record({ text: fc.constant('line') }), { maxLength: 3 }),
    dropped: fc.nat(5),
  });
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const consoles = new JobConsoles();
      const texts = [...events.flatMap((one) => consoles.lines(one)), ...consoles.rest().map(([, line]) => line)];
      const counted = texts.map((text) => (text === 'line' ? 1 : Number(/^… (\d+) /.exec(text)![1])));
      const wanted = events.reduce((sum, { lines, dropped }) => sum + lines.length + dropped, 0);
      assert.equal(
        counted.reduce((a, b) => a + b, 0),
        wanted,
      );
    }),
  );
});
