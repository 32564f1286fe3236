// The work of reading and writing a notebook file grows linearly with the file. It is counted, not
// timed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import ts from 'typescript';
import { afterAll, beforeAll, test } from 'vitest';
import type * as notebookFile from '../protocol/notebook-file.ts';
import { CountedWork } from './counted-work.ts';

let work: CountedWork;
let file: typeof notebookFile;
beforeAll(async () => {
  work = await CountedWork.start('/kernel/protocol/');
  file = await import('../protocol/notebook-file.ts');
});
afterAll(() => work.stop());

/** Read, written, and written again after an edit of every marker and a move of every cell. */
function readAndWrite(text: string): void {
  const cells = file.parseNotebook(file.decodeBytes(file.encode(text)));
  assert.equal(file.serializeNotebook(cells), text);
  const edited = cells
    .toReversed()
    .map((cell, i): notebookFile.NotebookCell => ({ ...cell, id: `e${i}`, kind: 'test' }));
  file.serializeNotebook(edited);
}

/** Twice the size is twice the work. A square is four times the work, n log n 2.2 times. */
async function assertLinear(name: string, make: (n: number) => string): Promise<void> {
  // Divisible by many numbers: `*/*/…` ends inside a comment at every third length only.
  const n = 420;
  const [small, large] = [make(n), make(2 * n)];
  const first = await work.of(() => readAndWrite(small));
  const second = await work.of(() => readAndWrite(large));
  const ratio = second / first / (large.length / small.length);
  assert.ok(ratio < 1.1, `${name}: ${large.length / small.length} times the text is ${second / first} times the work`);
}

const shapes: Readonly<Record<string, (n: number) => string>> = {
  'cells without text': (n) => '// %%\n'.repeat(n),
  'cells with a count': (n) => '// %% lines=0\n'.repeat(n),
  'counts that do not fit': (n) => '// %% lines=99999\nx\n'.repeat(n),
  'counts that all end at the same place': (n) =>
    Array.from({ length: n }, (_, i) => `// %% lines=${n - i}\n`).join(''),
  'counts that all end in the same blank lines': (n) =>
    `${Array.from({ length: n }, (_, i) => `// %% lines=${n - i}\n`).join('')}${'\n'.repeat(n)}x\n`,
  'counts that all end at one long marker': (n) =>
    `${Array.from({ length: n }, (_, i) => `// %% lines=${n - i - 1}\n`).join('')}// %% ${'a'.repeat(20 * n)}\u2028\n`,
  'open templates, then markers': (n) => '`${'.repeat(n) + '\n// %%\n'.repeat(n),
  'open parens, then brackets': (n) => `${'('.repeat(n)}\n${']\n'.repeat(n)}`,
  'open brackets, then parens': (n) => `${'['.repeat(n)}\n${')\n'.repeat(n)}`,
  'open blocks, then a bracket in each': (n) => `${'{('.repeat(n)}\n${']'.repeat(n)}\n`,
  'holes of templates, then braces': (n) => '`${'.repeat(n) + '}'.repeat(n),
  'slashes and classes on one line': (n) => `x = ${'/['.repeat(n)}\n`,
  'slashes and escapes on one line': (n) => `x = ${'/\\'.repeat(n)}\n`,
  'regular expressions on one line': (n) => `x = ${'/[/]/, '.repeat(n)}\n`,
  'comments that line separators end': (n) => '// a\u2028'.repeat(n),
  'comments that paragraph separators end': (n) => '// a\u2029'.repeat(n),
  'block comments': (n) => '/* */'.repeat(n),
  'a marker with many words': (n) => `// %% ${'a=1 '.repeat(n)}\n`,
  'a marker with many ids': (n) => `// %% ${'id=a   '.repeat(n)}\n`,
  'a marker with many kinds and counts': (n) => `// %% ${'[test] lines=1 '.repeat(n)}\n`,
  'a marker with blanks inside': (n) => `// %%${' '.repeat(n)}x\n`,
  'a marker with blanks and tabs at its end': (n) => `// %% id=a${' \t'.repeat(n)}\n`,
  'a marker with quotes that are not closed': (n) => `// %% ${'a="\\'.repeat(n)}\n`,
  'a marker with a long id': (n) => `// %% id=${'a'.repeat(n)}\n`,
  'a marker with a long count': (n) => `// %% lines=${'9'.repeat(n)}\n`,
  'prose without slashes': (n) => `// %% [markdown]\n${'x\n'.repeat(n)}`,
  'prose with backslashes': (n) => `// %% [markdown]\n// ${'\\'.repeat(n)}%%\n`,
  'blank lines before the first marker': (n) => `${'\n'.repeat(n)}// %%\n`,
  'line endings of three kinds': (n) => '\r\r\n\n'.repeat(n),
  'blank lines after returns': (n) => `// %%\r${'\n\r'.repeat(n)}`,
};

for (const [name, make] of Object.entries(shapes))
  test(`twice the text is twice the work: ${name}`, () => assertLinear(name, make));

const piece = fc.constantFrom(
  ...['// %%', '// %% lines=3', ' lines=2', ' id=a', '[markdown]', ' ', '\t', '\n', '\n', '\r', '\r\n', 'x', '%%'],
  ...['`', '${', '}', '{', '(', ')', '[', ']', '/', '*', '\\', '"', "'", '=', '//', '/*', '*/', '\u2028', '// \\%%'],
);
const some = (maxLength: number): fc.Arbitrary<string> =>
  fc.array(piece, { maxLength }).map((pieces) => pieces.join(''));
const repeated = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));

test('twice the repetitions of any text before any other is twice the work', async () => {
  await fc.assert(
    fc.asyncProperty(some(3), repeated, some(3), repeated, some(3), async (start, a, middle, b, end) => {
      const make = (n: number): string => start + a.repeat(n) + middle + b.repeat(n) + end;
      await assertLinear(JSON.stringify([start, a, middle, b, end]), make);
    }),
    { numRuns: Number(process.env['FC_RUNS'] ?? 60) },
  );
});

test('bytes that are not UTF-8 are found in linear work', async () => {
  const refuse = (n: number) => () => {
    const bytes = new Uint8Array(n).fill(0x61);
    bytes[n - 2] = 0xff;
    assert.throws(() => file.decodeBytes(bytes), /around 0xff in line 1\./);
  };
  const decode = Object.getOwnPropertyDescriptor(TextDecoder.prototype, 'decode')!;
  const decodedBytes = (refused: () => void): number => {
    let bytes = 0;
    const counting = function (this: unknown, input: Uint8Array, options: unknown): unknown {
      bytes += input.length;
      return Reflect.apply(decode.value as () => unknown, this, [input, options]);
    };
    Object.defineProperty(TextDecoder.prototype, 'decode', { ...decode, value: counting });
    try {
      refused();
    } finally {
      Object.defineProperty(TextDecoder.prototype, 'decode', decode);
    }
    return bytes;
  };
  const [small, large] = [decodedBytes(refuse(1 << 20)), decodedBytes(refuse(1 << 21))];
  assert.ok(large < 2.1 * small, `${small} and ${large} bytes decoded`);
});

test('a regular expression walks a text once: it is anchored, and repeats without bound in one place', () => {
  for (const name of ['notebook-file', 'marker-line', 'open-literal']) {
    const text = readFileSync(new URL(`../protocol/${name}.ts`, import.meta.url), 'utf8');
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.ESNext);
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const [, body = ''] = /^\/(.*)\/\w*$/.exec(node.text)!;
        const unbounded = body.replace(/\\.|\[(?:[^\]\\]|\\.)*\]/g, 'x').match(/[*+]|,\}/g)?.length ?? 0;
        assert.ok(unbounded === 0 || (unbounded === 1 && body.startsWith('^')), `${name}: ${node.text}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
});

test('the count sees a square in a search of a list and in a look at a growing text', async () => {
  const squares: Readonly<Record<string, (n: number) => void>> = {
    includes: (n) => {
      const list = Array.from({ length: n }, (_, i) => i);
      for (let i = 0; i < n; i++) list.includes(-1);
    },
    endsWith: (n) => {
      for (let i = 0, text = ''; i < n; i++, text += 'a') text.endsWith('b');
    },
  };
  for (const [name, square] of Object.entries(squares)) {
    const [small, large] = [await work.of(() => square(200)), await work.of(() => square(400))];
    assert.ok(large / small > 3, `${name}: ${large / small}`);
  }
});
