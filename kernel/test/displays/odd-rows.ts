// Rows that are hard to draw, among good ones, in a real session: what a table, a chart and the
// cell beside them must still show. The same in VS Code, on the served page and in a terminal.

const rows = `const inside = (levels: number): unknown => { let value: unknown = 'inside'; for (let level = 0; level < levels; level++) value = { v: value }; return value; };
const odd: unknown[] = [
  { n: 1, v: 1 },
  null,
  { n: 2, v: { toString: 1, valueOf: 1 } },
  { n: 3, v: new Date(NaN) },
  { n: 4, v: { $bigint: 'x' } },
  JSON.parse('{"n":5,"v":{"__proto__":{"a":1}},"__proto__":2,"constructor":3}'),
  { n: 6, v: () => 1 },
  { n: 7, v: inside(450) },
  { n: 8, v: 'x'.repeat(200_000) },
  { n: 9, v: Number.NaN },
  { n: 10, v: 10n ** 30n },
  'a text',
  { n: 11, v: '\\x1b[31m<img src=x onerror=alert(1)>' },
  [[], {}],
  { n: 12, v: 2 },
];`;

/** Cell → its text. */
export const oddCells: Readonly<Record<string, string>> = {
  table: `import { from } from 'sluice';\n${rows}\nfrom(odd).show();`,
  chart: "from(odd).chart({ mark: 'point', x: 'n', y: 'v' });",
  good: 'from([{ word: "first" }, { word: "last" }]).show();',
};
export const oddNotebook = Object.entries(oddCells)
  .map(([id, text]) => `// %% id=${id}\n${text}\n`)
  .join('\n');

/** The one row that cannot leave its thread is left out, and named. */
export const leftOut = /v is the function v/;
/** Of the others, the `n` of those that have one. */
export const shownNumbers = [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12];
