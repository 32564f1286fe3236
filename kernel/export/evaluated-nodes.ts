// The nodes of the syntax tree that run when a statement is evaluated. The body of a function runs
// when the function is called, or when it is given to a call.
import ts from 'typescript';

/** By checker: after an edit, TypeScript keeps the nodes of files that have not changed. */
const known = new WeakMap<ts.TypeChecker, Map<ts.Node, readonly ts.Node[]>>();

/**
 * All of them, those in functions of the user that are called included, a node before what it
 * contains. Functions of packages are not looked into.
 */
export function evaluatedNodes(root: ts.Node, checker: ts.TypeChecker): readonly ts.Node[] {
  const byRoot = known.get(checker) ?? new Map<ts.Node, readonly ts.Node[]>();
  known.set(checker, byRoot);
  const nodes = byRoot.get(root) ?? foundNodes(root, checker);
  byRoot.set(root, nodes);
  return nodes;
}

function foundNodes(root: ts.Node, checker: ts.TypeChecker): readonly ts.Node[] {
  const found: ts.Node[] = [];
  const called = new Set<ts.Node>();
  const body = (fn: ts.Node): void => {
    if (called.has(fn)) return;
    called.add(fn);
    ts.forEachChild(fn, visit);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return;
    if (ts.isFunctionLike(node)) {
      if (callAround(node)) body(node);
      return;
    }
    found.push(node);
    if (ts.isIdentifier(node)) for (const fn of functionsOf(node, checker)) if (isCalled(node)) body(fn);
    ts.forEachChild(node, visit);
  };
  visit(root);
  return found;
}

/** All nodes that are no types, those in functions included. */
export function* valueNodes(root: ts.Node): Iterable<ts.Node> {
  const waiting = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    yield node;
    ts.forEachChild(node, (child) => {
      if (!ts.isTypeNode(child) || ts.isExpressionWithTypeArguments(child)) waiting.push(child);
    });
  }
}

/** The call of which it is an argument, a member of an argument, or the function itself. */
export function callAround(node: ts.Node): ts.CallExpression | ts.NewExpression | undefined {
  for (let inner = node, outer = node.parent; ; inner = outer, outer = outer.parent) {
    if (ts.isCallExpression(outer) || ts.isNewExpression(outer)) return outer;
    const isPart =
      ts.isParenthesizedExpression(outer) ||
      ts.isObjectLiteralExpression(outer) ||
      ts.isArrayLiteralExpression(outer) ||
      (ts.isPropertyAssignment(outer) && outer.initializer === inner) ||
      ts.isAsExpression(outer) ||
      ts.isSatisfiesExpression(outer);
    if (!isPart) return undefined;
  }
}

/** The name of a function that is called, or given to a call. */
function isCalled(name: ts.Identifier): boolean {
  let node: ts.Node = name;
  while (ts.isPropertyAccessExpression(node.parent)) node = node.parent;
  const { parent } = node;
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) return true;
  return ts.isTaggedTemplateExpression(parent) && parent.tag === node;
}

/** The functions of the user's own files that a name stands for. */
export function functionsOf(name: ts.Identifier, checker: ts.TypeChecker): readonly ts.Node[] {
  let symbol = checker.getSymbolAtLocation(name);
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  return (symbol?.declarations ?? []).flatMap((declaration): ts.Node[] => {
    const { isDeclarationFile } = declaration.getSourceFile();
    if (isDeclarationFile) return [];
    if (ts.isVariableDeclaration(declaration)) {
      const { initializer } = declaration;
      return initializer && ts.isFunctionLike(initializer) ? [initializer] : [];
    }
    return ts.isFunctionLike(declaration) ? [declaration] : [];
  });
}
