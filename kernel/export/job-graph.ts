// The dataflow of a job for its README: the named streams and the sinks, as the statements that are
// kept declare them.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import type { Declared } from '../cells/resolution.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import { behindNames, textsOf } from './literal-values.ts';
import { ownersOf, type Statement } from './statements.ts';
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
  const nodes: (GraphNode & { readonly statement: Statement })[] = [];
  const idByDeclared = new Map<Declared, string>();
  for (const statement of kept) {
    // A chain begins with its last call, which contains the others.
    const calls = evaluatedNodes(statement.node, typed.checker).filter((node) => ts.isCallExpression(node));
    const add = (name: string, kind: GraphNode['kind'], place: ts.CallExpression | undefined): string => {
      const id = `n${nodes.length + 1}`;
      const verbs = place ? verbsOf(place, typed).join(' → ') : '';
      nodes.push({ id, name, kind, verbs, reads: [], place, statement });
      return id;
    };
    for (const declared of statement.declares) {
      const name = identifierOf(statement.node, declared.name);
      const type = name && ourType(typed.checker.getTypeAtLocation(name), typed);
      if (type && /Stream|Table|Result/.test(type)) idByDeclared.set(declared, add(declared.name, 'stream', calls[0]));
    }
    for (const sink of calls.filter((call) => isSinkCall(call, typed))) add(targetOf(sink, typed), 'sink', sink);
  }
  // Cells may stand in any order, so edges come when all streams are known.
  const owners = ownersOf(kept);
  return nodes.map(({ statement, ...node }) => ({ ...node, reads: readsOf(statement, node.id, idByDeclared, owners) }));
}

/** The streams that a statement uses, also through functions and other values of the notebook. */
function readsOf(
  statement: Statement,
  own: string,
  idByDeclared: ReadonlyMap<Declared, string>,
  owners: ReadonlyMap<Declared, Statement>,
): readonly string[] {
  const found = new Set<string>();
  const seen = new Set([statement]);
  for (const one of seen)
    for (const { declared } of one.uses) {
      const id = idByDeclared.get(declared);
      const definition = owners.get(declared);
      if (id !== undefined) found.add(id);
      else if (definition) seen.add(definition);
    }
  found.delete(own);
  return [...found];
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

function identifierOf(root: ts.Node, name: string): ts.Identifier | undefined {
  if (ts.isIdentifier(root)) return root.text === name ? root : undefined;
  return ts.forEachChild(root, (child) => identifierOf(child, name));
}
