// Finds the declaration of each name in the notebook with TypeScript's checker.
// A shadowed name, a property or a type of the same name is another symbol.
//
// The program is one file without libraries and imports, because only binding is needed. A notebook
// of 20 cells takes a few milliseconds.
import ts from 'typescript';
import { assigns, counts } from './assignments.ts';
import { VirtualModule, type CellOffset, type ModuleCell } from './virtual-module.ts';

export type NameKind = 'const' | 'let' | 'var' | 'function' | 'class' | 'enum' | 'namespace' | 'type' | 'import';

/** A name that a cell declares at its top level, where other cells can see it. */
export interface Declared {
  readonly name: string;
  readonly kind: NameKind;
  readonly at: CellOffset;
  /** False for types, which do not exist at run time. */
  readonly isValue: boolean;
  /** For an import: its specifier. */
  readonly from?: string;
}
/** A place where the value of a name is read or written. */
export interface Reference {
  readonly name: string;
  readonly at: CellOffset;
  /** The place of the declaration. It may be local to the cell. */
  readonly declaredAt: CellOffset;
  /** The declaration, if it stands at the top level of a cell. */
  readonly declared?: Declared;
  /** The reference assigns to the variable. */
  readonly isAssignment: boolean;
  /** The reference is inside a function of its cell. */
  readonly isInFunction: boolean;
}
export interface ImportedModule {
  readonly specifier: string;
  readonly at: CellOffset;
  /**
   * `import type`, or all its names are used as types only. Then the module may be missing at run
   * time.
   */
  readonly isForTypes: boolean;
}
export interface Resolution {
  readonly module: VirtualModule;
  readonly source: ts.SourceFile;
  readonly declared: readonly Declared[];
  readonly references: readonly Reference[];
  readonly imports: readonly ImportedModule[];
}

const fileName = '/notebook.ts';
const options: ts.CompilerOptions = {
  noLib: true,
  noResolve: true,
  types: [],
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  skipLibCheck: true,
};

/** Keeps the last notebook and its program, so that unchanged texts are not resolved again. */
export class Resolver {
  #last: Resolution | undefined;
  #program: ts.Program | undefined;

  resolve(cells: readonly ModuleCell[]): Resolution {
    const module = new VirtualModule(cells);
    const last = this.#last;
    if (last?.module.text === module.text && sameShape(last.module.cells, cells)) return last;
    const source = ts.createSourceFile(fileName, module.text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS);
    this.#program = ts.createProgram([fileName], options, hostOf(source), this.#program);
    return (this.#last = readProgram(module, source, this.#program.getTypeChecker()));
  }
}

function sameShape(a: readonly ModuleCell[], b: readonly ModuleCell[]): boolean {
  return a.length === b.length && a.every((cell, i) => cell.id === b[i]!.id && cell.text === b[i]!.text);
}

function hostOf(source: ts.SourceFile): ts.CompilerHost {
  return {
    getSourceFile: (name) => (name === fileName ? source : undefined),
    getDefaultLibFileName: () => '/lib.d.ts',
    writeFile: () => undefined,
    getCurrentDirectory: () => '/',
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    fileExists: (name) => name === fileName,
    readFile: () => undefined,
  };
}

function readProgram(module: VirtualModule, source: ts.SourceFile, checker: ts.TypeChecker): Resolution {
  const declared: Declared[] = [];
  const declaredByNode = new Map<ts.Node, Declared>();
  const declare = (name: ts.Identifier, node: ts.Node, kind: NameKind, isValue: boolean, from?: string): void => {
    const at = module.toCell(name.getStart(source));
    if (at === undefined || name.text === '') return;
    const entry: Declared = { name: name.text, kind, at, isValue, ...(from === undefined ? {} : { from }) };
    declared.push(entry);
    declaredByNode.set(node, entry);
  };
  for (const statement of source.statements) declareStatement(statement, declare);

  const references: Reference[] = [];
  const typeUses = new Set<ts.Node>();
  const valueUses = new Set<ts.Node>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const isValue = isValueReference(node);
      if (!isValue && !isTypeReference(node)) return;
      const declaration = declarationOf(checker, node, isValue);
      if (declaration === undefined) return;
      (isValue ? valueUses : typeUses).add(declaration);
      const at = module.toCell(node.getStart(source));
      const declaredAt = module.toCell(nameStart(declaration, source));
      if (!isValue || at === undefined || declaredAt === undefined) return;
      const entry = declaredByNode.get(declaration);
      references.push({
        name: node.text,
        at,
        declaredAt,
        ...(entry === undefined ? {} : { declared: entry }),
        isAssignment: isAssignmentTarget(node),
        isInFunction: isInFunction(node),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  // A name that is imported without `type` but used only as a type is not loaded at run time.
  const isOnlyType = (node: ts.Node): boolean => typeUses.has(node) && !valueUses.has(node);
  for (const [node, entry] of declaredByNode)
    if (entry.kind === 'import' && entry.isValue && isOnlyType(node))
      declared[declared.indexOf(entry)] = { ...entry, isValue: false };

  const imports: ImportedModule[] = [];
  for (const node of source.statements) {
    if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) continue;
    const at = module.toCell(node.moduleSpecifier.getStart(source));
    if (at === undefined) continue;
    const names = importedNames(node);
    const usedAsType = names.length > 0 && names.every(isOnlyType);
    const isForTypes = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || usedAsType;
    imports.push({ specifier: node.moduleSpecifier.text, at, isForTypes });
  }
  return { module, source, declared, references, imports };
}

// ------------------------------------------------------------------------------------ declarations

type Declare = (name: ts.Identifier, node: ts.Node, kind: NameKind, isValue: boolean, from?: string) => void;

function declareStatement(statement: ts.Statement, declare: Declare): void {
  const ambient = ts.canHaveModifiers(statement) && hasModifier(statement, ts.SyntaxKind.DeclareKeyword);
  if (ts.isVariableStatement(statement)) {
    const kind = variableKind(statement.declarationList);
    for (const declaration of statement.declarationList.declarations)
      declareBinding(declaration.name, (name, node) => declare(name, node, kind, !ambient));
  } else if (ts.isFunctionDeclaration(statement)) {
    if (statement.name && (statement.body !== undefined || ambient))
      declare(statement.name, statement, 'function', !ambient);
  } else if (ts.isClassDeclaration(statement)) {
    if (statement.name) declare(statement.name, statement, 'class', !ambient);
  } else if (ts.isEnumDeclaration(statement)) declare(statement.name, statement, 'enum', !ambient);
  else if (ts.isModuleDeclaration(statement)) {
    if (ts.isIdentifier(statement.name) && statement.name.text !== 'global')
      declare(statement.name, statement, 'namespace', !ambient && hasValues(statement));
  } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement))
    declare(statement.name, statement, 'type', false);
  else if (ts.isImportDeclaration(statement)) {
    const isType = statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    const from = ts.isStringLiteral(statement.moduleSpecifier) ? statement.moduleSpecifier.text : '';
    for (const node of importedNames(statement)) {
      const typeOnly = isType || (ts.isImportSpecifier(node) && node.isTypeOnly);
      if (node.name && ts.isIdentifier(node.name)) declare(node.name, node, 'import', !typeOnly, from);
    }
  } else declareNestedVars(statement, declare);
}

function declareBinding(name: ts.BindingName, declare: (name: ts.Identifier, node: ts.Node) => void): void {
  if (ts.isIdentifier(name)) declare(name, name.parent);
  else for (const element of name.elements) if (ts.isBindingElement(element)) declareBinding(element.name, declare);
}

/** A `var` in a block or a loop belongs to the module. */
function declareNestedVars(node: ts.Node, declare: Declare): void {
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
  if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0)
    for (const declaration of node.declarations)
      declareBinding(declaration.name, (name, binding) => declare(name, binding, 'var', true));
  ts.forEachChild(node, (child) => declareNestedVars(child, declare));
}

function variableKind(list: ts.VariableDeclarationList): NameKind {
  if (list.flags & (ts.NodeFlags.Const | ts.NodeFlags.Using)) return 'const';
  return list.flags & ts.NodeFlags.Let ? 'let' : 'var';
}

function hasValues(node: ts.ModuleDeclaration): boolean {
  const body = node.body;
  if (body === undefined) return false;
  if (ts.isModuleDeclaration(body)) return hasValues(body);
  return (
    ts.isModuleBlock(body) &&
    body.statements.some((inner) => !ts.isInterfaceDeclaration(inner) && !ts.isTypeAliasDeclaration(inner))
  );
}

type ImportBinding = ts.ImportClause | ts.NamespaceImport | ts.ImportSpecifier;
function importedNames(node: ts.ImportDeclaration): ImportBinding[] {
  const clause = node.importClause;
  if (clause === undefined) return [];
  const bindings = clause.namedBindings;
  const named = bindings === undefined ? [] : ts.isNamespaceImport(bindings) ? [bindings] : [...bindings.elements];
  return clause.name ? [clause, ...named] : named;
}

export function hasModifier(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) ?? false);
}

// -------------------------------------------------------------------------------------- references

function declarationOf(checker: ts.TypeChecker, node: ts.Identifier, isValue: boolean): ts.Node | undefined {
  let symbol: ts.Symbol | undefined;
  if (ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node)
    symbol = checker.getShorthandAssignmentValueSymbol(node.parent);
  else if (ts.isExportSpecifier(node.parent)) symbol = checker.getExportSpecifierLocalTargetSymbol(node.parent);
  else symbol = checker.getSymbolAtLocation(node);
  const declarations = symbol?.declarations;
  if (declarations === undefined) return undefined;
  return (isValue ? symbol?.valueDeclaration : undefined) ?? declarations[0];
}

function nameStart(declaration: ts.Node, source: ts.SourceFile): number {
  const name = (declaration as ts.NamedDeclaration).name;
  return (name ?? declaration).getStart(source);
}

/**
 * Whether the identifier stands for the value of a variable, not for a property, a label, a
 * declaration or a type.
 */
function isValueReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPartOfTypeNode(node)) return false;
  if (ts.isExpressionWithTypeArguments(parent) || ts.isExportAssignment(parent)) return true;
  if (ts.isShorthandPropertyAssignment(parent))
    return parent.name === node || parent.objectAssignmentInitializer === node;
  if (ts.isExportSpecifier(parent))
    return (parent.propertyName ?? parent.name) === node && !parent.isTypeOnly && !parent.parent.parent.moduleSpecifier;
  if (ts.isPropertyAccessExpression(parent) || ts.isMetaProperty(parent))
    return 'expression' in parent && parent.expression === node;
  if (ts.isQualifiedName(parent) || ts.isImportSpecifier(parent) || ts.isImportClause(parent)) return false;
  if (ts.isNamespaceImport(parent) || ts.isTypePredicateNode(parent) || ts.isTypeParameterDeclaration(parent))
    return false;
  if (ts.isLabeledStatement(parent) || ts.isBreakOrContinueStatement(parent)) return false;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (isNamed(parent) && parent.name === node) return false;
  if (ts.isTypeNode(parent) || ts.isTypeAliasDeclaration(parent) || ts.isInterfaceDeclaration(parent)) return false;
  return true;
}

/** Whether the name is used as a type or in a `typeof` type. */
function isTypeReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent)) return true;
  if (ts.isQualifiedName(parent)) return parent.left === node;
  return ts.isExpressionWithTypeArguments(parent);
}

function isNamed(node: ts.Node): node is ts.Node & { name: ts.Node } {
  return 'name' in node && node.name !== undefined;
}

function isAssignmentTarget(node: ts.Identifier): boolean {
  let inner: ts.Node = node;
  let outer: ts.Node = node.parent;
  for (;;) {
    if (ts.isBinaryExpression(outer)) return assigns(outer.operatorToken) && outer.left === inner;
    if (ts.isPrefixUnaryExpression(outer) || ts.isPostfixUnaryExpression(outer)) return counts(outer);
    if (ts.isForInStatement(outer) || ts.isForOfStatement(outer)) return outer.initializer === inner;
    const isPattern =
      ts.isArrayLiteralExpression(outer) ||
      ts.isObjectLiteralExpression(outer) ||
      ts.isSpreadElement(outer) ||
      ts.isSpreadAssignment(outer) ||
      ts.isParenthesizedExpression(outer) ||
      ts.isNonNullExpression(outer) ||
      ts.isAsExpression(outer) ||
      ts.isSatisfiesExpression(outer) ||
      (ts.isPropertyAssignment(outer) && outer.initializer === inner) ||
      (ts.isShorthandPropertyAssignment(outer) && outer.name === inner);
    if (!isPattern) return false;
    inner = outer;
    outer = outer.parent;
  }
}

export function isInFunction(node: ts.Node): boolean {
  for (let outer = node.parent as ts.Node | undefined; outer; outer = outer.parent as ts.Node | undefined)
    if (ts.isFunctionLike(outer) || ts.isClassStaticBlockDeclaration(outer)) return true;
  return false;
}
