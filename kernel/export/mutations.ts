// Functions of operators that change an object which they capture: `seen.push(o)`,
// `rates.set(k, v)`, `settings.low = 2`. Such a change is in no checkpoint, and no other instance
// sees it.
import ts from 'typescript';
import { identifierAt } from '../cells/identifier-at.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { isOfOperator } from './dependence.ts';
import { evaluatedNodes, functionsOf } from './evaluated-nodes.ts';
import { accessFrom, isWritten } from './prune.ts';
import type { Statement, Use } from './statements.ts';

export interface Mutation {
  readonly use: Use;
  /** "seen.push()", "settings.low = …" */
  readonly how: string;
}

/** Methods of JavaScript's own classes that change their object. */
const changing = new Set([
  ...['push', 'pop', 'shift', 'unshift', 'splice', 'sort', 'reverse', 'fill', 'copyWithin'],
  ...['set', 'delete', 'clear', 'add'],
  ...['setTime', 'setFullYear', 'setUTCFullYear', 'setMonth', 'setUTCMonth', 'setDate', 'setUTCDate', 'setHours'],
  ...['setUTCHours', 'setMinutes', 'setUTCMinutes', 'setSeconds', 'setUTCSeconds', 'setMilliseconds'],
  ...['setUTCMilliseconds', 'setInt8', 'setInt16', 'setInt32', 'setUint8', 'setUint16', 'setUint32', 'setFloat32'],
  ...['setFloat64', 'setBigInt64', 'setBigUint64'],
]);

/** `kept`: the statements of the job. In document order. */
export function capturedMutations(kept: readonly Statement[], typed: TypedModule): readonly Mutation[] {
  const bodies = laterFunctions(kept, typed);
  return kept.flatMap((statement) =>
    statement.uses.flatMap((use): Mutation[] => {
      if (!use.reference.isInFunction || use.declared.kind === 'import') return [];
      const name = identifierAt(typed.source, use.offset);
      const how = name && mutationBy(name, typed);
      if (!name || how === undefined) return [];
      return isWithin(name, bodies) ? [{ use, how }] : [];
    }),
  );
}

/** Functions that operators call, and functions of the notebook that those name. */
function laterFunctions(kept: readonly Statement[], typed: TypedModule): ReadonlySet<ts.Node> {
  const found = new Set<ts.Node>();
  for (const { node } of kept) for (const one of functionsIn(node)) if (isOfOperator(one, typed)) found.add(one);
  // A name of a function that a verb gets.
  for (const { node } of kept)
    for (const one of evaluatedNodes(node, typed.checker))
      if (ts.isIdentifier(one) && isOfOperator(one, typed))
        for (const given of ownFunctions(one, typed)) found.add(given);
  for (const fn of found) {
    const visit = (node: ts.Node): void => {
      if (ts.isIdentifier(node)) for (const called of ownFunctions(node, typed)) found.add(called);
      ts.forEachChild(node, visit);
    };
    visit(fn);
  }
  return found;
}
function* functionsIn(root: ts.Node): Iterable<ts.Node> {
  const waiting: ts.Node[] = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (ts.isFunctionLike(node)) yield node;
    ts.forEachChild(node, (child) => void waiting.push(child));
  }
}
/** Those of the notebook itself. */
function ownFunctions(name: ts.Identifier, { checker, source }: TypedModule): readonly ts.Node[] {
  return functionsOf(name, checker).filter((fn) => fn.getSourceFile() === source);
}
function isWithin(name: ts.Node, bodies: ReadonlySet<ts.Node>): boolean {
  for (let node = name.parent; node; node = node.parent) if (bodies.has(node)) return true;
  return false;
}

function mutationBy(name: ts.Identifier, typed: TypedModule): string | undefined {
  const node = accessFrom(name);
  const { parent } = node;
  if (ts.isDeleteExpression(parent)) return `delete ${shortText(node)}`;
  if (node !== name && isWritten(node)) return `${shortText(node)} = …`;
  if (!ts.isCallExpression(parent)) return undefined;
  if (parent.expression === node && ts.isPropertyAccessExpression(node)) {
    const symbol = typed.checker.getSymbolAtLocation(node.name);
    // Of a type that is not known, the name alone decides.
    const isOfLibrary = symbol?.declarations?.every((one) => one.getSourceFile().isDeclarationFile) ?? true;
    return isOfLibrary && changing.has(node.name.text) ? `${shortText(node)}()` : undefined;
  }
  const isAssigned = parent.arguments[0] === node && parent.expression.getText() === 'Object.assign';
  return isAssigned ? `Object.assign(${shortText(node)}, …)` : undefined;
}
function shortText(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
