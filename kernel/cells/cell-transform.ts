// Transforms a cell's syntax tree into the body of an async function of `$`, the runtime of
// `cell-runtime.ts`.
// TypeScript's own transform runs afterwards and removes the types.
//
//   const { orders } = $.in;                           values of other cells
//   const { sum } = await $.import('sluice', ['sum']); imports stand before everything else
//   $.variable('totals');                              before each declaration; '' before others
//   const totals = $.kept('totals') ? $.keep('totals') data of the first evaluation, restored
//     : $.put('totals', orders.filter($.fn((o) => o.n > limit, () => [limit])));
//   $.last = totals;                                   the value of the last expression is shown
//   return { totals };
import ts from 'typescript';
import { isEffectFree } from './effect-free.ts';
import { noteLater } from './later-modules.ts';
import { hasModifier, type Reference } from './resolution.ts';
import { withoutExport } from './without-export.ts';

export interface TransformInput {
  /** References of this cell, sorted by offset. */
  readonly references: readonly Reference[];
  readonly cell: number;
  /** Names of other cells that this one reads. */
  readonly uses: readonly string[];
  /** Value names that this cell declares. */
  readonly declares: readonly string[];
  /** Whether the module with this specifier offset may be missing at run time. */
  readonly isForTypes: (specifierOffset: number) => boolean;
  /** Whether an imported name is used as a value, so that its absence is an error. */
  readonly isNeeded: (name: string) => boolean;
  /** The name of the script's parameter: `$`, or another name if the cell uses `$`. */
  readonly runtime: string;
  /**
   * Whether a function captures the reference. Imports from packages are constants, so only names
   * of the notebook and of its own modules are captured.
   */
  readonly isCaptured: (reference: Reference) => boolean;
  /** Modules beside the notebook that an `import()` names by a text. */
  readonly later: readonly string[];
}

const { factory } = ts;

export function cellTransform(input: TransformInput): ts.TransformerFactory<ts.SourceFile> {
  return (context) => (source) => {
    const writer = new CellWriter(input, source, context);
    return factory.updateSourceFile(source, [writer.script()]);
  };
}

class CellWriter {
  readonly #input: TransformInput;
  readonly #source: ts.SourceFile;
  readonly #context: ts.TransformationContext;
  #awaits = 0;

  constructor(input: TransformInput, source: ts.SourceFile, context: ts.TransformationContext) {
    this.#input = input;
    this.#source = source;
    this.#context = context;
  }

  /** `(async function ($) { "use strict"; … })` */
  script(): ts.Statement {
    const { uses, declares } = this.#input;
    const statements = this.#source.statements;
    const imports = statements.flatMap((statement) => this.#import(statement));
    const shown = lastStatement(statements);
    const body = statements.flatMap((statement) => this.#statement(statement, statement === shown));
    const block = [
      factory.createExpressionStatement(factory.createStringLiteral('use strict')),
      ...(uses.length === 0 ? [] : [constant(namesPattern(uses), this.#member('in'))]),
      ...imports,
      ...noteLater(this.#input.later, this.#member('later')),
      ...statements.flatMap((statement) => this.#registration(statement)),
      ...body,
      factory.createReturnStatement(
        factory.createObjectLiteralExpression(declares.map((name) => factory.createShorthandPropertyAssignment(name))),
      ),
    ];
    const parameter = factory.createParameterDeclaration(undefined, undefined, this.#input.runtime);
    const script = factory.createFunctionExpression(
      [factory.createModifier(ts.SyntaxKind.AsyncKeyword)],
      undefined,
      undefined,
      undefined,
      [parameter],
      undefined,
      factory.createBlock(block, true),
    );
    return factory.createExpressionStatement(factory.createParenthesizedExpression(script));
  }

  // ------------------------------------------------------------------------------------ statements

  #import(statement: ts.Statement): ts.Statement[] {
    if (ts.isExportDeclaration(statement) && statement.moduleSpecifier && !statement.isTypeOnly)
      return [factory.createExpressionStatement(this.#load(statement.moduleSpecifier, [], true))];
    if (!ts.isImportDeclaration(statement)) return [];
    const clause = statement.importClause;
    if (clause?.phaseModifier === ts.SyntaxKind.TypeKeyword) return [];
    const { moduleSpecifier } = statement;
    if (clause === undefined) return [factory.createExpressionStatement(this.#load(moduleSpecifier, [], false))];
    const elements: ts.BindingElement[] = [];
    const bind = (name: ts.Identifier, imported: ts.ModuleExportName): void => {
      const property = imported.text === name.text ? undefined : factory.createStringLiteral(imported.text);
      elements.push(factory.createBindingElement(undefined, property, name));
    };
    if (clause.name) bind(clause.name, factory.createIdentifier('default'));
    const bindings = clause.namedBindings;
    if (bindings && ts.isNamedImports(bindings))
      for (const element of bindings.elements)
        if (!element.isTypeOnly) bind(element.name, element.propertyName ?? element.name);
    const needed = elements
      .filter((element) => ts.isIdentifier(element.name) && this.#input.isNeeded(element.name.text))
      .map(
        (element) =>
          (element.propertyName as ts.StringLiteral | undefined)?.text ?? (element.name as ts.Identifier).text,
      );
    const isOptional = this.#input.isForTypes(moduleSpecifier.getStart(this.#source));
    const loaded = this.#load(moduleSpecifier, needed, isOptional);
    if (bindings && ts.isNamespaceImport(bindings)) {
      const namespace = constant(bindings.name, loaded);
      return elements.length === 0
        ? [namespace]
        : [namespace, constant(factory.createObjectBindingPattern(elements), bindings.name)];
    }
    if (elements.length === 0 && bindings && ts.isNamedImports(bindings) && bindings.elements.length > 0) return [];
    return [constant(factory.createObjectBindingPattern(elements), loaded)];
  }

  /**
   * `await $.import('specifier', ['needed'], isOptional)`. Errors are reported at the specifier.
   */
  #load(specifier: ts.Expression, needed: readonly string[], isOptional: boolean): ts.Expression {
    const names = factory.createArrayLiteralExpression(needed.map((name) => factory.createStringLiteral(name)));
    const call = factory.createCallExpression(this.#member('import'), undefined, [
      specifier,
      names,
      ...(isOptional ? [factory.createTrue()] : []),
    ]);
    return ts.setSourceMapRange(factory.createAwaitExpression(ts.setTextRange(call, specifier)), specifier);
  }

  #statement(statement: ts.Statement, isShown: boolean): ts.Statement[] {
    if (
      ts.isImportDeclaration(statement) ||
      ts.isExportDeclaration(statement) ||
      ts.isEmptyStatement(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      hasModifier(statement, ts.SyntaxKind.DeclareKeyword)
    )
      return [];
    if (ts.isVariableStatement(statement)) return this.#variables(statement);
    if (ts.isExpressionStatement(statement)) {
      const expression = this.#expression(statement.expression);
      const value = isShown ? assignment(this.#member('last'), expression) : expression;
      return [this.#variable(''), ts.setTextRange(factory.createExpressionStatement(value), statement)];
    }
    if (ts.isExportAssignment(statement)) {
      const expression = this.#expression(statement.expression);
      return [
        this.#variable(''),
        factory.createExpressionStatement(isShown ? assignment(this.#member('last'), expression) : expression),
      ];
    }
    if (ts.isFunctionDeclaration(statement)) return statement.name ? [withoutExport(statement)] : [];
    if (ts.isClassDeclaration(statement)) {
      if (!statement.name) return [];
      const declaration = ts.visitEachChild(statement, (node) => this.#visit(node), this.#context);
      const register = factory.createExpressionStatement(
        this.#annotate(factory.createIdentifier(statement.name.text), statement),
      );
      return [this.#variable(''), withoutExport(declaration), register];
    }
    if (ts.isEnumDeclaration(statement) || ts.isModuleDeclaration(statement)) return [withoutExport(statement)];
    return [this.#variable(''), this.#visit(statement) as ts.Statement];
  }

  /** One statement for each declaration, so that `$.variable` stands directly before it. */
  #variables(statement: ts.VariableStatement): ts.Statement[] {
    const { declarationList } = statement;
    return declarationList.declarations.flatMap((declaration) => {
      const names = boundNames(declaration.name);
      const isDisposable = (declarationList.flags & ts.NodeFlags.Using) !== 0;
      const initializer =
        declaration.initializer && this.#initializer(declaration.name, declaration.initializer, isDisposable);
      const single = factory.updateVariableDeclaration(
        declaration,
        this.#visit(declaration.name) as ts.BindingName,
        undefined,
        undefined,
        initializer,
      );
      const list = ts.setOriginalNode(
        factory.createVariableDeclarationList([single], declarationList.flags),
        declarationList,
      );
      return [
        this.#variable(names.join(',')),
        ts.setTextRange(factory.createVariableStatement(undefined, list), declaration),
      ];
    });
  }

  /**
   * `$.kept(key) ? $.keep(key) : $.put(key, value)`. An initializer that always gives the same
   * value is left as it is.
   */
  #initializer(name: ts.BindingName, initializer: ts.Expression, isDisposable: boolean): ts.Expression {
    const expression = ts.isAwaitExpression(initializer)
      ? factory.updateAwaitExpression(initializer, this.#expression(initializer.expression))
      : this.#expression(initializer, ts.isIdentifier(name) ? name.text : undefined);
    if (isDisposable || isRepeatable(initializer)) return expression;
    return this.#kept(boundNames(name).join(','), expression, initializer);
  }

  /** A function declaration is hoisted, so it is registered before all other statements. */
  #registration(statement: ts.Statement): ts.Statement[] {
    if (!ts.isFunctionDeclaration(statement) || !statement.name || !statement.body) return [];
    if (hasModifier(statement, ts.SyntaxKind.DeclareKeyword)) return [];
    return [
      factory.createExpressionStatement(this.#annotate(factory.createIdentifier(statement.name.text), statement)),
    ];
  }

  // ----------------------------------------------------------------------------------- the runtime

  #member(name: string): ts.Expression {
    return property(factory.createIdentifier(this.#input.runtime), name);
  }
  #variable(name: string): ts.Statement {
    const call = factory.createCallExpression(this.#member('variable'), undefined, [factory.createStringLiteral(name)]);
    return factory.createExpressionStatement(call);
  }
  /**
   * `original` is the place of the value in the user's text. V8 reports some errors of an argument
   * at the call around it.
   */
  #kept(key: string, value: ts.Expression, original: ts.Node): ts.Expression {
    const call = (method: string, ...rest: ts.Expression[]): ts.Expression =>
      factory.createCallExpression(this.#member(method), undefined, [factory.createStringLiteral(key), ...rest]);
    const put = this.#placed(call('put', value), original);
    return factory.createParenthesizedExpression(
      factory.createConditionalExpression(call('kept'), undefined, call('keep'), undefined, put),
    );
  }
  #placed<N extends ts.Node>(node: N, original: ts.Node): N {
    return ts.setSourceMapRange(node, { pos: original.getStart(this.#source), end: original.end });
  }

  // ----------------------------------------------------------------------------------- expressions

  #expression(node: ts.Expression, name?: string): ts.Expression {
    if (ts.isParenthesizedExpression(node))
      return factory.updateParenthesizedExpression(node, this.#expression(node.expression, name));
    if (isFunctionOrClass(node)) return this.#function(node, name);
    return this.#visit(node) as ts.Expression;
  }

  /**
   * Visits all nodes that are evaluated at the cell's top level. Inside functions it only looks for
   * `import()` and `import.meta`.
   */
  #visit(node: ts.Node): ts.Node {
    if (isFunctionOrClass(node)) return this.#function(node, undefined);
    if (ts.isFunctionLike(node)) return this.#inFunction(node);
    if (ts.isPropertyAssignment(node) && isFunctionOrClass(node.initializer) && !ts.isComputedPropertyName(node.name))
      return factory.updatePropertyAssignment(node, node.name, this.#function(node.initializer, nameOf(node.name)));
    if (ts.isObjectLiteralExpression(node)) {
      const visited = ts.visitEachChild(node, (child) => this.#visit(child), this.#context);
      const hasMethods = node.properties.some((member) => ts.isMethodDeclaration(member) || ts.isAccessor(member));
      return hasMethods ? this.#annotate(visited, node) : visited;
    }
    if (ts.isAwaitExpression(node)) {
      const key = `await#${++this.#awaits}`;
      const awaited = ts.visitEachChild(node, (child) => this.#visit(child), this.#context);
      return this.#kept(key, awaited, node);
    }
    if (ts.isForOfStatement(node) && node.awaitModifier) {
      const key = factory.createStringLiteral(`await#${++this.#awaits}`);
      const iterated = this.#visit(node.expression) as ts.Expression;
      return factory.updateForOfStatement(
        node,
        node.awaitModifier,
        this.#visit(node.initializer) as ts.ForInitializer,
        factory.createCallExpression(this.#member('iterate'), undefined, [key, iterated]),
        this.#visit(node.statement) as ts.Statement,
      );
    }
    return this.#module(node) ?? ts.visitEachChild(node, (child) => this.#visit(child), this.#context);
  }

  #function(
    node: ts.ArrowFunction | ts.FunctionExpression | ts.ClassExpression,
    name: string | undefined,
  ): ts.Expression {
    return this.#annotate(this.#inFunction(node) as ts.Expression, node, node.name === undefined ? name : undefined);
  }

  #inFunction(node: ts.Node): ts.Node {
    return this.#module(node) ?? ts.visitEachChild(node, (child) => this.#inFunction(child), this.#context);
  }

  /** `import('x')` and `import.meta` are not allowed in a script, so the runtime replaces them. */
  #module(node: ts.Node): ts.Node | undefined {
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
      return ts.setTextRange(this.#member('meta'), node);
    if (!ts.isCallExpression(node) || node.expression.kind !== ts.SyntaxKind.ImportKeyword) return undefined;
    const parameters = node.arguments.map((argument) => this.#inFunction(argument) as ts.Expression);
    return ts.setTextRange(
      factory.createCallExpression(this.#member('import'), undefined, parameters.slice(0, 1)),
      node,
    );
  }

  /** `$.fn(literal, () => [captured…], name, isEffectFree)`. */
  #annotate(expression: ts.Expression, original: ts.Node, name?: string): ts.Expression {
    const outside = this.#readOutside(original);
    const names = namesOf(outside.filter(this.#input.isCaptured));
    // What comes from a package is not looked into.
    const isFree = outside.every(this.#input.isCaptured) && isEffectFree(original, names);
    const values = factory.createArrowFunction(
      undefined,
      undefined,
      [],
      undefined,
      undefined,
      factory.createArrayLiteralExpression(names.map((text) => factory.createIdentifier(text))),
    );
    const call = factory.createCallExpression(this.#member('fn'), undefined, [
      expression,
      values,
      ...(name === undefined ? (isFree ? [factory.createVoidZero()] : []) : [factory.createStringLiteral(name)]),
      ...(isFree ? [factory.createTrue()] : []),
    ]);
    return this.#placed(call, original);
  }

  /** References of the literal to what the notebook declares outside it. */
  #readOutside(node: ts.Node): readonly Reference[] {
    const from = node.getStart(this.#source);
    const isInside = (offset: number): boolean => offset >= from && offset < node.end;
    return this.#input.references.filter(
      ({ at, declaredAt }) =>
        isInside(at.offset) && !(declaredAt.cell === this.#input.cell && isInside(declaredAt.offset)),
    );
  }
}

// ------------------------------------------------------------------------------------ small pieces

function lastStatement(statements: readonly ts.Statement[]): ts.Statement | undefined {
  return statements.findLast(
    (statement) =>
      !ts.isEmptyStatement(statement) && !(ts.isExportDeclaration(statement) && !statement.moduleSpecifier),
  );
}

type FunctionOrClass = ts.ArrowFunction | ts.FunctionExpression | ts.ClassExpression;
function isFunctionOrClass(node: ts.Node): node is FunctionOrClass {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isClassExpression(node);
}
/**
 * Whether evaluating the node again gives the same value: it calls, constructs and awaits nothing.
 * Functions are created again in any case.
 */
function isRepeatable(node: ts.Node): boolean {
  if (ts.isFunctionLike(node) || ts.isClassLike(node)) return true;
  if (ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isAwaitExpression(node)) return false;
  if (ts.isTaggedTemplateExpression(node)) return false;
  return !ts.forEachChild(node, (child) => !isRepeatable(child) || undefined);
}

function namesOf(references: readonly Reference[]): string[] {
  return [...new Set(references.map(({ name }) => name))];
}
function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}
function nameOf(name: ts.PropertyName): string | undefined {
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : undefined;
}

const property = (object: ts.Expression, name: string): ts.PropertyAccessExpression =>
  factory.createPropertyAccessExpression(object, name);
const assignment = (target: ts.Expression, value: ts.Expression): ts.Expression =>
  factory.createBinaryExpression(target, ts.SyntaxKind.EqualsToken, value);
const namesPattern = (names: readonly string[]): ts.BindingName =>
  factory.createObjectBindingPattern(names.map((name) => factory.createBindingElement(undefined, undefined, name)));

function constant(name: ts.BindingName, value: ts.Expression): ts.Statement {
  const declaration = factory.createVariableDeclaration(name, undefined, undefined, value);
  return factory.createVariableStatement(
    undefined,
    factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const),
  );
}
