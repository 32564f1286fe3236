// From a type of the checker to the type of rows in a plan.
//
//   number → double, bigint → long, Date → timestamp, Uint8Array → bytes, an object type → row,
//   an array or tuple → list, Map and Record<string, …> → map; null, undefined and a missing field
//   make a type nullable. A union of objects is a row with the fields of all. All else is any.
import ts from 'typescript';
import type { RowType } from '../../engine/graph/row-type.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { isOfLibrary } from './value-types.ts';

const deepest = 10;
const empty = ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Void;
const any: RowType = { type: 'any' };

export function rowType(type: ts.Type, typed: TypedModule): RowType {
  return typeOf(type, typed, []);
}

function typeOf(type: ts.Type, typed: TypedModule, around: readonly ts.Type[]): RowType {
  const { flags } = type;
  if (flags & empty) return { type: 'any', nullable: true };
  if (flags & (ts.TypeFlags.StringLike | ts.TypeFlags.TemplateLiteral)) return { type: 'string' };
  if (type.isUnion()) return unionOf(type, typed, around);
  if (flags & ts.TypeFlags.NumberLike) return { type: 'double' };
  if (flags & ts.TypeFlags.BooleanLike) return { type: 'boolean' };
  if (flags & ts.TypeFlags.BigIntLike) return { type: 'long' };
  if (type.isIntersection() && type.types.some((part) => part.flags & ts.TypeFlags.StringLike))
    return { type: 'string' };
  if (type.isIntersection() && type.types.some((part) => part.flags & ts.TypeFlags.NumberLike))
    return { type: 'double' };
  if (!(flags & ts.TypeFlags.Object) && !type.isIntersection()) return any;
  // A type that contains itself has no end.
  if (around.length >= deepest || around.includes(type)) return any;
  return objectOf(type, typed, [...around, type]);
}

function objectOf(type: ts.Type, typed: TypedModule, around: readonly ts.Type[]): RowType {
  const { checker } = typed;
  const isReference = ((type as ts.ObjectType).objectFlags & ts.ObjectFlags.Reference) !== 0;
  const parts = isReference ? checker.getTypeArguments(type as ts.TypeReference) : [];
  const inner = (part: ts.Type | undefined): RowType => (part ? typeOf(part, typed, around) : any);
  if (checker.isTupleType(type)) return { type: 'list', of: parts.map(inner).reduce(merged, undefined) ?? any };
  if (checker.isArrayType(type)) return { type: 'list', of: inner(parts[0]) };
  const symbol = type.getSymbol();
  if (symbol && isOfLibrary(symbol)) {
    if (symbol.name === 'Date') return { type: 'timestamp' };
    if (symbol.name === 'Uint8Array' || symbol.name === 'Buffer') return { type: 'bytes' };
    if (symbol.name === 'Map' || symbol.name === 'ReadonlyMap')
      return { type: 'map', key: inner(parts[0]), value: inner(parts[1]) };
  }
  if (type.getCallSignatures().length > 0 || type.getConstructSignatures().length > 0) return any;
  const fields = type.getProperties();
  const byName = checker.getIndexInfoOfType(type, ts.IndexKind.String);
  if (byName) return fields.length > 0 ? any : { type: 'map', key: { type: 'string' }, value: inner(byName.type) };
  // Classes have fields and methods; rows have fields alone. {} is every value but null.
  const isClass = symbol !== undefined && (symbol.flags & ts.SymbolFlags.Class) !== 0;
  if (isClass || fields.length === 0 || fields.some(isMethod)) return any;
  return {
    type: 'row',
    fields: Object.fromEntries(
      fields.map((field) => {
        const found = inner(checker.getTypeOfSymbolAtLocation(field, typed.source));
        return [field.name, field.flags & ts.SymbolFlags.Optional ? nullable(found) : found];
      }),
    ),
  };
}

function unionOf(type: ts.UnionType, typed: TypedModule, around: readonly ts.Type[]): RowType {
  const members = type.types.filter(({ flags }) => !(flags & empty));
  const isNullable = members.length < type.types.length;
  const found = members.map((member) => typeOf(member, typed, around)).reduce(merged, undefined) ?? any;
  return isNullable ? nullable(found) : found;
}

function nullable(type: RowType): RowType {
  return { ...type, nullable: true };
}

/** Of two types, one that holds the values of both. */
function merged(a: RowType | undefined, b: RowType): RowType {
  if (a === undefined) return b;
  const isNullable = a.nullable ?? b.nullable;
  const whole = mergedKinds(a, b);
  return isNullable ? nullable(whole) : whole;
}
function mergedKinds(a: RowType, b: RowType): RowType {
  if (a.type === 'row' && b.type === 'row') {
    const fields = [...new Set([...Object.keys(a.fields), ...Object.keys(b.fields)])].map((name) => {
      const [one, other] = [a.fields[name], b.fields[name]];
      return [name, one && other ? merged(one, other) : nullable((one ?? other)!)] as const;
    });
    return { type: 'row', fields: Object.fromEntries(fields) };
  }
  if (a.type === 'list' && b.type === 'list') return { type: 'list', of: merged(a.of, b.of) };
  if (a.type === 'map' && b.type === 'map')
    return { type: 'map', key: merged(a.key, b.key), value: merged(a.value, b.value) };
  return a.type === b.type ? a : any;
}

function isMethod(field: ts.Symbol): boolean {
  return (field.flags & ts.SymbolFlags.Method) !== 0;
}

/** "list<row<id: long, note: string?>>" */
export function rowTypeText(type: RowType): string {
  return `${kindText(type)}${type.nullable ? '?' : ''}`;
}
function kindText(type: RowType): string {
  if (type.type === 'list') return `list<${rowTypeText(type.of)}>`;
  if (type.type === 'map') return `map<${rowTypeText(type.key)}, ${rowTypeText(type.value)}>`;
  if (type.type !== 'row') return type.type;
  return `row<${Object.entries(type.fields)
    .map(([name, inner]) => `${name}: ${rowTypeText(inner)}`)
    .join(', ')}>`;
}

/** The path of the first part without a type: '' is the row itself. undefined: all have one. */
export function untypedPath(type: RowType, path = ''): string | undefined {
  if (type.type === 'any') return path;
  if (type.type === 'list') return untypedPath(type.of, `${path}[]`);
  if (type.type === 'map') return untypedPath(type.key, `${path}{key}`) ?? untypedPath(type.value, `${path}{}`);
  if (type.type !== 'row') return undefined;
  for (const [name, inner] of Object.entries(type.fields)) {
    const found = untypedPath(inner, path === '' ? name : `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
