// Which function literals are known to have no effect, from their text: a display may call such a
// function once more, for rows of windows that are still open, and nobody can tell.
//
// Only what is listed here is accepted. So a function of another form is called for closed windows
// only; nothing is guessed. It may read its parameters, its own variables and what it captures. It
// assigns nothing but its own constants, has no loop, and calls only what is listed.
import ts from 'typescript';
import { assigns, counts } from './assignments.ts';

/** Constants and functions of JavaScript's own that change nothing. `'*'`: all of their methods. */
const namespaces = new Map<string, readonly string[] | '*'>([
  ['Math', '*'],
  ['Number', '*'],
  ['Array', ['isArray']],
  ['Object', ['entries', 'fromEntries', 'keys', 'values']],
]);
const constants = new Set(['undefined', 'NaN', 'Infinity']);
const conversions = new Set(['Number', 'String', 'Boolean', 'BigInt', 'isFinite', 'isNaN', 'parseFloat', 'parseInt']);
const methods = new Set(
  `at charAt concat endsWith entries every filter find findLast flat flatMap includes indexOf join keys lastIndexOf map
   match padEnd padStart reduce repeat replace replaceAll slice some split startsWith substring test toFixed toISOString
   toLocaleDateString toLocaleString toLocaleTimeString toLowerCase toPrecision toSorted toString toUpperCase trim
   trimEnd trimStart values getTime getDate getDay getFullYear getHours getMinutes getMonth getSeconds getUTCDate
   getUTCDay getUTCFullYear getUTCHours getUTCMinutes getUTCMonth getUTCSeconds`.split(/\s+/),
);
/** Methods that call what they are given: it must be a function of the literal itself. */
const callsBack = new Set([
  'every',
  'filter',
  'find',
  'findLast',
  'flatMap',
  'map',
  'reduce',
  'replace',
  'replaceAll',
  'some',
  'toSorted',
]);

type FunctionLiteral = ts.ArrowFunction | ts.FunctionExpression | ts.FunctionDeclaration;

/** `captured`: the names that the literal takes from outside. What they hold is tested later. */
export function isEffectFree(node: ts.Node, captured: readonly string[]): boolean {
  if (!isFunctionLiteral(node)) return false;
  const own = new Set<string>();
  collectNames(node, own);
  const isHidden = [...own, ...captured].some((name) => namespaces.has(name) || conversions.has(name));
  return !isHidden && new Reading(new Set([...own, ...captured, ...constants])).function(node);
}

function isFunctionLiteral(node: ts.Node): node is FunctionLiteral {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node) || ts.isFunctionDeclaration(node);
}

function collectNames(node: ts.Node, names: Set<string>): void {
  if (
    (ts.isParameter(node) || ts.isVariableDeclaration(node) || ts.isBindingElement(node)) &&
    ts.isIdentifier(node.name)
  )
    names.add(node.name.text);
  ts.forEachChild(node, (child) => collectNames(child, names));
}

/** Nodes that do nothing by themselves: their parts decide. */
const transparent = new Set([
  ts.SyntaxKind.ArrayBindingPattern,
  ts.SyntaxKind.ArrayLiteralExpression,
  ts.SyntaxKind.AsExpression,
  ts.SyntaxKind.Block,
  ts.SyntaxKind.ComputedPropertyName,
  ts.SyntaxKind.ConditionalExpression,
  ts.SyntaxKind.ElementAccessExpression,
  ts.SyntaxKind.IfStatement,
  ts.SyntaxKind.NonNullExpression,
  ts.SyntaxKind.ObjectBindingPattern,
  ts.SyntaxKind.ObjectLiteralExpression,
  ts.SyntaxKind.OmittedExpression,
  ts.SyntaxKind.ParenthesizedExpression,
  ts.SyntaxKind.ReturnStatement,
  ts.SyntaxKind.SatisfiesExpression,
  ts.SyntaxKind.SpreadAssignment,
  ts.SyntaxKind.SpreadElement,
  ts.SyntaxKind.TemplateExpression,
  ts.SyntaxKind.TemplateSpan,
  ts.SyntaxKind.TypeOfExpression,
]);

class Reading {
  readonly #names: ReadonlySet<string>;
  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  function(node: FunctionLiteral): boolean {
    const isPlain = node.asteriskToken === undefined && node.modifiers === undefined;
    const parameters = node.parameters.every((parameter) => this.#binding(parameter));
    return isPlain && parameters && node.body !== undefined && this.#node(node.body);
  }
  #binding({ name, initializer }: ts.ParameterDeclaration | ts.VariableDeclaration | ts.BindingElement): boolean {
    return (ts.isIdentifier(name) || this.#node(name)) && (initializer === undefined || this.#node(initializer));
  }
  #all(nodes: readonly ts.Node[]): boolean {
    return nodes.every((node) => this.#node(node));
  }

  #node(node: ts.Node): boolean {
    if (ts.isIdentifier(node)) return this.#names.has(node.text);
    if (ts.isTypeNode(node) || ts.isToken(node) || ts.isLiteralExpression(node)) return isValue(node);
    if (transparent.has(node.kind)) return !ts.forEachChild(node, (child) => (this.#node(child) ? undefined : true));
    if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return this.function(node);
    if (ts.isBindingElement(node)) return this.#binding(node) && !(node.propertyName && !this.#key(node.propertyName));
    if (ts.isVariableStatement(node)) return this.#constants(node.declarationList);
    if (ts.isPropertyAssignment(node)) return this.#key(node.name) && this.#node(node.initializer);
    if (ts.isShorthandPropertyAssignment(node)) return this.#names.has(node.name.text);
    if (ts.isPropertyAccessExpression(node)) return this.#isStatic(node) || this.#node(node.expression);
    if (ts.isBinaryExpression(node)) return !assigns(node.operatorToken) && this.#all([node.left, node.right]);
    if (ts.isPrefixUnaryExpression(node)) return !counts(node) && this.#node(node.operand);
    if (ts.isCallExpression(node))
      return (
        this.#isKnown(node.expression) && this.#isSafe(node.expression, node.arguments) && this.#all(node.arguments)
      );
    return ts.isNewExpression(node) && this.#isDate(node);
  }
  #constants({ flags, declarations }: ts.VariableDeclarationList): boolean {
    const isOther = (flags & (ts.NodeFlags.Let | ts.NodeFlags.Using)) !== 0;
    const isConst = (flags & ts.NodeFlags.Const) !== 0 && !isOther;
    return isConst && declarations.every((declaration) => this.#binding(declaration));
  }
  /** Without an argument it would be another time with each call. */
  #isDate({ expression, arguments: parameters }: ts.NewExpression): boolean {
    const isOwn = ts.isIdentifier(expression) && expression.text === 'Date' && !this.#names.has('Date');
    return isOwn && parameters !== undefined && parameters.length > 0 && this.#all(parameters);
  }
  #key(name: ts.PropertyName): boolean {
    return !ts.isComputedPropertyName(name) || this.#node(name);
  }
  #isKnown(callee: ts.Expression): boolean {
    if (ts.isIdentifier(callee)) return conversions.has(callee.text);
    if (!ts.isPropertyAccessExpression(callee)) return false;
    return this.#isStatic(callee) || (methods.has(callee.name.text) && this.#node(callee.expression));
  }
  /** A value of a row may be a function, which a method would call. */
  #isSafe(callee: ts.Expression, parameters: readonly ts.Expression[]): boolean {
    if (!ts.isPropertyAccessExpression(callee) || !callsBack.has(callee.name.text)) return true;
    return parameters.every(
      (one) => isFunctionLiteral(one) || ts.isLiteralExpression(one) || ts.isTemplateExpression(one),
    );
  }
  /** `Math.max`, `Number.EPSILON` */
  #isStatic({ expression, name }: ts.PropertyAccessExpression): boolean {
    const allowed = ts.isIdentifier(expression) ? namespaces.get(expression.text) : undefined;
    return allowed === '*' || allowed?.includes(name.text) === true;
  }
}

/** Of tokens and literals: `this` and `super` are neither parameters nor captured. */
function isValue({ kind }: ts.Node): boolean {
  return kind !== ts.SyntaxKind.ThisKeyword && kind !== ts.SyntaxKind.SuperKeyword;
}
