// Compiles the text of a helper module into a script that is linked as CommonJS.
// CommonJS gives live bindings and allows circular imports. The script is an async function, so
// `await` works at its top level.
//
//   (async function (exports, require, module, $) { … })
import ts from 'typescript';
import { laterSpecifiers } from './later-modules.ts';
import { annotateLiterals } from './module-transform.ts';
import { specifiersOf } from './relative-modules.ts';

export interface CompiledModule {
  readonly code: string;
  /** Modules that it imports or requires. They are loaded before it runs. */
  readonly specifiers: readonly string[];
  /** Modules beside it that it may import later, by an `import()` with a text. */
  readonly later: readonly string[];
}
export interface ModuleSyntaxError {
  readonly message: string;
  readonly offset: number;
}

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.CommonJS,
  esModuleInterop: true,
  isolatedModules: true,
  removeComments: true,
  sourceMap: true,
  inlineSources: true,
  allowJs: true,
  newLine: ts.NewLineKind.LineFeed,
};

export function compileModule(path: string, text: string): CompiledModule | { readonly error: ModuleSyntaxError } {
  if (path.endsWith('.json')) return { code: jsonModule(text), specifiers: [], later: [] };
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, {
    fileName: /\.[cm]?js$/.test(path) ? 'module.js' : 'module.ts',
    reportDiagnostics: true,
    compilerOptions: {
      ...options,
      // A module that is written as CommonJS keeps its own `module.exports`.
      moduleDetection: isCommonJs(text) ? ts.ModuleDetectionKind.Legacy : ts.ModuleDetectionKind.Force,
    },
    transformers: { before: [annotateLiterals(text)] },
  });
  const error = diagnostics?.find((found) => found.category === ts.DiagnosticCategory.Error);
  if (error !== undefined)
    return { error: { message: ts.flattenDiagnosticMessageText(error.messageText, '\n'), offset: error.start ?? 0 } };
  const body = outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  // Our first line shifts the map by one line. Its encoding for one line is a semicolon.
  const map = JSON.parse(sourceMapText ?? '{}') as { mappings: string };
  const encoded = Buffer.from(JSON.stringify({ ...map, mappings: `;${map.mappings}` })).toString('base64');
  const code = `(async function (exports, require, module, $) {\n${body}\n})\n//# sourceMappingURL=data:application/json;base64,${encoded}`;
  // The specifiers are read from the compiled text, because it contains no imports of types.
  return { code, specifiers: specifiersOf(body), later: laterSpecifiers(text) };
}

const jsonModule = (text: string): string =>
  `(async function (exports, require, module) { module.exports = JSON.parse(${JSON.stringify(text.replace(/^\ufeff/, ''))}); })`;

function isCommonJs(text: string): boolean {
  if (!/\bmodule\s*\.\s*exports\b|\bexports\s*\.\s*\w+\s*=/.test(text)) return false;
  return !ts.isExternalModule(ts.createSourceFile('module.ts', text, ts.ScriptTarget.ESNext));
}
