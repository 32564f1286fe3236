// Asks TypeScript whether rows have a type.
import ts from 'typescript';
import { withTopic } from '../../topics/topics-file.ts';
import type { RowType } from '../../topics/row-type.ts';

export interface TypedRows {
  readonly type: RowType;
  /** Rows that must have the type. */
  readonly rows: readonly unknown[];
}

const options: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  types: [],
};

/** TypeScript's declarations, parsed once. */
const libraries = new Map<string, ts.SourceFile | undefined>();
function library(host: ts.CompilerHost, file: string, language: ts.ScriptTarget): ts.SourceFile | undefined {
  if (!libraries.has(file)) libraries.set(file, host.getSourceFile(file, language));
  return libraries.get(file);
}

/** The errors of rows that do not have the type of their topic; the topic is "t<n>". */
export function refusals(cases: readonly TypedRows[]): string[] {
  let topics: string | undefined;
  for (const [n, { type }] of cases.entries())
    topics = withTopic(topics, 'topics.d.ts', `t${n}`, { type, about: 'Test' });
  const rows = cases.flatMap(({ rows: given }, n) =>
    given.map((row, i) => `const r${n}_${i}: Topics['t${n}'] = ${expression(row)};`),
  );
  const files: Readonly<Record<string, string>> = {
    '/sluice.d.ts': 'export interface Topics {}',
    '/topics.d.ts': topics ?? '',
    '/rows.ts': `import type { Topics } from 'sluice';\n${rows.join('\n')}\nexport {};`,
  };
  const host = ts.createCompilerHost(options);
  const own: ts.CompilerHost = {
    ...host,
    fileExists: (file) => file in files || host.fileExists(file),
    readFile: (file) => files[file] ?? host.readFile(file),
    getSourceFile: (file) =>
      file in files
        ? ts.createSourceFile(file, files[file]!, ts.ScriptTarget.ES2022, true)
        : library(host, file, ts.ScriptTarget.ES2022),
    resolveModuleNameLiterals: (names) =>
      names.map(({ text }) => ({
        resolvedModule:
          text === 'sluice' ? { resolvedFileName: '/sluice.d.ts', extension: ts.Extension.Dts } : undefined,
      })),
  };
  const program = ts.createProgram(['/rows.ts', '/topics.d.ts'], options, own);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const line = file && start !== undefined ? file.text.slice(start).split('\n')[0] : '';
    return `${ts.flattenDiagnosticMessageText(messageText, ' ')} at ${line}`;
  });
}

/** A row as source text. */
function expression(value: unknown): string {
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof Uint8Array) return `Uint8Array.of(${value.join()})`;
  // A bigint is where the type says number: see longNote.
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(expression).join()}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${expression(inner)}`);
  return `{ ${fields.join()} }`;
}
