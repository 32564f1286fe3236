// An Avro schema as a tree of types. Names are resolved; a record that contains itself is a circle
// in the tree.
//
// Unknown logical types are read as the type below them, as the specification wants it. Names may
// have any characters, because registries accept them; each use in generated code is quoted.
import { BadSchema, deepestSchema, mostTypes, parseSchemaJson } from './limits.ts';
import type { SchemaText } from '../graph/format-spec.ts';

export type Primitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string';
export type Logical =
  | { readonly kind: 'date' | 'time-millis' | 'time-micros' | 'uuid' | 'duration' }
  | { readonly kind: 'timestamp' | 'local-timestamp'; readonly perMilli: 1 | 1_000 | 1_000_000 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

export interface PrimitiveType {
  readonly kind: Primitive;
  readonly logical?: Logical | undefined;
}
export interface FixedType {
  readonly kind: 'fixed';
  readonly name: string;
  readonly size: number;
  readonly logical?: Logical | undefined;
}
export interface EnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly symbols: readonly string[];
}
export interface ArrayType {
  readonly kind: 'array';
  readonly items: AvroType;
}
export interface MapType {
  readonly kind: 'map';
  readonly values: AvroType;
}
export interface UnionType {
  readonly kind: 'union';
  readonly branches: readonly AvroType[];
  /**
   * Two branches or more are objects (records, maps), so a value alone would not tell its branch:
   * it is { [name of the branch]: value }.
   */
  readonly isWrapped: boolean;
}
export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
  /** As JSON; undefined: there is none. */
  readonly default?: unknown;
}
export interface RecordType {
  readonly kind: 'record';
  readonly name: string;
  readonly fields: AvroField[];
  /** It contains itself, directly or through others. */
  isRecursive: boolean;
}
export type AvroType = PrimitiveType | FixedType | EnumType | ArrayType | MapType | UnionType | RecordType;

const primitives: readonly string[] = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
const longestName = 1_000;
const largestFixed = 1 << 20;

/** Errors: BadSchema. */
export function parseAvro({ text, references }: SchemaText): AvroType {
  const parser = new Parser();
  for (const reference of references) parser.parse(jsonOf(reference.text), '', 0);
  return parser.parse(jsonOf(text), '', 0);
}

/** A registry keeps the schema "string" also without its quotes. */
function jsonOf(text: string): unknown {
  return primitives.includes(text.trim()) ? text.trim() : parseSchemaJson(text);
}

type Json = Readonly<Record<string, unknown>>;

class Parser {
  readonly #named = new Map<string, FixedType | EnumType | RecordType>();
  readonly #open = new Set<RecordType>();
  #types = 0;

  parse(schema: unknown, namespace: string, depth: number): AvroType {
    if (depth > deepestSchema) throw new BadSchema(`its types are nested more than ${deepestSchema} levels deep`);
    if (++this.#types > mostTypes) throw new BadSchema(`it has more than ${mostTypes.toLocaleString('en-US')} types`);
    if (typeof schema === 'string') return this.#byName(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace, depth);
    if (schema === null || typeof schema !== 'object') throw new BadSchema(`${shown(schema)} is no type of Avro`);
    const json = schema as Json;
    const { type } = json;
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, depth);
      case 'enum':
        return this.#enum(json, namespace);
      case 'fixed':
        return this.#fixed(json, namespace);
      case 'array':
        return { kind: 'array', items: this.parse(json['items'], namespace, depth + 1) };
      case 'map':
        return { kind: 'map', values: this.parse(json['values'], namespace, depth + 1) };
    }
    const inner = this.parse(type, namespace, depth + 1);
    if (!primitives.includes(inner.kind)) return inner;
    return withLogical(inner as PrimitiveType, json);
  }

  #byName(name: string, namespace: string): AvroType {
    if (primitives.includes(name)) return { kind: name as Primitive };
    const full = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    const type = this.#named.get(full) ?? this.#named.get(name);
    if (!type) throw new BadSchema(`it refers to the type ${shown(full)}, which neither it nor a reference defines`);
    if (type.kind === 'record' && this.#open.has(type)) for (const open of this.#open) open.isRecursive = true;
    return type;
  }

  #union(schemas: readonly unknown[], namespace: string, depth: number): UnionType {
    const branches = schemas.map((one) => this.parse(one, namespace, depth + 1));
    if (branches.length === 0) throw new BadSchema('it has a union without types');
    const names = branches.map(branchName);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined || branches.some(({ kind }) => kind === 'union'))
      throw new BadSchema(`it has a union with ${twice === undefined ? 'a union' : `two types ${shown(twice)}`} in it`);
    const objects = branches.filter(({ kind }) => kind === 'record' || kind === 'map');
    return { kind: 'union', branches, isWrapped: objects.length > 1 };
  }

  #record(json: Json, namespace: string, depth: number): RecordType {
    const { name, namespace: inner } = this.#define(json, namespace);
    const record: RecordType = { kind: 'record', name, fields: [], isRecursive: false };
    this.#named.set(name, record);
    this.#open.add(record);
    const { fields } = json;
    if (!Array.isArray(fields)) throw new BadSchema(`its record ${shown(name)} has no fields`);
    const seen = new Set<string>();
    for (const field of fields as readonly unknown[]) {
      const { name: fieldName, type, default: byDefault } = (field ?? {}) as Json;
      if (typeof fieldName !== 'string' || fieldName === '' || fieldName.length > longestName)
        throw new BadSchema(`its record ${shown(name)} has a field without a usable name`);
      if (seen.has(fieldName)) throw new BadSchema(`its record ${shown(name)} has two fields ${shown(fieldName)}`);
      seen.add(fieldName);
      record.fields.push({ name: fieldName, type: this.parse(type, inner, depth + 1), default: byDefault });
    }
    this.#open.delete(record);
    return record;
  }

  #enum(json: Json, namespace: string): EnumType {
    const { name } = this.#define(json, namespace);
    const { symbols } = json;
    if (!Array.isArray(symbols) || symbols.length === 0 || symbols.some((one) => typeof one !== 'string'))
      throw new BadSchema(`its enum ${shown(name)} has no symbols`);
    const type: EnumType = { kind: 'enum', name, symbols: symbols as string[] };
    this.#named.set(name, type);
    return type;
  }

  #fixed(json: Json, namespace: string): FixedType {
    const { name } = this.#define(json, namespace);
    const { size } = json;
    if (!Number.isInteger(size) || (size as number) < 0 || (size as number) > largestFixed)
      throw new BadSchema(`its fixed type ${shown(name)} has the size ${shown(size)}`);
    const type = withLogical<FixedType>({ kind: 'fixed', name, size: size as number }, json);
    this.#named.set(name, type);
    return type;
  }

  #define(json: Json, namespace: string): { readonly name: string; readonly namespace: string } {
    const { name, namespace: own } = json;
    if (typeof name !== 'string' || name === '' || name.length > longestName)
      throw new BadSchema(`it has a type without a usable name: ${shown(name)}`);
    const at = name.lastIndexOf('.');
    const space = at >= 0 ? name.slice(0, at) : typeof own === 'string' ? own : namespace;
    const full = at >= 0 || space === '' ? name : `${space}.${name}`;
    if (primitives.includes(full) || this.#named.has(full))
      throw new BadSchema(`it defines the type ${shown(full)} twice`);
    return { name: full, namespace: space };
  }
}

/** The name by which a wrapped union calls a branch. */
export function branchName(type: AvroType): string {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed' ? type.name : type.kind;
}

const timestamps: Readonly<Record<string, 1 | 1_000 | 1_000_000>> = {
  millis: 1,
  micros: 1_000,
  nanos: 1_000_000,
};

function withLogical<T extends PrimitiveType | FixedType>(type: T, json: Json): T {
  const logical = logicalOf(type, json);
  return logical ? { ...type, logical } : type;
}

/** undefined: none, an unknown one, or one that does not fit its type. */
function logicalOf(type: PrimitiveType | FixedType, json: Json): Logical | undefined {
  const { logicalType: name } = json;
  if (typeof name !== 'string') return undefined;
  const { kind } = type;
  if (name === 'date' || name === 'time-millis') return kind === 'int' ? { kind: name } : undefined;
  if (name === 'time-micros') return kind === 'long' ? { kind: name } : undefined;
  if (name === 'uuid')
    return kind === 'string' || (type.kind === 'fixed' && type.size === 16) ? { kind: name } : undefined;
  if (name === 'duration') return type.kind === 'fixed' && type.size === 12 ? { kind: name } : undefined;
  if (name === 'decimal') return decimalOf(type, json);
  const [, local, unit] = /^(local-)?timestamp-(millis|micros|nanos)$/.exec(name) ?? [];
  if (unit === undefined || kind !== 'long') return undefined;
  return { kind: local === undefined ? 'timestamp' : 'local-timestamp', perMilli: timestamps[unit]! };
}

function decimalOf(type: PrimitiveType | FixedType, { precision, scale = 0 }: Json): Logical | undefined {
  if (type.kind !== 'bytes' && type.kind !== 'fixed') return undefined;
  if (!Number.isInteger(precision) || !Number.isInteger(scale)) return undefined;
  const [digits, decimals] = [precision as number, scale as number];
  if (digits < 1 || digits > 10_000 || decimals < 0 || decimals > digits) return undefined;
  return { kind: 'decimal', precision: digits, scale: decimals };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
