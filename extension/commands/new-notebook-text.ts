// The text of a new notebook: a title, and a cell that can run.
import { serializeNotebook } from '../../kernel/protocol/notebook-file.ts';

/**
 * The path of a notebook, from the path of the save dialog. The dialog appends its own ending to
 * what the user typed: "orders.ts" is "orders.ts.sluice.ts" there.
 */
export function notebookPath(chosen: string): string {
  return chosen.replace(/(\.sluice|\.ts)*$/, '.sluice.ts');
}

export function newNotebookText(path: string): string {
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .replace(/\.sluice\.ts$/, '')
    .replaceAll(/[-_]+/g, ' ');
  return serializeNotebook([
    { kind: 'markdown', text: `# ${name.charAt(0).toUpperCase()}${name.slice(1)}`, metadata: {} },
    {
      kind: 'code',
      id: 'numbers',
      text: [
        "import { generate } from 'sluice';",
        '',
        'const numbers = generate({ rate: 10 }, ({ n, now, random }) => ({ n, at: now, value: random() }));',
        'numbers.show();',
      ].join('\n'),
      metadata: {},
    },
  ]);
}
