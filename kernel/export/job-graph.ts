// The dataflow of a job for its README: the named streams and the sinks, as the statements that are
// kept declare them.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import type { Statement } from './statements.ts';
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
  const nodes: GraphNode[] = [];
  const idByName = new Map<string, string>();
  for (const statement of kept) {
    // A chain begins with its last call, which contains the others.
    const calls = evaluatedNodes(statement.node, typed.checker).filter((node) => ts.isCallExpression(node));
    const reads = [...new Set(statement.uses.flatMap(({ declared }) => idByName.get(declared.name) ?? []))];
    const sinks = calls.filter((call) => isSinkCall(call, typed));
    const add = (name: string, kind: GraphNode['kind'], place: ts.CallExpression | undefined): string => {
      const id = `n${nodes.length + 1}`;
      const verbs = place ? verbsOf(place, typed).join(' → ') : '';
      nodes.push({ id, name, kind, verbs, reads, place });
      return id;
    };
    for (const sink of sinks) add(targetOf(sink), 'sink', sink);
    if (sinks.length > 0) continue;
    for (const declared of statement.declares) {
      const name = identifierOf(statement.node, declared.name);
      const type = name && ourType(typed.checker.getTypeAtLocation(name), typed);
      if (type && /Stream|Table|Result/.test(type)) idByName.set(declared.name, add(declared.name, 'stream', calls[0]));
    }
  }
  return nodes;
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

function targetOf(sink: ts.CallExpression): string {
  const [target] = sink.arguments;
  return target && ts.isStringLiteralLike(target) ? target.text : 'a function';
}

function identifierOf(root: ts.Node, name: string): ts.Identifier | undefined {
  if (ts.isIdentifier(root)) return root.text === name ? root : undefined;
  return ts.forEachChild(root, (child) => identifierOf(child, name));
}
