// The values of the notebook that functions of a job capture: what each is, and on what it depends
// that can differ between two evaluations.
import ts from 'typescript';
import type { RowType } from '../../engine/graph/row-type.ts';
import { identifierAt } from '../cells/identifier-at.ts';
import type { TypedModule } from '../cells/language-service.ts';
import type { Declared } from '../cells/resolution.ts';
import { type Dependences, DependenceFinder } from './dependence.ts';
import { rowType } from './row-types.ts';
import type { Statement } from './statements.ts';
import { classOfType } from './value-types.ts';

export interface CapturedValue {
  readonly name: string;
  readonly declared: Declared;
  /** The id of the cell that declares it. */
  readonly cell: string;
  /** As the checker knows it. */
  readonly type: RowType;
  /** Where a function captures it first: an offset in the module. */
  readonly capturedAt: number;
  readonly kind: 'literal' | 'constant' | 'code' | 'import' | 'stream' | 'live';
  /** Of a literal. */
  readonly value?: string | number | boolean | bigint | null;
  /** Of a live object: what it is. */
  readonly what?: string;
  /** Of a constant and of code that a call has made. */
  readonly dependences: Dependences;
}

/** Each name once, by its first capture. */
export function capturedValues(kept: readonly Statement[], typed: TypedModule): readonly CapturedValue[] {
  const finder = new DependenceFinder(kept, typed);
  const found = new Map<Declared, CapturedValue>();
  for (const statement of kept)
    for (const { declared, reference, offset } of statement.uses) {
      if (!reference.isInFunction || found.has(declared)) continue;
      const { name } = declared;
      const cell = typed.module.cells[declared.at.cell]!.id;
      const type = typeOf(declared, typed);
      found.set(declared, { name, declared, cell, type, capturedAt: offset, ...describe(declared, finder, typed) });
    }
  return [...found.values()];
}

function typeOf(declared: Declared, typed: TypedModule): RowType {
  const name = nameAt(declared, typed);
  return name ? rowType(typed.checker.getTypeAtLocation(name), typed) : { type: 'any' };
}

type Description = Pick<CapturedValue, 'kind' | 'value' | 'what' | 'dependences'>;
const none: Dependences = { on: [], isOfStart: false };

function describe(declared: Declared, finder: DependenceFinder, typed: TypedModule): Description {
  if (declared.kind === 'import') return { kind: 'import', dependences: none };
  if (!['const', 'let', 'var'].includes(declared.kind)) return { kind: 'code', dependences: none };
  const name = nameAt(declared, typed);
  const declaration = name && declarationAround(name);
  if (!declaration) return { kind: 'constant', dependences: none };
  const { initializer } = declaration;
  const literal = initializer && literalOf(initializer);
  if (literal !== undefined && ts.isIdentifier(declaration.name))
    return { kind: 'literal', value: literal, dependences: none };
  const found = classOfType(typed.checker.getTypeAtLocation(name), typed);
  if (found.kind === 'instance') return { kind: 'live', what: aNameOf(found.name), dependences: none };
  if (found.kind === 'ours') return { kind: 'stream', dependences: none };
  // A part of an object may be data, whatever the object is. The export evaluates it and sees.
  const isWhole = ts.isIdentifier(declaration.name);
  const live = found.kind === 'unknown' && isWhole && initializer ? liveExpression(initializer, typed) : undefined;
  if (live !== undefined) return { kind: 'live', what: live, dependences: none };
  const isCode = found.kind === 'code' && initializer !== undefined && ts.isFunctionLike(initializer);
  if (isCode) return { kind: 'code', dependences: none };
  return { kind: found.kind === 'code' ? 'code' : 'constant', dependences: finder.of(declared) };
}

function nameAt({ at }: Declared, { module, source }: TypedModule): ts.Identifier | undefined {
  return identifierAt(source, module.toModule(at));
}
function declarationAround(name: ts.Identifier): ts.VariableDeclaration | undefined {
  for (let node: ts.Node = name; node && !ts.isStatement(node); node = node.parent)
    if (ts.isVariableDeclaration(node)) return node;
  return undefined;
}

/** undefined: it is no literal. */
function literalOf(node: ts.Expression): CapturedValue['value'] {
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node))
    return literalOf(node.expression);
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return Number(node.text);
  if (ts.isBigIntLiteral(node)) return BigInt(node.text.replace(/n$/, ''));
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken) {
    const value = literalOf(node.operand);
    return typeof value === 'number' || typeof value === 'bigint' ? -value : undefined;
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  return node.kind === ts.SyntaxKind.NullKeyword ? null : undefined;
}

// ------------------------------------------------------------------------------------ live objects

/** Modules of Node whose objects hold a connection, a process or a file. */
const liveModules =
  /^(?:node:)?(?:net|tls|dgram|https?|http2|child_process|worker_threads|cluster|readline|stream|inspector)(?:\/|$)/;
const liveCalls = /^(?:create(?:Read|Write)Stream|open|openSync|opendir|watch|watchFile|setInterval|setTimeout)$/;

/** Without types of Node, the text of the expression says it. */
function liveExpression(node: ts.Expression, typed: TypedModule): string | undefined {
  let inner: ts.Expression = node;
  while (ts.isAwaitExpression(inner) || ts.isParenthesizedExpression(inner) || ts.isAsExpression(inner))
    inner = inner.expression;
  if (!ts.isCallExpression(inner) && !ts.isNewExpression(inner)) return undefined;
  let callee = inner.expression;
  while (ts.isPropertyAccessExpression(callee) && !ts.isIdentifier(callee.expression)) callee = callee.expression;
  const last = ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText();
  const root = ts.isPropertyAccessExpression(callee) ? callee.expression : callee;
  const from = moduleOf(root, typed);
  if (from !== undefined && liveModules.test(from)) return `${last}() of ${from}`;
  if (liveCalls.test(last) && (from === undefined || /^(?:node:)?(?:fs|timers)/.test(from))) return `${last}()`;
  // What a new Promise gives is something else.
  return ts.isNewExpression(inner) && !ts.isAwaitExpression(node) ? aNameOf(last) : undefined;
}
/** The specifier of the import that declares the name. */
function moduleOf(name: ts.Expression, { checker }: TypedModule): string | undefined {
  const [declaration] = checker.getSymbolAtLocation(name)?.declarations ?? [];
  for (let node: ts.Node | undefined = declaration; node; node = node.parent)
    if (ts.isImportDeclaration(node))
      return ts.isStringLiteral(node.moduleSpecifier) ? node.moduleSpecifier.text : undefined;
  return undefined;
}
function aNameOf(name: string): string {
  return `an instance of ${name}`;
}
