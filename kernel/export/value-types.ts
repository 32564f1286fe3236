// Whether a captured value can go into a job, as far as its type says: data can be cloned, code is
// evaluated again, and a live object (a socket, a handle, an instance of a class) cannot go.
import ts from 'typescript';
import type { TypedModule } from '../cells/language-service.ts';
import { ourType } from './surface-calls.ts';

export type ValueClass =
  | { readonly kind: 'data' | 'code' | 'ours' | 'unknown' }
  /** `name`: of its class or interface. */
  | { readonly kind: 'instance'; readonly name: string };

/** Of JavaScript itself. Their instances are data. */
const dataClasses = new Set([
  ...['Date', 'RegExp', 'Map', 'Set', 'ReadonlyMap', 'ReadonlySet', 'Array', 'ReadonlyArray', 'ArrayBuffer'],
  ...['DataView', 'Buffer', 'Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array'],
  ...['Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  ...['ArrayBufferView', 'String', 'Number', 'Boolean', 'Object'],
]);
const primitive =
  ts.TypeFlags.StringLike |
  ts.TypeFlags.NumberLike |
  ts.TypeFlags.BooleanLike |
  ts.TypeFlags.BigIntLike |
  ts.TypeFlags.ESSymbolLike |
  ts.TypeFlags.EnumLike |
  ts.TypeFlags.Null |
  ts.TypeFlags.Undefined |
  ts.TypeFlags.Void |
  ts.TypeFlags.Never;
const deepest = 5;

export function classOfType(type: ts.Type, typed: TypedModule, depth = 0): ValueClass {
  if (type.flags & primitive) return { kind: 'data' };
  if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.TypeParameter)) return { kind: 'unknown' };
  if (depth > deepest) return { kind: 'data' };
  if (type.isUnionOrIntersection()) return worst(type.types.map((member) => classOfType(member, typed, depth + 1)));
  if (ourType(type, typed) !== undefined) return { kind: 'ours' };
  const { checker } = typed;
  const parts = (checker.getTypeArguments(type as ts.TypeReference) ?? []).filter((part) => part !== type);
  if (checker.isArrayType(type) || checker.isTupleType(type))
    return worst(parts.map((part) => classOfType(part, typed, depth + 1)));
  const symbol = type.getSymbol();
  if (symbol && isOfLibrary(symbol) && dataClasses.has(symbol.name))
    return worst(parts.map((part) => classOfType(part, typed, depth + 1)));
  if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0) return { kind: 'code' };
  if (symbol && isInstance(symbol)) return { kind: 'instance', name: symbol.name };
  return membersOf(type, typed, depth);
}

function membersOf(type: ts.Type, typed: TypedModule, depth: number): ValueClass {
  const { checker, source } = typed;
  const fields = type
    .getProperties()
    .map((property) => classOfType(checker.getTypeOfSymbolAtLocation(property, source), typed, depth + 1));
  const rest = checker.getIndexInfosOfType(type).map((info) => classOfType(info.type, typed, depth + 1));
  const found = worst([...fields, ...rest]);
  // A field of an unknown type makes no live object of an object literal.
  return found.kind === 'instance' ? found : { kind: 'data' };
}

function worst(found: readonly ValueClass[]): ValueClass {
  const order = ['instance', 'unknown', 'code', 'ours'] as const;
  for (const kind of order) {
    const one = found.find((candidate) => candidate.kind === kind);
    if (one) return one;
  }
  return { kind: 'data' };
}

/** Of a class, or of an interface of a library that has a constructor or methods. */
function isInstance(symbol: ts.Symbol): boolean {
  if (symbol.flags & ts.SymbolFlags.Class) return true;
  if (!(symbol.flags & ts.SymbolFlags.Interface)) return false;
  if (symbol.flags & ts.SymbolFlags.Value) return true;
  const isOfPackage = symbol.declarations?.every((one) => one.getSourceFile().isDeclarationFile) ?? false;
  return isOfPackage && [...(symbol.members?.values() ?? [])].some(({ flags }) => flags & ts.SymbolFlags.Method);
}
/** Of JavaScript, Node or a package, as far as its types say. */
export function isOfLibrary(symbol: ts.Symbol): boolean {
  return symbol.declarations?.some((one) => one.getSourceFile().isDeclarationFile) ?? false;
}
