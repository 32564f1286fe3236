// Compiles a cell's text into a script that an executor evaluates. Only text that cannot run is
// refused.
// Type errors do not stop a cell; the language service reports them.
import vm from 'node:vm';
import ts from 'typescript';
import { cellTransform } from './cell-transform.ts';
import { laterSpecifiers } from './later-modules.ts';
import { Resolver, type Reference, type Resolution } from './resolution.ts';
import { foreignAssignments, scopesOf, type CellScope } from './scope.ts';
import { sourceMapOf } from './source-map.ts';
import { isRelative } from './specifiers.ts';
import { TextLines } from './text-lines.ts';
import type { ModuleCell } from './virtual-module.ts';

export interface CompiledCell {
  readonly id: string;
  /**
   * A script whose value is `async ($: CellRuntime) => exports`. Its source map stands at its end.
   */
  readonly code: string;
  readonly scope: CellScope;
  /** Names of values that the cell exports to other cells. */
  readonly declares: readonly string[];
  /** Names of other cells that it reads. */
  readonly uses: readonly { readonly name: string; readonly cell: string }[];
  /** Specifiers of modules that the cell imports at run time, at once or later. */
  readonly imports: readonly string[];
}

/** Zero-based offset, one-based line and column, in the cell's text. */
export interface CellDiagnostic {
  readonly cell: string;
  readonly code: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
  readonly offset: number;
  readonly length: number;
  readonly line: number;
  readonly column: number;
}

export type Compilation =
  | { readonly ok: true; readonly compiled: CompiledCell; readonly scopes: readonly CellScope[] }
  | { readonly ok: false; readonly diagnostics: readonly CellDiagnostic[] };

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2024,
  module: ts.ModuleKind.ESNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  removeComments: true,
  sourceMap: true,
  inlineSources: true,
  newLine: ts.NewLineKind.LineFeed,
};

/**
 * Compiles the cells of one notebook. It keeps the last resolution, so that unchanged texts are not
 * resolved again.
 */
export class CellCompiler {
  readonly #resolver = new Resolver();

  /**
   * Compiles the first code cell with this id. `cells` holds the other cells too: each with the
   * text that runs, or with the editor's text if it never ran. Prose and test cells may be among
   * them.
   */
  compile(id: string, cells: readonly ModuleCell[]): Compilation {
    const code = cells.filter((cell) => cell.kind === 'code');
    const index = code.findIndex((cell) => cell.id === id);
    if (index < 0) throw new Error(`The notebook has no code cell "${id}".`);
    const cell = code[index]!;
    const syntax = syntaxErrors(cell);
    if (syntax.length > 0) return { ok: false, diagnostics: syntax };
    const resolution = this.#resolver.resolve(code);
    const lines = resolution.module.lines(index);
    const foreign = foreignAssignments(resolution).filter((problem) => problem.cell === index);
    if (foreign.length > 0)
      return {
        ok: false,
        diagnostics: foreign.map(({ offset, length, code, message }) =>
          diagnostic(id, lines, { offset, length, code, message }),
        ),
      };
    const scopes = scopesOf(resolution);
    const compiled = transpile(cell, index, resolution, scopes[index]!);
    const refused = refusedByEngine(compiled, lines);
    return refused ? { ok: false, diagnostics: [refused] } : { ok: true, compiled, scopes };
  }
}

function transpile(cell: ModuleCell, index: number, resolution: Resolution, scope: CellScope): CompiledCell {
  const references = resolution.references.filter(({ at }) => at.cell === index);
  const specifiers = resolution.imports.filter(({ at }) => at.cell === index);
  const valueImports = new Set(
    resolution.references.flatMap(({ declared }) => (declared?.kind === 'import' ? [declared.name] : [])),
  );
  const declares = [...new Set(scope.declares.filter(({ isValue }) => isValue).map(({ name }) => name))];
  const later = laterSpecifiers(cell.text);
  const transform = cellTransform({
    references,
    cell: index,
    uses: scope.uses.map(({ name }) => name),
    declares,
    isForTypes: (offset) => specifiers.some((module) => module.at.offset === offset && module.isForTypes),
    isNeeded: (name) => valueImports.has(name),
    runtime: unusedName(cell.text),
    isCaptured: (reference) => !isFromPackage(reference),
    later,
  });
  const { outputText, sourceMapText } = ts.transpileModule(cell.text, {
    fileName: 'cell.ts',
    compilerOptions: options,
    transformers: { before: [transform], after: [withoutEmptyExport] },
  });
  const code = outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, '');
  const map = Buffer.from(sourceMapText ?? '').toString('base64');
  return {
    id: cell.id,
    code: `${code}//# sourceMappingURL=data:application/json;base64,${map}`,
    scope,
    declares,
    uses: scope.uses.map(({ name, cell }) => ({ name, cell })),
    imports: [...new Set([...specifiers.map(({ specifier }) => specifier), ...later])],
  };
}

function unusedName(text: string): string {
  let name = '$';
  while (text.includes(name)) name = `$${name}_`;
  return /(?<![\w$])\$(?![\w${])/.test(text) ? name : '$';
}

function isFromPackage({ declared }: Reference): boolean {
  return declared?.from !== undefined && !isRelative(declared.from);
}

/** TypeScript adds an empty export to a module without imports. A script must not contain it. */
const withoutEmptyExport: ts.TransformerFactory<ts.SourceFile> = () => (source) =>
  ts.factory.updateSourceFile(
    source,
    source.statements.filter((statement) => !ts.isExportDeclaration(statement)),
  );

// ------------------------------------------------------------------------------------------ errors

export function parseCell(text: string): ts.SourceFile {
  return ts.createSourceFile(
    'cell.ts',
    text,
    {
      languageVersion: ts.ScriptTarget.ESNext,
      setExternalModuleIndicator: (file) => {
        // A cell is part of a module even if it imports nothing, so `await` is a keyword in it.
        (file as { externalModuleIndicator?: ts.Node | true }).externalModuleIndicator = true;
      },
    },
    true,
    ts.ScriptKind.TS,
  );
}

/**
 * Errors of the parser in this cell alone, and statements that only a function body may contain.
 */
export function syntaxErrors(cell: ModuleCell): CellDiagnostic[] {
  const source = parseCell(cell.text);
  const lines = new TextLines(cell.text);
  const { parseDiagnostics } = source as unknown as { parseDiagnostics: readonly ts.DiagnosticWithLocation[] };
  const found = parseDiagnostics.map(({ start, length, messageText }) =>
    diagnostic(cell.id, lines, {
      offset: start,
      length,
      code: 'syntax',
      message: sentence(ts.flattenDiagnosticMessageText(messageText, '\n')),
    }),
  );
  if (found.length > 0) return found;
  const misplaced = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    if (ts.isReturnStatement(node))
      found.push(at(node, 'A cell is not a function, so it cannot return. It shows the value of its last expression.'));
    else if (ts.isImportEqualsDeclaration(node) && !node.isTypeOnly)
      found.push(at(node, '"import … = require(…)" does not work in a cell. Write: import … from "…".'));
    else if (ts.isExportAssignment(node) && node.isExportEquals)
      found.push(at(node, '"export =" does not work in a module. Write: export default ….'));
    else ts.forEachChild(node, misplaced);
  };
  const at = (node: ts.Node, message: string): CellDiagnostic =>
    diagnostic(cell.id, lines, {
      offset: node.getStart(source),
      length: node.getWidth(source),
      code: 'syntax',
      message,
    });
  misplaced(source);
  return found;
}

/**
 * Errors that TypeScript accepts and V8 does not: a name declared twice in a cell, `break` outside
 * a loop.
 */
function refusedByEngine({ id, code }: CompiledCell, lines: TextLines): CellDiagnostic | undefined {
  try {
    new vm.Script(code, { filename: 'cell' });
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The stack begins with "cell:12", then the line itself, then a caret under the place.
    const [where = '', , caret = ''] = (error.stack ?? '').split('\n');
    const place = sourceMapOf(code)?.locate(Number(/:(\d+)$/.exec(where)?.[1] ?? 1), caret.indexOf('^') + 1);
    const twice = /^Identifier '(.+)' has already been declared/.exec(error.message)?.[1];
    return diagnostic(id, lines, {
      offset: place ? lines.offset({ line: place.line - 1, column: place.column - 1 }) : 0,
      length: twice?.length ?? Math.max(1, caret.trim().length),
      code: 'syntax',
      message:
        twice === undefined ? sentence(error.message) : `${twice} is declared twice in this cell. Rename one of them.`,
    });
  }
}
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

export function diagnostic(
  cell: string,
  lines: TextLines,
  at: Pick<CellDiagnostic, 'code' | 'message' | 'offset' | 'length'> & { readonly severity?: 'error' | 'warning' },
): CellDiagnostic {
  const { line, column } = lines.position(at.offset);
  return { cell, severity: 'error', ...at, line: line + 1, column: column + 1 };
}
