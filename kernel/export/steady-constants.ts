// Constants that an editor may evaluate while the user types: their definitions change nothing
// outside of JavaScript, and read clock and randomness at most. No file, no module, no global
// object of Node.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import type { CapturedValue } from './captured-values.ts';
import { DependenceFinder } from './dependence.ts';
import { valueNodes } from './evaluated-nodes.ts';
import { originsAt } from './origins.ts';
import type { Statement } from './statements.ts';

/** Globals of the language, and some of the platform that only compute. */
const harmless = new Set([
  ...['undefined', 'NaN', 'Infinity', 'isNaN', 'isFinite', 'parseInt', 'parseFloat', 'Object', 'Boolean', 'Symbol'],
  ...['Number', 'BigInt', 'Math', 'Date', 'String', 'RegExp', 'Array', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef'],
  ...['ArrayBuffer', 'SharedArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array'],
  ...['Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  ...['JSON', 'Reflect', 'Proxy', 'Promise', 'Intl', 'Error', 'TypeError', 'RangeError', 'AggregateError'],
  ...['encodeURI', 'encodeURIComponent', 'decodeURI', 'decodeURIComponent', 'structuredClone', 'atob', 'btoa'],
  ...['URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'AbortController', 'Headers', 'console'],
  ...['performance', 'crypto'],
]);

/** `statements`: those that the job keeps. */
export function steadyValues(
  captured: readonly CapturedValue[],
  statements: readonly Statement[],
  typed: TypedModule,
): readonly CapturedValue[] {
  const finder = new DependenceFinder(statements, typed);
  return captured.filter(
    ({ kind, declared, dependences }) =>
      kind === 'constant' &&
      !dependences.isOfStart &&
      [...finder.reach(declared)].every(({ node }) => isSteady(node, typed)),
  );
}

function isSteady(statement: ts.Statement, { checker }: TypedModule): boolean {
  // A module runs whole when it is imported.
  if (ts.isImportDeclaration(statement)) return false;
  for (const node of valueNodes(statement)) {
    if (ts.isMetaProperty(node) || node.kind === ts.SyntaxKind.ImportKeyword) return false;
    // The way from any value to `Function`, which makes code of a text.
    if ((ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && node.text === 'constructor') return false;
    if (ts.isIdentifier(node) && originsAt(node, checker).some((origin) => !harmless.has(origin.split('.', 1)[0]!)))
      return false;
  }
  return true;
}
