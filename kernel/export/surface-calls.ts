// What the calls of a statement mean to Sluice: sinks, displays, pulls, settings. The checker knows
// it from the types of the public surface, so names of the user's own do not matter.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';

/** The name of a type that Sluice declares: Stream, Sink, Display. */
export function ourType(type: ts.Type, { isOurs }: TypedModule): string | undefined {
  const symbol = type.aliasSymbol ?? type.getSymbol();
  const file = symbol?.declarations?.[0]?.getSourceFile().fileName;
  return symbol && file !== undefined && isOurs(file) ? symbol.name : undefined;
}

export function isSinkCall(node: ts.Node, typed: TypedModule): node is ts.CallExpression {
  return gives(node, 'Sink', typed);
}
export function isDisplayCall(node: ts.Node, typed: TypedModule): node is ts.CallExpression {
  return gives(node, 'Display', typed);
}
/** `await`, `for await`, and calls that read rows into the cell. */
export function isPull(node: ts.Node): boolean {
  return ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined);
}
export function isSettings(node: ts.Node, typed: TypedModule): boolean {
  return ts.isCallExpression(node) && ourCallee(node, typed) === 'configure';
}

function gives(node: ts.Node, name: string, typed: TypedModule): boolean {
  if (!ts.isCallExpression(node) || ourCallee(node, typed) === undefined) return false;
  return ourType(typed.checker.getTypeAtLocation(node), typed) === name;
}

/**
 * The value of an option that is written as a literal: `delivery` of to('t', { delivery: 'none' }).
 */
export function literalOption(call: ts.CallExpression, option: string): string | undefined {
  for (const argument of call.arguments) {
    if (!ts.isObjectLiteralExpression(argument)) continue;
    for (const member of argument.properties)
      if (ts.isPropertyAssignment(member) && isNamed(member.name, option) && ts.isStringLiteralLike(member.initializer))
        return member.initializer.text;
  }
  return undefined;
}
export function hasOption(call: ts.CallExpression, option: string): boolean {
  return call.arguments.some(
    (argument) =>
      ts.isObjectLiteralExpression(argument) &&
      argument.properties.some((member) => member.name !== undefined && isNamed(member.name, option)),
  );
}
function isNamed(name: ts.PropertyName, wanted: string): boolean {
  return (ts.isIdentifier(name) || ts.isStringLiteral(name)) && name.text === wanted;
}
