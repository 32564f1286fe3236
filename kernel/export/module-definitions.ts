// The statements of the user's own modules that stand behind the names of a statement.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { symbolBehind } from '../cells/syntax.ts';
import { valueNodes } from './evaluated-nodes.ts';

/** By checker: after an edit, TypeScript keeps the nodes of files that have not changed. */
const known = new WeakMap<ts.TypeChecker, Map<ts.Node, readonly ts.Statement[]>>();

/**
 * The roots, and the statements of the user's modules that they name, directly or through others.
 */
export function withModules(roots: Iterable<ts.Node>, typed: TypedModule): ReadonlySet<ts.Node> {
  const found = new Set(roots);
  for (const root of found)
    for (const definition of definitionsIn(root, valueNodes(root), typed))
      for (const one of [definition, ...effectsOf(definition.getSourceFile())]) found.add(one);
  return found;
}

/**
 * The top-level statements of the user's modules that declare what these nodes of a statement name.
 * A namespace, and a module that is loaded by import(), stand for all statements of their file.
 */
export function definitionsIn(
  root: ts.Node,
  nodes: Iterable<ts.Node>,
  { checker, source }: TypedModule,
): ReadonlySet<ts.Statement> {
  const found = new Set<ts.Statement>();
  // An import names much that is not used.
  if (ts.isImportDeclaration(root) && root.importClause) return found;
  for (const node of nodes)
    if (ts.isIdentifier(node) || ts.isStringLiteralLike(node))
      for (const statement of definitionsAt(node, checker))
        if (statement.getSourceFile() !== source) found.add(statement);
  return found;
}

function definitionsAt(node: ts.Identifier | ts.StringLiteralLike, checker: ts.TypeChecker): readonly ts.Statement[] {
  const byNode = known.get(checker) ?? new Map<ts.Node, readonly ts.Statement[]>();
  known.set(checker, byNode);
  const statements = byNode.get(node) ?? findDefinitions(node, checker);
  byNode.set(node, statements);
  return statements;
}
function findDefinitions(node: ts.Identifier | ts.StringLiteralLike, checker: ts.TypeChecker): readonly ts.Statement[] {
  if (ts.isStringLiteralLike(node) && !isModule(node)) return [];
  return (symbolBehind(node, checker)?.declarations ?? []).flatMap((declaration): readonly ts.Statement[] => {
    const file = declaration.getSourceFile();
    if (file.isDeclarationFile || (file === node.getSourceFile() && ts.isSourceFile(declaration))) return [];
    if (ts.isSourceFile(declaration)) return isPartOfAccess(node) ? [] : declaration.statements;
    const statement = topLevelOf(declaration);
    return statement ? [statement] : [];
  });
}
/** `config` of `config.token`: the name of the member says which statement it is. */
function isPartOfAccess({ parent }: ts.Node): boolean {
  return ts.isPropertyAccessExpression(parent);
}
/** `import './setup.ts'`, and import('./setup.ts'). */
function isModule({ parent }: ts.Node): boolean {
  if (ts.isImportDeclaration(parent)) return !parent.importClause;
  return ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword;
}
function topLevelOf(declaration: ts.Node): ts.Statement | undefined {
  for (let node = declaration; node.parent; node = node.parent)
    if (ts.isSourceFile(node.parent)) return node as ts.Statement;
  return undefined;
}

/** What runs when the file is loaded and declares nothing: it may change what the file exports. */
function effectsOf(file: ts.SourceFile): readonly ts.Statement[] {
  return file.statements.filter(
    (node) =>
      !ts.isVariableStatement(node) &&
      !ts.isFunctionDeclaration(node) &&
      !ts.isClassDeclaration(node) &&
      !ts.isEnumDeclaration(node) &&
      !(ts.isImportDeclaration(node) && node.importClause) &&
      !ts.isExportDeclaration(node) &&
      !ts.isExportAssignment(node) &&
      !ts.isInterfaceDeclaration(node) &&
      !ts.isTypeAliasDeclaration(node),
  );
}
