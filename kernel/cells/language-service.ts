// One TypeScript service over the notebook as one module. Its questions and answers name cells and
// offsets.
import ts from 'typescript';
import type { CompletionData, CompletionKind } from '../protocol/language.ts';
import { asyncCallbacks } from './async-callbacks.ts';
import { diagnostic, syntaxErrors, type CellDiagnostic } from './compile.ts';
import { libraryFiles } from './library-files.ts';
import { NotebookHost } from './notebook-host.ts';
import type { CheckedTypes } from './our-callee.ts';
import { Resolver, type Resolution } from './resolution.ts';
import { cycles, duplicateIds, duplicateNames, foreignAssignments, scopesOf } from './scope.ts';
import { VirtualModule, type CellOffset, type ModuleCell } from './virtual-module.ts';

export interface LanguageServiceOptions {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  /** Folder of TypeScript's `lib.*.d.ts` files. Absent: they are searched in their usual places. */
  readonly libFolder?: string;
}
export interface CellRange {
  readonly cell: number;
  readonly start: number;
  readonly end: number;
}
export interface CompletionItem {
  readonly name: string;
  readonly kind: CompletionKind;
  readonly sortText: string;
  readonly insertText?: string | undefined;
  readonly range?: CellRange | undefined;
  readonly from?: string;
  readonly data: CompletionData;
}
export interface ItemDetails {
  readonly detail: string;
  readonly documentation: string;
  readonly edits: readonly (CellRange & { readonly newText: string })[];
}
export interface HoverText {
  readonly range: CellRange;
  readonly display: string;
  readonly documentation: string;
}
/** The notebook as TypeScript's checker sees it. Offsets are those of the module. */
export interface TypedModule extends CheckedTypes {
  readonly module: VirtualModule;
  readonly source: ts.SourceFile;
  readonly resolution: Resolution;
}
export type DefinitionPlace = CellRange | { readonly file: string; readonly start: number; readonly end: number };

const preferences: ts.UserPreferences = {
  includeCompletionsWithInsertText: true,
  includeCompletionsWithSnippetText: false,
  includeCompletionsForModuleExports: false,
  quotePreference: 'single',
};

/** All notebooks share parsed files, so TypeScript's declarations are parsed once. */
const registry = ts.createDocumentRegistry();

export class NotebookLanguageService {
  readonly #host: NotebookHost;
  readonly #service: ts.LanguageService;
  readonly #resolver = new Resolver();
  #module = new VirtualModule([]);
  #browser: ReadonlySet<string> | undefined;

  constructor({ notebook, libFolder }: LanguageServiceOptions) {
    this.#host = new NotebookHost(notebook, libraryFiles(libFolder));
    this.#service = ts.createLanguageService(this.#host, registry);
  }

  update(cells: readonly ModuleCell[]): void {
    this.#module = new VirtualModule(cells);
    this.#host.setText(this.#module.text);
  }
  get module(): VirtualModule {
    return this.#module;
  }
  dispose(): void {
    this.#service.dispose();
  }

  // ----------------------------------------------------------------------------------- completions

  completions(at: CellOffset, trigger?: string): CompletionItem[] {
    const offset = this.#module.toModule(at);
    const triggerCharacter = trigger as ts.CompletionsTriggerCharacter | undefined;
    const found = this.#service.getCompletionsAtPosition(this.#file, offset, {
      ...preferences,
      ...(triggerCharacter === undefined ? {} : { triggerCharacter }),
    });
    if (found === undefined) return [];
    // TypeScript calls few places global. The list contains `globalThis` at every place where a
    // name can stand.
    const isName = found.entries.some(({ name }) => name === 'globalThis');
    const items = found.entries
      .filter((entry) => !isName || this.#isOffered(entry))
      .map((entry): CompletionItem => {
        const span = entry.replacementSpan ?? found.optionalReplacementSpan;
        return {
          name: entry.name,
          kind: kindOf(entry.kind),
          sortText: entry.sortText,
          insertText: entry.insertText,
          range: span && this.#range(span),
          data: { name: entry.name },
        };
      });
    return isName ? [...items, ...this.#importable(new Set(items.map((item) => item.name)))] : items;
  }

  /**
   * The browser's declarations are loaded for the globals that Node shares with browsers. Other
   * browser globals are not offered.
   */
  #isOffered(entry: ts.CompletionEntry): boolean {
    if (!/^z?15$/.test(entry.sortText) || entry.kind === ts.ScriptElementKind.keyword) return true;
    return entry.name in globalThis || !this.#browserNames().has(entry.name);
  }

  #browserNames(): ReadonlySet<string> {
    const file = this.#service.getProgram()?.getSourceFile(this.#host.browserFile);
    if (this.#browser === undefined && file !== undefined) this.#browser = new Set(topLevelNames(file));
    return this.#browser ?? new Set();
  }

  /** Exports of `sluice` that the notebook has not imported. */
  #importable(known: ReadonlySet<string>): CompletionItem[] {
    return this.#exportsOfSluice()
      .filter(({ name }) => !known.has(name))
      .map(({ name, flags }) => ({
        name,
        kind: flags & ts.SymbolFlags.Function ? 'function' : flags & ts.SymbolFlags.Value ? 'constant' : 'interface',
        sortText: `16${name}`,
        from: 'sluice',
        data: { name, importFrom: 'sluice' },
      }));
  }
  #exportsOfSluice(): readonly ts.Symbol[] {
    const program = this.#service.getProgram();
    const file = program?.getSourceFile(this.#host.libraries.sluice);
    const symbol = file && program!.getTypeChecker().getSymbolAtLocation(file);
    return symbol ? program!.getTypeChecker().getExportsOfModule(symbol) : [];
  }

  details(at: CellOffset, { name, importFrom }: CompletionData): ItemDetails | undefined {
    const program = this.#service.getProgram();
    if (importFrom !== undefined) {
      const symbol = this.#exportsOfSluice().find((candidate) => candidate.name === name);
      if (symbol === undefined || program === undefined) return undefined;
      const checker = program.getTypeChecker();
      const documentation = ts.displayPartsToString(symbol.getDocumentationComment(checker));
      return {
        detail: `import ${name} from '${importFrom}'`,
        documentation,
        edits: [this.#importEdit(at, name, importFrom)],
      };
    }
    const offset = this.#module.toModule(at);
    const details = this.#service.getCompletionEntryDetails(
      this.#file,
      offset,
      name,
      {},
      undefined,
      preferences,
      undefined,
    );
    return (
      details && {
        detail: ts.displayPartsToString(details.displayParts),
        documentation: markdown(details.documentation, details.tags),
        edits: [],
      }
    );
  }

  /**
   * Adds the name to an import of that module in the same cell, or adds an import at the top of the
   * cell. An edit in one cell must not change another cell.
   */
  #importEdit(at: CellOffset, name: string, from: string): CellRange & { newText: string } {
    for (const statement of this.#source()?.statements ?? []) {
      if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
      const bindings = statement.importClause?.namedBindings;
      const isType = statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      if (statement.moduleSpecifier.text !== from || isType || !bindings || !ts.isNamedImports(bindings)) continue;
      const after = bindings.elements.at(-1)?.end ?? bindings.getStart() + 1;
      const place = this.#module.toCell(after);
      const newText = bindings.elements.length === 0 ? ` ${name} ` : `, ${name}`;
      if (place?.cell === at.cell) return { cell: place.cell, start: place.offset, end: place.offset, newText };
    }
    const eol = /\r\n/.test(this.#module.cells[at.cell]!.text) ? '\r\n' : '\n';
    return { cell: at.cell, start: 0, end: 0, newText: `import { ${name} } from '${from}';${eol}` };
  }

  // ------------------------------------------------------------------ hover, signature, definition

  hover(at: CellOffset): HoverText | undefined {
    const info = this.#service.getQuickInfoAtPosition(this.#file, this.#module.toModule(at));
    const range = info && this.#range(info.textSpan);
    if (info === undefined || range === undefined) return undefined;
    return {
      range,
      display: ts.displayPartsToString(info.displayParts),
      documentation: markdown(info.documentation, info.tags),
    };
  }

  signature(at: CellOffset): ts.SignatureHelpItems | undefined {
    return this.#service.getSignatureHelpItems(this.#file, this.#module.toModule(at), undefined);
  }

  definition(at: CellOffset): DefinitionPlace[] {
    const found = this.#service.getDefinitionAtPosition(this.#file, this.#module.toModule(at)) ?? [];
    return found.flatMap(({ fileName, textSpan }): DefinitionPlace[] => {
      if (fileName !== this.#file)
        return [{ file: fileName, start: textSpan.start, end: textSpan.start + textSpan.length }];
      const range = this.#range(textSpan);
      return range ? [range] : [];
    });
  }

  /** Text of a file that contains a definition. */
  textOf(file: string): string {
    return this.#service.getProgram()?.getSourceFile(file)?.text ?? this.#host.readFile(file) ?? '';
  }

  // ----------------------------------------------------------------------------------- diagnostics

  /**
   * One list for each cell, in document order. Errors keep a cell from running; problems of types
   * are warnings.
   */
  diagnostics(): CellDiagnostic[][] {
    const result = this.#module.cells.map((): CellDiagnostic[] => []);
    const resolution = this.#resolver.resolve(this.#module.cells);
    const broken = new Set<number>();
    for (const [i, cell] of this.#module.cells.entries()) {
      if (cell.kind === 'markdown') continue;
      const errors = syntaxErrors(cell);
      if (errors.length > 0) broken.add(i);
      result[i]!.push(...errors);
    }
    const problems = [
      ...duplicateNames(resolution),
      ...duplicateIds(resolution),
      ...cycles(scopesOf(resolution)),
      ...foreignAssignments(resolution),
    ];
    for (const { cell, code, offset, length, message } of problems)
      result[cell]!.push(
        diagnostic(this.#module.cells[cell]!.id, this.#module.lines(cell), { code, offset, length, message }),
      );
    const inCircle = new Set(problems.flatMap(({ members = [] }) => members));
    for (const found of this.#service.getSemanticDiagnostics(this.#file)) {
      const range = found.start === undefined ? undefined : this.#module.rangeToCell(found.start, found.length ?? 0);
      if (range === undefined || broken.has(range.cell)) continue;
      if (isAboutModuleForm(found.code, range, resolution)) continue;
      if (circleCodes.has(found.code) && inCircle.has(range.cell)) continue;
      const lines = this.#module.lines(range.cell);
      result[range.cell]!.push(
        diagnostic(this.#module.cells[range.cell]!.id, lines, {
          offset: range.start,
          length: range.end - range.start,
          code: `ts${found.code}`,
          message: ts.flattenDiagnosticMessageText(found.messageText, '\n'),
          severity: 'warning',
        }),
      );
    }
    this.#addAsyncCallbacks(result, broken);
    return result;
  }
  /** Of the cells of the last update. */
  typed(): TypedModule {
    const program = this.#service.getProgram();
    const source = program?.getSourceFile(this.#file);
    if (!program || !source) throw new Error('TypeScript has no program of this notebook.');
    return {
      module: this.#module,
      source,
      resolution: this.#resolver.resolve(this.#module.cells),
      checker: program.getTypeChecker(),
      isOurs: (file) => file === this.#host.libraries.sluice,
    };
  }
  #addAsyncCallbacks(result: CellDiagnostic[][], broken: ReadonlySet<number>): void {
    const typed = this.typed();
    for (const { start, length, message } of asyncCallbacks(typed.source, typed)) {
      const range = this.#module.rangeToCell(start, length);
      if (range === undefined || broken.has(range.cell)) continue;
      const place = { offset: range.start, length: range.end - range.start, code: 'gave-promise', message };
      const { id } = this.#module.cells[range.cell]!;
      result[range.cell]!.push({ ...diagnostic(id, this.#module.lines(range.cell), place), severity: 'warning' });
    }
  }

  get #file(): string {
    return this.#host.notebook;
  }
  #source(): ts.SourceFile | undefined {
    return this.#service.getProgram()?.getSourceFile(this.#file);
  }
  #range(span: ts.TextSpan): CellRange | undefined {
    return this.#module.rangeToCell(span.start, span.length);
  }
}

/** Declared twice. Our own error replaces it and names the cells. */
const duplicateCodes = new Set([2300, 2393, 2395, 2440, 2451, 2567]);
/**
 * Used before its definition. Cells run in any order; `sluice check` reports it, because order
 * counts there.
 */
const orderCodes = new Set([2448, 2449, 2450, 2454]);
/** Assigned to a variable of another cell. Our own error replaces it. */
const assignmentCodes = new Set([2588, 2632]);

/** Its type depends on itself. Our own error about the circle of cells replaces it. */
const circleCodes = new Set([7022, 7023, 7024]);

function isAboutModuleForm(code: number, { cell, start }: CellRange, resolution: Resolution): boolean {
  const isHere = (at: CellOffset): boolean => at.cell === cell && at.offset === start;
  if (duplicateCodes.has(code)) {
    const name = resolution.declared.find((declared) => isHere(declared.at))?.name;
    return resolution.declared.some((declared) => declared.name === name && declared.at.cell !== cell);
  }
  if (orderCodes.has(code) || assignmentCodes.has(code))
    return resolution.references.some(({ at, declaredAt }) => isHere(at) && declaredAt.cell !== cell);
  return false;
}

function topLevelNames(file: ts.SourceFile): string[] {
  return file.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => (ts.isIdentifier(name) ? name.text : ''));
    const { name } = statement as ts.Statement & { readonly name?: ts.Node };
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
  });
}

function kindOf(kind: ts.ScriptElementKind): CompletionKind {
  switch (kind) {
    case ts.ScriptElementKind.constElement:
    case ts.ScriptElementKind.alias:
      return 'constant';
    case ts.ScriptElementKind.functionElement:
    case ts.ScriptElementKind.localFunctionElement:
      return 'function';
    case ts.ScriptElementKind.memberFunctionElement:
    case ts.ScriptElementKind.callSignatureElement:
      return 'method';
    case ts.ScriptElementKind.memberVariableElement:
    case ts.ScriptElementKind.memberGetAccessorElement:
    case ts.ScriptElementKind.memberSetAccessorElement:
      return 'property';
    case ts.ScriptElementKind.classElement:
    case ts.ScriptElementKind.localClassElement:
      return 'class';
    case ts.ScriptElementKind.interfaceElement:
      return 'interface';
    case ts.ScriptElementKind.typeElement:
    case ts.ScriptElementKind.typeParameterElement:
    case ts.ScriptElementKind.primitiveType:
      return 'type';
    case ts.ScriptElementKind.enumElement:
      return 'enum';
    case ts.ScriptElementKind.enumMemberElement:
      return 'enum-member';
    case ts.ScriptElementKind.moduleElement:
    case ts.ScriptElementKind.externalModuleName:
      return 'module';
    case ts.ScriptElementKind.keyword:
      return 'keyword';
    case ts.ScriptElementKind.string:
      return 'text';
    case ts.ScriptElementKind.scriptElement:
    case ts.ScriptElementKind.directory:
      return 'file';
    default:
      return 'variable';
  }
}

function markdown(documentation: ts.SymbolDisplayPart[] | undefined, tags: ts.JSDocTagInfo[] | undefined): string {
  const lines = (tags ?? []).map(({ name, text }) => `*@${name}* ${ts.displayPartsToString(text)}`.trim());
  return [ts.displayPartsToString(documentation), ...lines].filter((line) => line !== '').join('\n\n');
}
