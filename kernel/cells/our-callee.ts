// Which name of Sluice stands behind a call. The checker knows it from the types of the public
// surface, so names of the user's own do not matter.
import ts from 'typescript';

export interface CheckedTypes {
  readonly checker: ts.TypeChecker;
  /** The file declares the surface of Sluice. */
  readonly isOurs: (file: string) => boolean;
}

/** The symbol that Sluice declares, behind a call. undefined: it is another function. */
export function ourCallee(call: ts.CallExpression, types: CheckedTypes): string | undefined {
  const callee = ts.isPropertyAccessExpression(call.expression) ? call.expression.name : call.expression;
  return ts.isIdentifier(callee) ? ourSymbol(callee, types) : undefined;
}

/** The symbol that Sluice declares, behind a name. undefined: it is another one. */
export function ourSymbol(name: ts.Identifier, { checker, isOurs }: CheckedTypes): string | undefined {
  let symbol = checker.getSymbolAtLocation(name);
  if (symbol && symbol.flags & ts.SymbolFlags.Alias) symbol = checker.getAliasedSymbol(symbol);
  const file = symbol?.declarations?.[0]?.getSourceFile().fileName;
  return symbol && file !== undefined && isOurs(file) ? symbol.name : undefined;
}
