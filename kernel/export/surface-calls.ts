// What the calls of a statement mean to Sluice: sinks, displays, pulls, settings. The checker knows
// it from the types of the public surface, so names of the user's own do not matter.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import { type Texts, textsOfMember } from './literal-values.ts';

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
 * The texts that an option of a call can have: `delivery` of to('t', { delivery: 'none' }), also
 * behind names. In the list, undefined: it may be absent. undefined instead of a list: not known.
 */
export function optionTexts(call: ts.CallExpression, option: string, typed: TypedModule): Texts {
  const options = call.arguments.find((argument) => optionOf(argument, option, typed));
  return options ? textsOfMember(options, option, typed.checker) : [undefined];
}
/** Also if it may be absent. */
export function hasOption(call: ts.CallExpression, option: string, typed: TypedModule): boolean {
  return call.arguments.some((argument) => optionOf(argument, option, typed));
}
function optionOf(argument: ts.Expression, option: string, { checker }: TypedModule): ts.Symbol | undefined {
  const type = checker.getNonNullableType(checker.getTypeAtLocation(argument));
  return type.getCallSignatures().length > 0 ? undefined : checker.getPropertyOfType(type, option);
}
