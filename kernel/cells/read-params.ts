// The names of the parameters that the cells of a notebook read: param('minutes', 5). The modules
// of the user's own that cells import are read too.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';
import { closestName } from '../../engine/errors/closest-name.ts';

/** The problem of the first given parameter that no cell reads. `folder` is the notebook's. */
export function unreadParam(given: readonly string[], cells: readonly string[], folder: string): string | undefined {
  if (given.length === 0) return undefined;
  const read = readParams(cells, folder);
  const unread = read && given.find((name) => !read.has(name));
  if (read === undefined || unread === undefined) return undefined;
  const closest = closestName(unread, [...read]);
  const known = read.size === 0 ? 'No cell reads any.' : `The cells read ${[...read].join(', ')}.`;
  return `No cell reads the parameter "${unread}". ${closest === undefined ? known : `Closest: "${closest}".`}`;
}

/**
 * undefined: they cannot be known from the texts, because a name or a module is computed, a module
 * cannot be read, or `param` is used as a value.
 */
export function readParams(cells: readonly string[], folder: string): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  const files = cells.map((text) => ({ tree: treeOf(text), folder }));
  const paths = new Set<string>();
  // Modules are added on the way.
  for (const file of files)
    for (const specifier of modulesOf(file.tree)) {
      if (specifier === undefined || /^(?:#|file:)/.test(specifier)) return undefined;
      if (!/^[./]/.test(specifier) || specifier.endsWith('.json')) continue;
      const found = readModule(resolve(file.folder, specifier));
      if (!found) return undefined;
      if (!paths.has(found.path)) files.push({ tree: treeOf(found.text), folder: dirname(found.path) });
      paths.add(found.path);
    }
  // A cell sees the names that another cell imports.
  const aliases = new Set(['param', ...files.flatMap(({ tree }) => [...aliasesOf(tree)])]);
  for (const { tree } of files)
    for (const name of readsOf(tree, aliases)) {
      if (name === undefined) return undefined;
      names.add(name);
    }
  return names;
}

function treeOf(text: string): ts.SourceFile {
  return ts.createSourceFile('cell.ts', text, ts.ScriptTarget.ESNext, true);
}
function* nodesOf(node: ts.Node): Iterable<ts.Node> {
  const waiting = [node];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    yield next;
    const children: ts.Node[] = [];
    ts.forEachChild(next, (child) => void children.push(child));
    waiting.push(...children.reverse());
  }
}

function readModule(path: string): { readonly path: string; readonly text: string } | undefined {
  for (const ending of ['', '.ts', '.js', '.mts', '.mjs', '.cjs', '/index.ts', '/index.js'])
    try {
      return { path: path + ending, text: readFileSync(path + ending, 'utf8') };
    } catch {
      // The next ending may be the right one.
    }
  return undefined;
}

/** The modules that a text imports. undefined: a name is computed. */
function* modulesOf(tree: ts.SourceFile): Iterable<string | undefined> {
  for (const node of nodesOf(tree)) {
    let module: ts.Expression | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) module = node.moduleSpecifier;
    else if (ts.isCallExpression(node)) {
      const { expression } = node;
      const isRequire = ts.isIdentifier(expression) && expression.text === 'require';
      if (!isRequire && expression.kind !== ts.SyntaxKind.ImportKeyword) continue;
      module = node.arguments[0];
      if (!module) continue;
    }
    if (module) yield ts.isStringLiteralLike(module) ? module.text : undefined;
  }
}

/** p of import { param as p } from 'sluice'. */
function* aliasesOf(tree: ts.SourceFile): Iterable<string> {
  for (const node of nodesOf(tree))
    if (ts.isImportSpecifier(node) && node.propertyName?.text === 'param') yield node.name.text;
}

/** undefined: a name is computed, or the function is used as a value. */
function* readsOf(tree: ts.SourceFile, aliases: ReadonlySet<string>): Iterable<string | undefined> {
  for (const node of nodesOf(tree)) {
    if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
      if (node.argumentExpression.text === 'param') yield undefined;
    }
    if (!ts.isIdentifier(node) || !aliases.has(node.text) || isNameOnly(node)) continue;
    const callee = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node ? node.parent : node;
    const call = callee.parent;
    const [name] = ts.isCallExpression(call) && call.expression === callee ? call.arguments : [];
    yield name && ts.isStringLiteralLike(name) ? name.text : undefined;
  }
}
/** It names something, and uses nothing. */
function isNameOnly(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isImportSpecifier(parent)) return true;
  if (ts.isExportSpecifier(parent)) return parent.propertyName === undefined;
  if (ts.isBindingElement(parent)) return parent.propertyName !== node && parent.initializer !== node;
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent)) && parent.name === node;
}
