// The text of a new notebook: a title, and a cell that can run.
import { serializeNotebook } from '../../kernel/protocol/notebook-file.ts';

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
        'export {};',
      ].join('\n'),
      metadata: {},
    },
  ]);
}
