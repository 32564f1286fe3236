// Cells and values whose names every JavaScript object has: "constructor", "toString", "__proto__".
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Stage } from './stage.ts';

const names = ['constructor', 'toString', 'hasOwnProperty', '__proto__'];

for (const name of names) {
  test(`a cell "${name}" that appears during a compilation is looked up among the cells only`, () => {
    const stage = new Stage();
    stage.document({ b: 'x = ' });
    stage.ready();
    stage.run('b');
    stage.document(
      Object.fromEntries([
        [name, 'x = '],
        ['b', 'x = '],
      ]),
    );
    stage.compiled('b');
    stage.evaluated('b');
    assert.equal(stage.state.runs.find(({ cell }) => cell === 'b')?.status, 'committing');
  });

  test(`a value "${name}" makes its reader stale when it changes`, () => {
    const stage = new Stage();
    stage.document({ a: `${name} = `, b: `y = ${name}` });
    stage.ready();
    stage.runs('a');
    stage.runs('b');
    assert.deepEqual(stage.view('b').stale, []);
    stage.document({ a: `${name} = #2`, b: `y = ${name}` });
    stage.runs('a');
    assert.deepEqual(stage.view('b').stale, [name]);
  });
}
