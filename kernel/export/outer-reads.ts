// What a node of the syntax tree reads besides the texts of the notebook and its modules: the
// clock, randomness, or the environment of the process, which may hold secrets.
import ts from 'typescript';
import { originsAt, originsOfCall } from './origins.ts';

export type Dependence = 'the clock' | 'randomness' | 'the environment' | 'await';

/** In this order: the first one that matches an origin decides. */
const meanings: readonly (readonly [RegExp, Dependence | undefined])[] = [
  [/^Date\.now$|^(?:performance|Temporal\.Now|perf_hooks\.performance)(?:\.|$)/, 'the clock'],
  [/^process\.(?:hrtime|uptime)(?:\.|$)/, 'the clock'],
  [/^Math\.random$/, 'randomness'],
  [/^(?:crypto|crypto\.webcrypto)\.(?:random|getRandomValues|subtle\.generateKey|\*)/, 'randomness'],
  [/^crypto\.(?:generate|pseudoRandomBytes)/, 'randomness'],
  [/^process\.(?:nextTick|std(?:in|out|err)|on|once|off|emit|emitWarning|addListener|removeListener)\b/, undefined],
  [/^process\.(?:exit|exitCode|abort|kill|versions?|release|features|getBuiltinModule)\b/, undefined],
  [/^os\.(?:EOL|constants|devNull)\b/, undefined],
  [/^(?:process|os|navigator)(?:\.|$)|^util\.parseArgs$|^globalThis$/, 'the environment'],
];

/** Of the node itself, without what it contains. */
export function outerRead(node: ts.Node, checker: ts.TypeChecker): Dependence | undefined {
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier)) return 'await';
  if (ts.isCallExpression(node)) return firstMeaning(originsOfCall(node));
  if (!ts.isIdentifier(node)) return undefined;
  const origins = originsAt(node, checker);
  return origins.includes('Date') && readsNow(node) ? 'the clock' : firstMeaning(origins);
}

function firstMeaning(origins: readonly string[]): Dependence | undefined {
  for (const origin of origins) {
    const found = meanings.find(([pattern]) => pattern.test(origin))?.[1];
    if (found) return found;
  }
  return undefined;
}

/** `new Date()`, and `Date()` with whatever arguments. */
function readsNow(name: ts.Identifier): boolean {
  let node: ts.Node = name;
  while (ts.isPropertyAccessExpression(node.parent) || ts.isParenthesizedExpression(node.parent)) node = node.parent;
  const { parent } = node;
  if (ts.isCallExpression(parent)) return parent.expression === node;
  return ts.isNewExpression(parent) && parent.expression === node && (parent.arguments?.length ?? 0) === 0;
}
