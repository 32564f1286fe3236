// Callbacks that give a Promise where Sluice wants a plain value. Their types are often right, as
// of map(async …), but nothing awaits the Promise.
import ts from 'typescript';
import { bare } from './syntax.ts';
import { type CheckedTypes, ourCallee } from './our-callee.ts';

export interface AsyncCallback {
  readonly start: number;
  readonly length: number;
  readonly message: string;
}

/** The calls that await what their function gives. */
const awaiting = new Set(['mapAsync', 'sink']);

export function asyncCallbacks(source: ts.SourceFile, types: CheckedTypes): AsyncCallback[] {
  const found: AsyncCallback[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const verb = ourCallee(node, types);
      if (verb !== undefined && !awaiting.has(verb))
        for (const callback of node.arguments.flatMap(callbacksIn))
          if (givesPromise(callback, types.checker))
            found.push({
              start: callback.getStart(source),
              length: callback.getEnd() - callback.getStart(source),
              message: `This function of ${verb}() gives a Promise, and ${verb}() takes a plain value. Use mapAsync() for what has to be awaited.`,
            });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/**
 * The functions of an argument: itself, or those in literals of objects and lists, however deep.
 */
function callbacksIn(argument: ts.Expression): ts.Node[] {
  const inner = bare(argument);
  if (ts.isArrayLiteralExpression(inner)) return inner.elements.flatMap(callbacksIn);
  if (!ts.isObjectLiteralExpression(inner)) return [inner];
  return inner.properties.flatMap((property): ts.Node[] => {
    if (ts.isMethodDeclaration(property)) return [property];
    if (ts.isShorthandPropertyAssignment(property)) return [property.name];
    if (ts.isSpreadAssignment(property)) return callbacksIn(property.expression);
    return ts.isPropertyAssignment(property) ? callbacksIn(property.initializer) : [];
  });
}

function givesPromise(callback: ts.Node, checker: ts.TypeChecker): boolean {
  const [signature] = checker.getTypeAtLocation(callback).getCallSignatures();
  if (!signature || ts.isCallExpression(callback)) return false;
  const given = checker.getReturnTypeOfSignature(signature);
  const types = given.isUnion() ? given.types : [given];
  return types.some((type) => {
    const then = type.getProperty('then');
    return then !== undefined && checker.getTypeOfSymbol(then).getCallSignatures().length > 0;
  });
}
