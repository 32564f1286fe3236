// Files of a package that know where they lie: what they read beside themselves is in no bundle. A
// worker, a .wasm file, a template, or a module whose name is computed.
import { readFileSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';

export interface OwnPlace {
  /** `__dirname`, `import.meta.url`, `require.resolve`: as the file writes it. */
  readonly by: string;
  /** One-based. */
  readonly line: number;
  /** Files that the text names and that lie beside it: absolute paths. */
  readonly named: readonly string[];
}

/**
 * A first look at the text. The tree of syntax decides, because these words stand in comments too.
 */
const words = /__dirname|__filename|import\.meta|require\.resolve|createRequire|\brequire\s*\(\s*[^'"\s)]/;
const ofImportMeta = new Set(['url', 'dirname', 'filename', 'resolve']);

/** undefined: it does not ask for its place. */
export function ownPlace(path: string): OwnPlace | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  if (!words.test(text)) return undefined;
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.JSX);
  let first: ts.Node | undefined;
  const names = new Set<string>();
  const folders = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (asksForPlace(node)) first ??= node;
    if (ts.isStringLiteralLike(node) && node.text !== '' && node.text.length < 200) names.add(node.text);
    if (ts.isCallExpression(node)) for (const name of joinedName(node)) folders.add(name);
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (!first) return undefined;
  const beside = (name: string): string => resolve(dirname(path), name.replace(/^\/+/, ''));
  const files = [...names].map(beside).filter((one) => kindOf(one)?.isFile());
  const named = [...new Set([...files, ...[...folders].map(beside).filter((one) => kindOf(one))])];
  const { line } = source.getLineAndCharacterOfPosition(first.getStart(source));
  return { by: first.getText(source).replace(/\(.*$/s, '()'), line: line + 1, named };
}

function asksForPlace(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    const { expression, name } = node;
    if (ts.isMetaProperty(expression)) return ofImportMeta.has(name.text);
    return ts.isIdentifier(expression) && expression.text === 'require' && name.text === 'resolve';
  }
  if (ts.isCallExpression(node)) return isComputedRequire(node);
  if (!ts.isIdentifier(node) || !isValue(node)) return false;
  return node.text === '__dirname' || node.text === '__filename' || node.text === 'createRequire';
}
/** A bundler cannot know which module it loads. It takes all of `'./locale/' + name`. */
function isComputedRequire({ expression, arguments: [name] }: ts.CallExpression): boolean {
  if (!ts.isIdentifier(expression) || expression.text !== 'require' || !name) return false;
  let first: ts.Expression = name;
  while (ts.isBinaryExpression(first)) first = first.left;
  if (ts.isTemplateExpression(first)) return !first.head.text.startsWith('.');
  return !ts.isStringLiteralLike(first) || (first !== name && !first.text.startsWith('.'));
}
/** It is read: no import, no name of a member, and no variable of its own. */
function isValue(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isTypeOfExpression(parent) || ts.isImportSpecifier(parent)) return false;
  return !(
    (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isPropertyAssignment(parent)) &&
    parent.name === node
  );
}

/** "data/words.txt" of join(__dirname, 'data', 'words.txt'). */
function joinedName({ arguments: [first, ...rest] }: ts.CallExpression): readonly string[] {
  const isOwnFolder = first && /^(?:__dirname|import\.meta\.dirname)$/.test(first.getText());
  const parts = rest.flatMap((part) => (ts.isStringLiteralLike(part) ? [part.text] : []));
  return isOwnFolder && parts.length > 0 && parts.length === rest.length ? [parts.join('/')] : [];
}

function kindOf(path: string): Stats | undefined {
  // Node refuses a path with such a character, whatever lies there.
  return path.includes('\0') ? undefined : statSync(path, { throwIfNoEntry: false });
}
