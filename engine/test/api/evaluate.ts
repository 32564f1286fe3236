// Evaluates the text of a cell as a compiled cell does, with the variable set before each
// statement.
import { Builder, runWithBuilder, type BuilderOptions } from '../../api/builder.ts';
import type { Fragment } from '../../api/fragment.ts';
import type { Kind } from '../../graph/kinds.ts';
import type { NodeOf, PlanNode } from '../../graph/plan.ts';

/** `set` is called before each statement with the variable that it initialises, or nothing. */
export function evaluate(
  cell: (set: (variable?: string) => void, builder: Builder) => void,
  options: Partial<BuilderOptions> = {},
): Fragment {
  const builder = new Builder({ group: 'cell', ...options });
  runWithBuilder(builder, () => cell((variable = '') => void (builder.variable = variable), builder));
  return builder.fragment();
}

/** The only node of a kind. */
export function nodeOf<K extends Kind>(fragment: Fragment, kind: K): NodeOf<K> {
  const found = fragment.nodes.filter((node): node is Extract<PlanNode, NodeOf<K>> => node.kind === kind);
  if (found.length !== 1) throw new Error(`There are ${found.length} nodes of kind ${kind}.`);
  return found[0]!;
}

export const uids = (fragment: Fragment): string[] => fragment.nodes.map((node) => node.uid);
