// Which statements of a notebook a job keeps. It starts from the sinks and follows resolved names.
// What nothing reaches is dropped: displays, pulls, effects and definitions.
//
// A statement that may change a kept value is kept too: `limits.push(3)`, `rates['CH'] = 2`. Values
// that cannot change (streams, numbers, texts) and console.* are exempt.
import ts from 'typescript';
import { assigns, counts } from '../cells/assignments.ts';
import { identifierAt } from '../cells/identifier-at.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { type Declared, hasModifier } from '../cells/resolution.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import { ownersOf, type Statement, type Use } from './statements.ts';
import { isDisplayCall, isPull, isSettings, isSinkCall, ourType } from './surface-calls.ts';

export type DropReason = 'display' | 'pull' | 'value' | 'definition' | 'effect';

export interface Kept {
  readonly statement: Statement;
  /** `sink`, `settings`, a kept name that it declares, or a kept name that it may change. */
  readonly because: string;
}
export interface Pruned {
  /** In document order. */
  readonly kept: readonly Kept[];
  readonly dropped: readonly { readonly statement: Statement; readonly reason: DropReason }[];
  readonly sinks: readonly ts.CallExpression[];
}

/** `counted`: dropped statements whose streams are declared nevertheless, see pruned-cells.ts. */
export function prune(
  statements: readonly Statement[],
  typed: TypedModule,
  counted: ReadonlySet<Statement> = new Set(),
): Pruned {
  const evaluated = new Map(statements.map((one) => [one, evaluatedNodes(one.node, typed.checker)] as const));
  const sinks = new Set<ts.CallExpression>();
  const kept = new Map<Statement, string>();
  for (const [statement, nodes] of evaluated) {
    if (isTypeOnly(statement.node)) kept.set(statement, 'type');
    else if (nodes.some((node) => isSettings(node, typed))) kept.set(statement, 'settings');
    for (const node of nodes)
      if (isSinkCall(node, typed)) {
        sinks.add(node);
        kept.set(statement, 'sink');
      }
  }
  if (sinks.size > 0) followNames(statements, { kept, counted }, typed);
  return {
    kept: statements.flatMap((statement) => {
      const because = kept.get(statement);
      return because === undefined ? [] : [{ statement, because }];
    }),
    dropped: statements.flatMap((statement) =>
      kept.has(statement) || isExportList(statement.node)
        ? []
        : [{ statement, reason: reasonOf(statement, evaluated.get(statement)!, typed) }],
    ),
    sinks: [...sinks],
  };
}

interface Reached {
  readonly kept: Map<Statement, string>;
  readonly counted: ReadonlySet<Statement>;
}

function followNames(statements: readonly Statement[], { kept, counted }: Reached, typed: TypedModule): void {
  const owner = ownersOf(statements);
  const reached = new Set<Declared>();
  const reach = (statement: Statement): void => {
    for (const { declared } of statement.uses) {
      if (reached.has(declared)) continue;
      reached.add(declared);
      const definition = owner.get(declared);
      if (definition === undefined || kept.has(definition)) continue;
      kept.set(definition, declared.name);
      reach(definition);
    }
  };
  for (const statement of [...kept.keys(), ...counted]) reach(statement);
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    for (const statement of statements) {
      if (kept.has(statement)) continue;
      const changed = statement.uses.find((use) => reached.has(use.declared) && mayChange(use, typed));
      const isBareImport = ts.isImportDeclaration(statement.node) && !statement.node.importClause;
      if (changed === undefined && !isBareImport) continue;
      kept.set(statement, changed?.declared.name ?? 'import');
      for (const declared of statement.declares) reached.add(declared);
      reach(statement);
    }
  }
}

/** The place may give the variable, or what it holds, another value. */
export function mayChange({ reference, declared, offset }: Use, typed: TypedModule): boolean {
  if (reference.isAssignment) return true;
  const name = identifierAt(typed.source, offset);
  if (name === undefined || declared.kind === 'import') return false;
  const type = typed.checker.getTypeAtLocation(name);
  if (isUnchangeable(type, typed)) return false;
  const node = accessFrom(name);
  const { parent } = node;
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
    if (parent.expression === node) return node !== name;
    return !isConsole(parent.expression);
  }
  if (ts.isDeleteExpression(parent)) return true;
  return node === name ? isAlias(parent) : isWritten(node);
}

/**
 * `settings.low` of `settings`, `(settings as Low).low` too: the longest access that begins there.
 */
export function accessFrom(name: ts.Identifier): ts.Node {
  let node: ts.Node = name;
  for (let { parent } = node; ; node = parent, { parent } = node) {
    const isPart =
      (isAccess(parent) && parent.expression === node) ||
      ts.isParenthesizedExpression(parent) ||
      ts.isAsExpression(parent) ||
      ts.isSatisfiesExpression(parent) ||
      ts.isNonNullExpression(parent);
    if (!isPart) return node;
  }
}

/** Another name for the same object: what the statement does with it is not followed. */
function isAlias(parent: ts.Node): boolean {
  if (ts.isVariableDeclaration(parent)) return true;
  return ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}
/** The access is the target of an assignment. */
export function isWritten(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) return counts(parent);
  return ts.isBinaryExpression(parent) && parent.left === node && assigns(parent.operatorToken);
}
function isAccess(node: ts.Node): node is ts.PropertyAccessExpression | ts.ElementAccessExpression {
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
}
function isConsole(callee: ts.Expression): boolean {
  return isAccess(callee) && ts.isIdentifier(callee.expression) && callee.expression.text === 'console';
}
function isUnchangeable(type: ts.Type, typed: TypedModule): boolean {
  const primitive =
    ts.TypeFlags.StringLike |
    ts.TypeFlags.NumberLike |
    ts.TypeFlags.BooleanLike |
    ts.TypeFlags.BigIntLike |
    ts.TypeFlags.Null |
    ts.TypeFlags.Undefined;
  if (type.isUnion()) return type.types.every((member) => isUnchangeable(member, typed));
  return (type.flags & primitive) !== 0 || ourType(type, typed) !== undefined;
}

/** It exists for the checker alone. */
function isTypeOnly(node: ts.Statement): boolean {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return hasModifier(node, ts.SyntaxKind.DeclareKeyword);
}
/** `export {}` or `export { a, b }`: it runs nothing. */
function isExportList(node: ts.Statement): boolean {
  return ts.isExportDeclaration(node) && node.moduleSpecifier === undefined;
}

function reasonOf({ node, declares }: Statement, nodes: readonly ts.Node[], typed: TypedModule): DropReason {
  if (nodes.some((one) => isDisplayCall(one, typed))) return 'display';
  if (nodes.some(isPull)) return 'pull';
  if (declares.length > 0 || ts.isImportDeclaration(node)) return 'definition';
  return ts.isExpressionStatement(node) && !nodes.some(isEffect) ? 'value' : 'effect';
}
function isEffect(node: ts.Node): boolean {
  if (ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isDeleteExpression(node)) return true;
  return (ts.isPropertyAccessExpression(node) || ts.isIdentifier(node)) && isWritten(node);
}
