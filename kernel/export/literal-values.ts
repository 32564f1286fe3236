// The texts that an expression can have, as far as its type or its definition says.
import ts from 'typescript';
import { bare, symbolBehind } from '../cells/syntax.ts';

/** undefined in the list: it may be absent. undefined instead of a list: it is not known. */
export type Texts = readonly (string | undefined)[] | undefined;

/** Definitions that are followed, one behind another. */
const deepest = 10;

/** `options`: an expression of an object; undefined: there is none. */
export function textsOfMember(
  options: ts.Expression | undefined,
  member: string,
  checker: ts.TypeChecker,
  depth = 0,
): Texts {
  if (!options) return [undefined];
  const inner = bare(options);
  if (ts.isObjectLiteralExpression(inner)) return textsInLiteral(inner, member, checker, depth);
  if (ts.isConditionalExpression(inner))
    return union([inner.whenTrue, inner.whenFalse].map((one) => textsOfMember(one, member, checker, depth)));
  const definition = definitionOf(inner, checker);
  if (definition && depth < deepest) return textsOfMember(definition, member, checker, depth + 1);
  const type = checker.getTypeAtLocation(inner);
  if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return undefined;
  const property = checker.getPropertyOfType(checker.getNonNullableType(type), member);
  if (!property) return checker.getIndexInfosOfType(type).length > 0 ? undefined : [undefined];
  return textsOfType(checker.getTypeOfSymbolAtLocation(property, inner));
}

function textsInLiteral(
  { properties }: ts.ObjectLiteralExpression,
  member: string,
  checker: ts.TypeChecker,
  depth: number,
): Texts {
  // The last one that has the member decides.
  let found: Texts = [undefined];
  for (const property of properties) {
    if (ts.isSpreadAssignment(property)) {
      const spread = textsOfMember(property.expression, member, checker, depth + 1);
      const before: Texts = found;
      if (!spread) found = undefined;
      else if (spread.includes(undefined)) found = union([before, spread.filter((one) => one !== undefined)]);
      else found = spread;
      continue;
    }
    const { name } = property;
    const isKnown = ts.isIdentifier(name) || ts.isStringLiteralLike(name) || ts.isNumericLiteral(name);
    if (isKnown && name.text !== member) continue;
    if (!isKnown) found = undefined;
    else if (ts.isPropertyAssignment(property)) found = textsOf(property.initializer, checker, depth);
    else if (ts.isShorthandPropertyAssignment(property)) found = textsOf(property.name, checker, depth);
    else found = undefined;
  }
  return found;
}

export function textsOf(expression: ts.Expression, checker: ts.TypeChecker, depth = 0): Texts {
  const byType = textsOfType(checker.getTypeAtLocation(expression));
  if (byType) return byType;
  const inner = bare(expression);
  if (ts.isStringLiteralLike(inner)) return [inner.text];
  if (ts.isConditionalExpression(inner))
    return union([inner.whenTrue, inner.whenFalse].map((one) => textsOf(one, checker, depth)));
  if (depth >= deepest) return undefined;
  const definition = definitionOf(inner, checker);
  if (definition) return textsOf(definition, checker, depth + 1);
  if (ts.isPropertyAccessExpression(inner) && definitionOf(inner.expression, checker))
    return textsOfMember(inner.expression, inner.name.text, checker, depth + 1);
  return undefined;
}

function textsOfType(type: ts.Type): Texts {
  if (type.isUnion()) return union(type.types.map(textsOfType));
  if (type.isStringLiteral()) return [type.value];
  return type.flags & ts.TypeFlags.Undefined ? [undefined] : undefined;
}
function union(all: readonly Texts[]): Texts {
  const texts = new Set<string | undefined>();
  for (const one of all) {
    if (!one) return undefined;
    for (const text of one) texts.add(text);
  }
  return [...texts];
}

/** What stands behind names of constants: `param('out')` of `const out = param('out')`. */
export function behindNames(expression: ts.Expression, checker: ts.TypeChecker): ts.Expression {
  let found = bare(expression);
  for (let depth = 0; depth < deepest; depth++) {
    const definition = definitionOf(found, checker);
    if (!definition) break;
    found = bare(definition);
  }
  return found;
}

/** What a const variable is defined as. */
function definitionOf(name: ts.Expression, checker: ts.TypeChecker): ts.Expression | undefined {
  if (!ts.isIdentifier(name)) return undefined;
  const declaration = symbolBehind(name, checker)?.valueDeclaration;
  if (!declaration || !ts.isVariableDeclaration(declaration) || !ts.isIdentifier(declaration.name)) return undefined;
  return ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const ? declaration.initializer : undefined;
}
