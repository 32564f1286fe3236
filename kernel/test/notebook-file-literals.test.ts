// The small scanner of the notebook file against TypeScript's own: the lines that begin inside a
// string, a template or a comment.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import ts from 'typescript';
import { test } from 'vitest';
import { OpenLiteral } from '../protocol/open-literal.ts';

/**
 * For each line: whether TypeScript has its first character inside a literal or comment of an
 * earlier line. undefined: the text has a slash, and only a parser knows its meaning.
 */
function byScanner(text: string): boolean[] | undefined {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, false, ts.LanguageVariant.Standard, text);
  const spans: [number, number][] = [];
  // A template is inside from its first backtick to its last, holes included. An unclosed template
  // reaches to the end.
  const templates: { from: number; braces: number }[] = [];
  const endOfText = text.length + 1;
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    if (kind === ts.SyntaxKind.SlashToken || kind === ts.SyntaxKind.SlashEqualsToken) return undefined;
    const top = templates.at(-1);
    if (kind === ts.SyntaxKind.OpenBraceToken && top) top.braces++;
    else if (kind === ts.SyntaxKind.CloseBraceToken && top && top.braces > 0) top.braces--;
    else if (kind === ts.SyntaxKind.CloseBraceToken && top) {
      kind = scanner.reScanTemplateToken(false);
      if (kind === ts.SyntaxKind.TemplateTail) {
        templates.pop();
        spans.push([top.from, scanner.isUnterminated() ? endOfText : scanner.getTokenEnd()]);
      }
      continue;
    }
    const open = scanner.isUnterminated() && kind !== ts.SyntaxKind.StringLiteral;
    // A string that is never closed still has the first place of its last line.
    const end = open ? endOfText : scanner.getTokenEnd() + (scanner.isUnterminated() ? 1 : 0);
    if (kind === ts.SyntaxKind.TemplateHead) templates.push({ from: scanner.getTokenStart(), braces: 0 });
    else if (
      kind === ts.SyntaxKind.NoSubstitutionTemplateLiteral ||
      kind === ts.SyntaxKind.StringLiteral ||
      kind === ts.SyntaxKind.MultiLineCommentTrivia
    )
      spans.push([scanner.getTokenStart(), end]);
  }
  for (const { from } of templates) spans.push([from, endOfText]);
  return lineStarts(text).map((at) => spans.some(([from, to]) => from < at && at < to));
}

/** The same for a whole program. The parser knows which slashes begin a regular expression. */
function byParser(text: string): boolean[] {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
  const spans: [number, number][] = [];
  const comments = (at: number): void => {
    for (const range of ts.getLeadingCommentRanges(text, at) ?? [])
      if (range.kind === ts.SyntaxKind.MultiLineCommentTrivia) spans.push([range.pos, range.end]);
    for (const range of ts.getTrailingCommentRanges(text, at) ?? [])
      if (range.kind === ts.SyntaxKind.MultiLineCommentTrivia) spans.push([range.pos, range.end]);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTemplateExpression(node) || ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
      spans.push([node.getStart(source), node.end]);
    if (ts.isTemplateLiteralTypeNode(node)) spans.push([node.getStart(source), node.end]);
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    if (children.length === 0) comments(node.pos);
    for (const child of children) visit(child);
  };
  visit(source);
  return lineStarts(text).map((at) => spans.some(([from, to]) => from < at && at < to));
}

const lineStarts = (text: string): number[] => [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
function byOurs(text: string): boolean[] {
  const literal = new OpenLiteral();
  return text.split('\n').map((line) => {
    const inside = literal.inside;
    literal.line(line);
    return inside;
  });
}

const pieces = [
  ...['`', '`', "'", '"', '${', '{', '}', '/*', '*/', '//', '\\', '\n', '\n', '\n', ' '],
  ...['$', '*', 'a', '0', '.', '(', ')', '[', ']', '=', ';', '=>', '\u2028', '\\\n', '%%', '// %% id=x', '!', '++'],
];

test('agrees with the TypeScript scanner on any text without regular expressions', () => {
  const soup = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((all) => all.join(''));
  fc.assert(
    fc.property(soup, (text) => {
      const expected = byScanner(text);
      fc.pre(expected !== undefined);
      fc.pre(!/(^|\n)(<{7}|={7}|>{7}|\|{7})/.test(text));
      // A line after the last line ending has no first character.
      const real = (line: boolean, i: number): boolean => lineStarts(text)[i]! < text.length && line;
      assert.deepEqual(byOurs(text).map(real), expected.map(real));
    }),
    { numRuns: 20_000 },
  );
});

const program = fc.letrec<Record<'expression' | 'statement', string>>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(
      'a',
      '1',
      "'`'",
      '"/*"',
      '/`/',
      "/[/`]\\/'/g",
      '`x\n// %% y\n`',
      "'a\\\n// %%'",
      'this',
      'a.return',
      'a!',
    ),
    fc
      .tuple(tie('expression'), fc.constantFrom('+', ' / ', '/', '&&', '=>', '<', ','), tie('expression'))
      .map(([l, op, r]) =>
        op === '=>' ? `((x) => ${r})` : `${l}${op === '/' && (l.endsWith('/') || r.startsWith('/')) ? ' / ' : op}${r}`,
      ),
    tie('expression').map((e) => `(${e})`),
    tie('expression').map((e) => `\`t${'\n'}\${ ${e} }\n// %% z\``),
    tie('expression')
      .map((e) => `{ k: ${e} }.k`)
      .map((e) => `(${e})`),
    tie('expression').map((e) => `[${e},\n${e}]`),
    tie('statement').map((s) => `(() => {\n${s}\n})`),
    tie('expression').map((e) => `typeof ${e}`),
    tie('expression').map((e) => `a /* c\n// %% */ ? ${e} : b`),
    fc.tuple(tie('expression'), tie('expression')).map(([l, r]) => `f(${l}) / ${r}`),
  ),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('expression').map((e) => `const x = ${e};`),
    tie('expression').map((e) => `if (a) ${/^[{]/.test(e) ? '' : e};`),
    tie('expression').map((e) => `if (a) /\`/.test(${e});`),
    tie('expression').map((e) => `{ a; }\n/'/.test(${e});`),
    tie('expression').map((e) => `// it's \`${e.replace(/\s/g, ' ')}\nreturn ${e};`),
    fc.tuple(tie('statement'), tie('statement')).map(([a, b]) => `${a}\n${b}`),
    tie('statement').map((s) => `for (const y of z) {\n${s}\n}`),
    tie('statement').map((s) => `class C { m() {\n${s}\n} }`),
    tie('expression').map((e) => `switch (a) { case /\`/: ${e}; }`),
  ),
}));

test('agrees with the TypeScript parser on programs with regular expressions', () => {
  fc.assert(
    fc.property(program.statement, (statement) => {
      const text = `function f() {\n${statement}\n}\n`;
      const parsed = ts.createSourceFile('a.ts', text, ts.ScriptTarget.ESNext) as unknown as {
        parseDiagnostics: readonly unknown[];
      };
      fc.pre(parsed.parseDiagnostics.length === 0);
      assert.deepEqual(byOurs(text), byParser(text), text);
    }),
    { numRuns: 1500 },
  );
});

test('agrees with the TypeScript parser on the sources of this project', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const files = ['engine', 'kernel', 'extension'].flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${root}${folder}/${name}`),
  );
  assert.ok(files.length > 10);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    assert.deepEqual(byOurs(text), byParser(text), file);
  }
});
