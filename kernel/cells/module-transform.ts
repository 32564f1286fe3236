// Registers the values that functions of a helper module capture, as cells do.
// So a changed constant of a helper changes the fingerprints of all operators that use it.
import ts from 'typescript';
import { identifierAt } from './identifier-at.ts';
import { isInFunction, Resolver, type Reference } from './resolution.ts';
import { isRelative } from './specifiers.ts';

const { factory } = ts;

export function annotateLiterals(text: string): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (source) => {
    const { references } = new Resolver().resolve([{ id: 'module', kind: 'code', text }]);
    const captured = references.filter(({ declared }) => declared?.from === undefined || isRelative(declared.from));
    const visitor = new ModuleVisitor(source, captured, context);
    return visitor.transform();
  };
}

class ModuleVisitor {
  readonly #source: ts.SourceFile;
  readonly #references: readonly Reference[];
  readonly #context: ts.TransformationContext;
  constructor(source: ts.SourceFile, references: readonly Reference[], context: ts.TransformationContext) {
    this.#source = source;
    this.#references = references;
    this.#context = context;
  }

  transform(): ts.SourceFile {
    const registrations: ts.Statement[] = [];
    const statements = this.#source.statements.flatMap((statement): ts.Statement[] => {
      const isNamed = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement);
      if (!isNamed || statement.name === undefined || (ts.isFunctionDeclaration(statement) && !statement.body))
        return [this.#visit(statement) as ts.Statement];
      const register = factory.createExpressionStatement(this.#annotate(reference(statement.name), statement));
      if (ts.isClassDeclaration(statement)) return [this.#visit(statement) as ts.Statement, register];
      registrations.push(register);
      return [this.#inFunction(statement) as ts.Statement];
    });
    const at = statements.findLastIndex((statement) => ts.isImportDeclaration(statement)) + 1;
    return factory.updateSourceFile(this.#source, statements.toSpliced(at, 0, ...registrations));
  }

  #visit(node: ts.Node): ts.Node {
    if (ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isClassExpression(node))
      return this.#annotate(this.#inFunction(node) as ts.Expression, node, inferredName(node));
    if (ts.isFunctionLike(node)) return this.#inFunction(node);
    const visited = this.#module(node) ?? ts.visitEachChild(node, (child) => this.#visit(child), this.#context);
    const hasMethods =
      ts.isObjectLiteralExpression(node) &&
      node.properties.some((member) => ts.isMethodDeclaration(member) || ts.isAccessor(member));
    return hasMethods && !isInFunction(node) ? this.#annotate(visited as ts.Expression, node) : visited;
  }
  #inFunction(node: ts.Node): ts.Node {
    return this.#module(node) ?? ts.visitEachChild(node, (child) => this.#inFunction(child), this.#context);
  }

  /** A script has neither `import()` nor `import.meta`, so the runtime provides both. */
  #module(node: ts.Node): ts.Node | undefined {
    const $ = (member: string): ts.Expression =>
      factory.createPropertyAccessExpression(factory.createIdentifier('$'), member);
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return $('meta');
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return undefined;
    const specifier = node.arguments[0] ?? factory.createStringLiteral('');
    return ts.setTextRange(
      factory.createCallExpression($('import'), undefined, [this.#inFunction(specifier) as ts.Expression]),
      node,
    );
  }

  #annotate(expression: ts.Expression, node: ts.Node, name?: string): ts.Expression {
    const from = node.getStart(this.#source);
    const isInside = (offset: number): boolean => offset >= from && offset < node.end;
    const captured = new Map<string, Reference>();
    for (const found of this.#references)
      if (isInside(found.at.offset) && !isInside(found.declaredAt.offset)) captured.set(found.name, found);
    const names = [...captured.values()].map((found) => reference(nameAt(this.#source, found.at.offset)));
    const values = factory.createArrowFunction(
      undefined,
      undefined,
      [],
      undefined,
      undefined,
      factory.createArrayLiteralExpression(names),
    );
    const fn = factory.createPropertyAccessExpression(factory.createIdentifier('$'), 'fn');
    return factory.createCallExpression(fn, undefined, [
      expression,
      values,
      ...(name === undefined ? [] : [factory.createStringLiteral(name)]),
    ]);
  }
}

/**
 * A new use of the same variable. TypeScript rewrites imports and exports for CommonJS only if the
 * original node is known.
 */
function reference(original: ts.Identifier): ts.Identifier {
  return ts.setOriginalNode(factory.createIdentifier(original.text), original);
}

function nameAt(source: ts.SourceFile, offset: number): ts.Identifier {
  const name = identifierAt(source, offset);
  if (name === undefined) throw new Error(`There is no name at ${offset}.`);
  return name;
}

function inferredName(node: ts.ArrowFunction | ts.FunctionExpression | ts.ClassExpression): string | undefined {
  if (node.name !== undefined) return undefined;
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent))
    return ts.isIdentifier(parent.name) ? parent.name.text : undefined;
  return undefined;
}
