// The path and the first text of a new notebook.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { newNotebookText, notebookPath } from '../../commands/new-notebook-text.ts';

test('a new notebook has one ending, whatever was typed and whatever the dialog appended', () => {
  for (const [chosen, path] of [
    ['/w/orders', '/w/orders.sluice.ts'],
    ['/w/orders.ts', '/w/orders.sluice.ts'],
    ['/w/orders.sluice', '/w/orders.sluice.ts'],
    ['/w/orders.sluice.ts', '/w/orders.sluice.ts'],
    ['/w/orders.ts.sluice.ts', '/w/orders.sluice.ts'],
    ['/w/orders.sluice.ts.sluice.ts', '/w/orders.sluice.ts'],
    ['/w/v1.2', '/w/v1.2.sluice.ts'],
    ['/w.ts/orders', '/w.ts/orders.sluice.ts'],
  ])
    assert.equal(notebookPath(chosen!), path);
});

test('the starter has a title and one cell without unexplained lines', () => {
  const text = newNotebookText('/w/late-orders.sluice.ts');
  assert.match(text, /^\/\/ %% \[markdown\]\n\/\/ # Late orders\n/);
  assert.match(text, /import \{ generate \} from 'sluice';\n\nconst numbers = .*\nnumbers\.show\(\);\n$/);
});
