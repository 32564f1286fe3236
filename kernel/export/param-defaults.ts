// The defaults of the parameters that a job reads. A job refuses a value of another type when it
// starts.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import type { ParamDefault } from '../job/job-data.ts';
import { valueNodes } from './evaluated-nodes.ts';

/**
 * By name. Without one whose name is computed, or that has defaults of several types. `roots`: the
 * statements that the job keeps, with those of modules.
 */
export function paramDefaults(roots: Iterable<ts.Node>, typed: TypedModule): Readonly<Record<string, ParamDefault>> {
  const found = new Map<string, ParamDefault | undefined>();
  for (const root of roots)
    for (const node of valueNodes(root)) {
      if (!ts.isCallExpression(node) || ourCallee(node, typed) !== 'param') continue;
      const [name, byDefault] = node.arguments;
      if (!name || !ts.isStringLiteralLike(name) || !byDefault) continue;
      const one = defaultOf(byDefault, typed);
      const former = found.get(name.text);
      if (!found.has(name.text)) found.set(name.text, one);
      else if (former?.type !== one?.type) found.set(name.text, undefined);
      else if (former && former.text !== one?.text) found.set(name.text, { type: former.type });
    }
  const known = [...found].flatMap(([name, one]) => (one ? [[name, one] as const] : []));
  return Object.fromEntries(known.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function defaultOf(expression: ts.Expression, { checker }: TypedModule): ParamDefault | undefined {
  const type = checker.getBaseTypeOfLiteralType(checker.getTypeAtLocation(expression));
  const kind =
    type.flags & ts.TypeFlags.NumberLike
      ? 'number'
      : type.flags & ts.TypeFlags.BooleanLike
        ? 'boolean'
        : type.flags & ts.TypeFlags.StringLike
          ? 'string'
          : undefined;
  if (kind === undefined) return undefined;
  const text = textOf(expression);
  return { type: kind, ...(text !== undefined && { text }) };
}
/** Of a literal. */
function textOf(node: ts.Expression): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isNumericLiteral(node)) return String(Number(node.text));
  if (node.kind === ts.SyntaxKind.TrueKeyword) return 'true';
  if (node.kind === ts.SyntaxKind.FalseKeyword) return 'false';
  if (
    ts.isPrefixUnaryExpression(node) &&
    node.operator === ts.SyntaxKind.MinusToken &&
    ts.isNumericLiteral(node.operand)
  )
    return String(-Number(node.operand.text));
  return undefined;
}
