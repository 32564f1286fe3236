// Notebook files: reading and writing gives the same bytes, and cells in another order stay the
// same.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOutOfPlace } from '../../../cells/lines-out-of-place.ts';
import { identify } from '../../../protocol/cell-identity.ts';
import {
  decodeBytes,
  encode,
  NotebookFileError,
  parseNotebook,
  serializeNotebook,
  type NotebookCell,
} from '../../../protocol/notebook-file.ts';
import { planted, type Plant, type Target } from '../target.ts';

const samples = join(import.meta.dirname, '../../../../samples');

export function notebookTarget(plant?: Plant): Target {
  const parse = (text: string): NotebookCell[] => {
    const cells = parseNotebook(text);
    return plant === 'forgets' && text.includes('%%%') ? cells.slice(1) : cells;
  };
  const files = readdirSync(samples).filter((name) => name.endsWith('.sluice.ts'));
  const small =
    '// %% id=a color=red\nconst a = `x`;\n\n// %% [markdown]\n// # Title\n// \\%% no\n\n// %% [test] lines=1\n`\n';
  return {
    seeds: [...files.map((name) => readFileSync(join(samples, name))), encode(small), encode('')],
    words: [
      ...['// %%', '// %% ', '\n// %%\n', 'lines=', ' lines=2', ' id=', '[markdown]', '[test]', '// ', '//', '\\%%'],
      ...['`', '${', '}', '{', '(', ')', '[', ']', '/', '/*', '*/', "'", '"', '\\', '#!', '<<<<<<< ', '%%%', '//%%'],
    ],
    attempt(input) {
      planted(plant, input);
      let text: string;
      try {
        text = decodeBytes(input);
      } catch (error) {
        if (error instanceof NotebookFileError) return 'rejected';
        throw error;
      }
      const cells = parse(text);
      const saved = JSON.parse(JSON.stringify(cells)) as NotebookCell[];
      // Not compared by `equal`: a message with both texts of half a megabyte helps nobody.
      assert.ok(serializeNotebook(saved) === text, 'What was read is not written as it was.');
      const ids = identify(cells).map(({ id }) => id);
      linesOutOfPlace(cells, ids);
      const moved = saved.toReversed();
      const again = parse(serializeNotebook(moved)).map(essence);
      assert.deepEqual(again, moved.map(essence), 'Cells in another order are not read as they were written.');
      return 'accepted';
    },
  };
}

function essence({ kind, id, text }: NotebookCell): unknown {
  return { kind, id, text };
}
