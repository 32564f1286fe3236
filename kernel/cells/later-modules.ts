// The modules beside the notebook that a cell or a helper may import later: an `import()` names
// them by a text.
//
//   await $.later(['./lazy.ts'])     the cell keeps the texts that they have now
import ts from 'typescript';
import { isRelative } from './specifiers.ts';

const { factory } = ts;

export function laterSpecifiers(text: string): readonly string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier && ts.isStringLiteralLike(specifier) && isRelative(specifier.text)) found.add(specifier.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('cell.ts', text, ts.ScriptTarget.ESNext));
  return [...found];
}

/** `later`: the call of the runtime. */
export function noteLater(specifiers: readonly string[], later: ts.Expression): ts.Statement[] {
  if (specifiers.length === 0) return [];
  const texts = specifiers.map((specifier) => factory.createStringLiteral(specifier));
  const call = factory.createCallExpression(later, undefined, [factory.createArrayLiteralExpression(texts)]);
  return [factory.createExpressionStatement(factory.createAwaitExpression(call))];
}
