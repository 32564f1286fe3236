// The dataflow of a job for its README: the named streams and the sinks, as the statements that are
// kept declare them.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { identifierAt } from '../cells/identifier-at.ts';
import { ourCallee } from '../cells/our-callee.ts';
import type { Declared } from '../cells/resolution.ts';
import { bare } from '../cells/syntax.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import { behindNames, textsOf } from './literal-values.ts';
import { ownersOf, type Statement, type Use } from './statements.ts';
import { isSinkCall, ourType } from './surface-calls.ts';

export interface GraphNode {
  readonly id: string;
  /** The name of the variable, or the target of the sink. */
  readonly name: string;
  /** "keyBy → window → aggregate" */
  readonly verbs: string;
  readonly kind: 'stream' | 'sink';
  /** The call that makes it. undefined: another function does. */
  readonly place?: ts.CallExpression | undefined;
  /** Ids of the nodes that it reads. */
  readonly reads: readonly string[];
}

export function jobGraph(kept: readonly Statement[], typed: TypedModule): readonly GraphNode[] {
  const nodes: (GraphNode & { readonly statement: Statement; readonly part: ts.Node })[] = [];
  const idByDeclared = new Map<Declared, string>();
  for (const statement of kept) {
    // A chain begins with its last call, which contains the others.
    const callsIn = (node: ts.Node): readonly ts.CallExpression[] =>
      evaluatedNodes(node, typed.checker).filter((inner) => ts.isCallExpression(inner));
    const add = (
      name: string,
      { kind, part, place }: Pick<GraphNode, 'kind' | 'place'> & { readonly part: ts.Node },
    ): string => {
      const id = `n${nodes.length + 1}`;
      const verbs = place ? verbsOf(place, typed).join(' → ') : '';
      nodes.push({ id, name, kind, verbs, reads: [], place, statement, part });
      return id;
    };
    for (const declared of statement.declares) {
      const name = identifierAt(typed.source, typed.module.toModule(declared.at));
      const type = name && ourType(typed.checker.getTypeAtLocation(name), typed);
      if (!name || !type || !/Stream|Table|Result/.test(type)) continue;
      const part = definitionOf(name) ?? statement.node;
      idByDeclared.set(declared, add(declared.name, { kind: 'stream', part, place: callsIn(part)[0] }));
    }
    for (const sink of callsIn(statement.node).filter((call) => isSinkCall(call, typed)))
      add(targetOf(sink, typed), { kind: 'sink', part: sink, place: sink });
  }
  // Cells may stand in any order, so edges come when all streams are known.
  const owners = ownersOf(kept);
  return nodes.map(({ statement, part, ...node }) => {
    const reads = (uses: readonly Use[]): readonly string[] => readsOf(uses, node.id, idByDeclared, owners);
    const own = reads(statement.uses.filter(({ offset }) => offset >= part.pos && offset < part.end));
    // A function makes it, of streams that stand elsewhere in the statement.
    return { ...node, reads: own.length > 0 ? own : reads(statement.uses) };
  });
}

/** The streams of these uses, also through functions and other values of the notebook. */
function readsOf(
  uses: readonly Use[],
  own: string,
  idByDeclared: ReadonlyMap<Declared, string>,
  owners: ReadonlyMap<Declared, Statement>,
): readonly string[] {
  const found = new Set<string>();
  const waiting = [...uses];
  const seen = new Set<Declared>();
  for (const { declared } of waiting) {
    if (seen.has(declared)) continue;
    seen.add(declared);
    const id = idByDeclared.get(declared);
    if (id === undefined) waiting.push(...(owners.get(declared)?.uses ?? []));
    else found.add(id);
  }
  found.delete(own);
  return [...found];
}

/** What a name of a declaration stands for: its part of a literal, if it is taken out of one. */
function definitionOf(name: ts.Identifier): ts.Expression | undefined {
  const { parent } = name;
  if (ts.isVariableDeclaration(parent)) return parent.initializer;
  return ts.isBindingElement(parent) ? takenBy(parent) : undefined;
}
function takenBy(element: ts.BindingElement): ts.Expression | undefined {
  const { parent: pattern, propertyName, name, dotDotDotToken } = element;
  const { parent } = pattern;
  const whole = ts.isBindingElement(parent) ? takenBy(parent) : ts.isVariableDeclaration(parent) && parent.initializer;
  if (!whole) return undefined;
  const literal = bare(whole);
  if (dotDotDotToken) return whole;
  if (ts.isArrayBindingPattern(pattern) && ts.isArrayLiteralExpression(literal)) {
    const part = literal.elements[pattern.elements.indexOf(element)];
    return literal.elements.some(ts.isSpreadElement) ? whole : (part ?? whole);
  }
  if (!ts.isObjectBindingPattern(pattern) || !ts.isObjectLiteralExpression(literal)) return whole;
  const key = propertyName ?? name;
  const property = literal.properties.findLast((one) => one.name && ts.isIdentifier(key) && nameIs(one.name, key.text));
  if (property && ts.isPropertyAssignment(property)) return property.initializer;
  return property && ts.isShorthandPropertyAssignment(property) ? property.name : whole;
}
function nameIs(name: ts.PropertyName, text: string): boolean {
  return (ts.isIdentifier(name) || ts.isStringLiteralLike(name)) && name.text === text;
}

/** The verbs of a chain, in the order in which they are called. */
function verbsOf(call: ts.CallExpression, typed: TypedModule): readonly string[] {
  const verbs: string[] = [];
  for (let node: ts.Expression = call; ;) {
    if (ts.isCallExpression(node)) {
      const verb = ourCallee(node, typed);
      if (verb !== undefined) verbs.unshift(verb);
      node = node.expression;
    } else if (ts.isPropertyAccessExpression(node)) node = node.expression;
    else return verbs;
  }
}

/** What a sink writes to: a topic, a file, or the parameter that names it. */
function targetOf(sink: ts.CallExpression, typed: TypedModule): string {
  const [target] = sink.arguments;
  if (!target || ourCallee(sink, typed) === 'sink') return 'a function';
  const texts = textsOf(target, typed.checker);
  if (texts) return texts.join(' or ');
  const definition = behindNames(target, typed.checker);
  if (!ts.isCallExpression(definition) || ourCallee(definition, typed) !== 'param') return shortText(target);
  const [name, byDefault] = definition.arguments;
  const param = `param ${name && ts.isStringLiteralLike(name) ? name.text : '…'}`;
  return byDefault && ts.isStringLiteralLike(byDefault) ? `${byDefault.text} (${param})` : param;
}
function shortText(node: ts.Node): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}
