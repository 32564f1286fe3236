// Removes `export` and `default` from a declaration, because the function that a cell becomes
// cannot export.
import ts from 'typescript';

const { factory } = ts;

export function withoutExport<S extends ts.Statement>(statement: S): S {
  if (!ts.canHaveModifiers(statement)) return statement;
  const isExport = (node: ts.ModifierLike): boolean =>
    node.kind === ts.SyntaxKind.ExportKeyword || node.kind === ts.SyntaxKind.DefaultKeyword;
  const modifiers = statement.modifiers?.filter((node) => !isExport(node));
  if (modifiers === undefined || modifiers.length === statement.modifiers!.length) return statement;
  const node: ts.Statement = statement;
  if (ts.isFunctionDeclaration(node))
    return factory.updateFunctionDeclaration(
      node,
      modifiers,
      node.asteriskToken,
      node.name,
      node.typeParameters,
      node.parameters,
      node.type,
      node.body,
    ) as ts.Statement as S;
  if (ts.isClassDeclaration(node))
    return factory.updateClassDeclaration(
      node,
      modifiers,
      node.name,
      node.typeParameters,
      node.heritageClauses,
      node.members,
    ) as ts.Statement as S;
  if (ts.isEnumDeclaration(node))
    return factory.updateEnumDeclaration(node, modifiers, node.name, node.members) as ts.Statement as S;
  if (ts.isModuleDeclaration(node))
    return factory.updateModuleDeclaration(node, modifiers, node.name, node.body) as ts.Statement as S;
  return statement;
}
