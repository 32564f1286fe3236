// The identifier at a place of a file, found by its offset.
import ts from 'typescript';

/** undefined: another thing stands there. */
export function identifierAt(source: ts.SourceFile, offset: number): ts.Identifier | undefined {
  let node: ts.Node | undefined = source;
  while (node && !ts.isIdentifier(node))
    node = ts.forEachChild(node, (child) =>
      child.getStart(source) <= offset && offset < child.end ? child : undefined,
    );
  return node;
}
