// What an expression of JavaScript or Node stands for, however it is written: `process.env`,
// `process['env']`, `globalThis.process.env` and `env` of `import { env } from 'node:process'` are
// all "process.env".
import ts from 'typescript';

const globalObjects = new Set(['globalThis', 'global']);

/**
 * The origins of the longest access that begins at this name. A destructured object has one for
 * each name that is taken. Modules are "os.hostname"; what is computed is "process.*". Empty: it is
 * a name of the user's own, or no use of a value.
 */
export function originsAt(name: ts.Identifier, checker: ts.TypeChecker): readonly string[] {
  if (!isValue(name)) return [];
  const root = rootOf(name, checker);
  return root === undefined ? [] : originsFrom(name, root);
}

/** Of `import('node:os')`, `require('node:os')` and `process.getBuiltinModule('node:os')`. */
export function originsOfCall(call: ts.CallExpression): readonly string[] {
  const { expression: callee } = call;
  const last = ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText();
  const loads = callee.kind === ts.SyntaxKind.ImportKeyword || last === 'require' || last === 'getBuiltinModule';
  const [module] = call.arguments;
  return loads && module && ts.isStringLiteralLike(module) ? originsFrom(call, moduleRoot(module.text)) : [];
}

function originsFrom(start: ts.Expression, root: string): readonly string[] {
  const names = root === '' ? [] : root.split('.');
  let node: ts.Node = start;
  for (let { parent } = node; ; node = parent, { parent } = node) {
    if (ts.isPropertyAccessExpression(parent) && parent.expression === node) names.push(parent.name.text);
    else if (ts.isElementAccessExpression(parent) && parent.expression === node) {
      const { argumentExpression: key } = parent;
      names.push(ts.isStringLiteralLike(key) ? key.text : '*');
    } else if (!isSameValue(parent)) break;
  }
  return takenNames(node).map((taken) => originOf([...names, ...taken]));
}
/** The expression has the value of what is inside. */
function isSameValue(node: ts.Node): boolean {
  return (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isAwaitExpression(node)
  );
}
function originOf(names: readonly string[]): string {
  const own = names.filter((name) => name !== 'default' && !globalObjects.has(name));
  return own.length === 0 ? 'globalThis' : own.join('.');
}

/** `const { env, ...rest } = process`: env, and all. One empty list: nothing is destructured. */
function takenNames({ parent }: ts.Node): readonly (readonly string[])[] {
  if (!parent || !ts.isVariableDeclaration(parent) || !ts.isObjectBindingPattern(parent.name)) return [[]];
  return patternNames(parent.name);
}
function patternNames({ elements }: ts.ObjectBindingPattern): readonly (readonly string[])[] {
  return elements.flatMap(({ dotDotDotToken, propertyName, name }) => {
    if (dotDotDotToken) return [[]];
    const key = propertyName ?? name;
    const text = ts.isIdentifier(key) || ts.isStringLiteralLike(key) ? key.text : '*';
    return ts.isObjectBindingPattern(name) ? patternNames(name).map((inner) => [text, ...inner]) : [[text]];
  });
}

/** The global, or the place in a module of Node. undefined: it is of the user or of a package. */
function rootOf(name: ts.Identifier, checker: ts.TypeChecker): string | undefined {
  const symbol = ts.isShorthandPropertyAssignment(name.parent)
    ? checker.getShorthandAssignmentValueSymbol(name.parent)
    : checker.getSymbolAtLocation(name);
  for (const declaration of symbol?.declarations ?? []) {
    const imported = importedBy(declaration);
    if (imported !== undefined) return imported;
    const isAmbient =
      declaration.getSourceFile().isDeclarationFile ||
      (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Ambient) !== 0;
    if (!isAmbient) return undefined;
  }
  return globalObjects.has(name.text) ? '' : name.text;
}
function importedBy(declaration: ts.Declaration): string | undefined {
  for (let node: ts.Node = declaration; node.parent; node = node.parent) {
    if (!ts.isImportDeclaration(node)) continue;
    if (!ts.isStringLiteral(node.moduleSpecifier)) return undefined;
    const root = moduleRoot(node.moduleSpecifier.text);
    return ts.isImportSpecifier(declaration) ? `${root}.${(declaration.propertyName ?? declaration.name).text}` : root;
  }
  return undefined;
}
function moduleRoot(specifier: string): string {
  return specifier.replace(/^node:/, '');
}

/** The name is read as a variable: it is no property's name and declares nothing. */
function isValue(name: ts.Identifier): boolean {
  const { parent } = name;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === name;
  if (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent) || ts.isVariableDeclaration(parent))
    return parent.initializer === name;
  if (ts.isParameter(parent) || ts.isPropertyDeclaration(parent) || ts.isEnumMember(parent))
    return parent.initializer === name;
  const declares =
    ts.isImportSpecifier(parent) ||
    ts.isImportClause(parent) ||
    ts.isNamespaceImport(parent) ||
    ts.isFunctionLike(parent) ||
    ts.isClassLike(parent) ||
    ts.isLabeledStatement(parent);
  return !declares || (ts.isArrowFunction(parent) && parent.body === name);
}
