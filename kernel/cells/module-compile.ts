// A helper module's text → a script that is linked as CommonJS: live bindings and circles come with it, and `await` at its top level works because the script is an async function.
//
//   (async function (exports, require, module, $) { … })
import ts from 'typescript';
import { annotateLiterals } from './module-transform.ts';
import { specifiersOf } from './relative-modules.ts';

export interface CompiledModule {
  readonly code: string;
  /** What it imports or requires; loaded before it runs. */
  readonly specifiers: readonly string[];
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
  if (path.endsWith('.json')) return { code: jsonModule(text), specifiers: [] };
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, {
    fileName: /\.[cm]?js$/.test(path) ? 'module.js' : 'module.ts',
    reportDiagnostics: true,
    compilerOptions: {
      ...options,
      // What is written as CommonJS keeps its own `module.exports`.
      moduleDetection: isCommonJs(text) ? ts.ModuleDetectionKind.Legacy : ts.ModuleDetectionKind.Force,
    },
    transformers: { before: [annotateLiterals(text)] },
  });
  const error = diagnostics?.find((found) => found.category === ts.DiagnosticCategory.Error);
  if (error !== undefined)
    return { error: { message: ts.flattenDiagnosticMessageText(error.messageText, '\n'), offset: error.start ?? 0 } };
  const body = outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  // One line of ours comes first: in the map's encoding that is one semicolon.
  const map = JSON.parse(sourceMapText ?? '{}') as { mappings: string };
  const encoded = Buffer.from(JSON.stringify({ ...map, mappings: `;${map.mappings}` })).toString('base64');
  const code = `(async function (exports, require, module, $) {\n${body}\n})\n//# sourceMappingURL=data:application/json;base64,${encoded}`;
  // Of the compiled text: imports of types are gone from it.
  return { code, specifiers: specifiersOf(body) };
}

const jsonModule = (text: string): string =>
  `(async function (exports, require, module) { module.exports = JSON.parse(${JSON.stringify(text.replace(/^\ufeff/, ''))}); })`;

function isCommonJs(text: string): boolean {
  if (!/\bmodule\s*\.\s*exports\b|\bexports\s*\.\s*\w+\s*=/.test(text)) return false;
  return !ts.isExternalModule(ts.createSourceFile('module.ts', text, ts.ScriptTarget.ESNext));
}
