// The type that a JSON Schema describes, as far as TypeScript can say it. What it cannot say is
// wider: a pattern is a string, a condition is left out.
import { parseSchemaJson } from '../../engine/formats/limits.ts';
import type { SchemaText } from '../../engine/graph/format-spec.ts';
import { literal, newBudget, plain, type RowField, type RowType, unionOf, unknownType } from './row-type.ts';
import { pathOfField, pathOfItems, pathOfMember, pathOfValues, typeAt, type TypePath } from './type-path.ts';

type Json = Readonly<Record<string, unknown>>;

/** Errors: BadSchema. */
export function typeOfJsonSchema({ text, references }: SchemaText, path: TypePath): RowType {
  const documents = new Map(references.map((one) => [one.name, parseSchemaJson(one.text)]));
  const root = parseSchemaJson(text);
  return new Converter(documents).convert({ schema: root, document: root }, path, new Map());
}

/** A schema, and the document in which its references are looked for. */
interface Place {
  readonly schema: unknown;
  readonly document: unknown;
}
type Open = ReadonlyMap<unknown, TypePath>;

class Converter {
  readonly #documents: ReadonlyMap<string, unknown>;
  readonly #budget = newBudget();

  constructor(documents: ReadonlyMap<string, unknown>) {
    this.#documents = documents;
  }

  convert(place: Place, path: TypePath, open: Open): RowType {
    const { schema } = place;
    if (schema === false) return plain('never');
    if (!isJson(schema) || --this.#budget.left < 0) return unknownType;
    if (open.has(schema)) return typeAt(open.get(schema));
    const inside = new Map([...open, [schema, path] as const]);
    const at = (inner: unknown): Place => ({ ...place, schema: inner });
    if (typeof schema['$ref'] === 'string') {
      const target = this.#target(schema['$ref'], place.document);
      return target ? this.convert(target, path, inside) : unknownType;
    }
    if ('const' in schema) return literalOf(schema['const']);
    if (Array.isArray(schema['enum'])) return unionOf(schema['enum'].map(literalOf));
    const parts: RowType[] = [];
    const own = this.#byType(place, path, inside);
    if (own) parts.push(own);
    for (const one of listOf(schema['allOf'])) parts.push(this.convert(at(one), path, inside));
    const alternatives = [...listOf(schema['anyOf']), ...listOf(schema['oneOf'])];
    if (alternatives.length > 0) {
      const isOnlyObject = alternatives.filter((one) => !isJson(one) || !isScalar(one)).length === 1;
      const inner = pathOfMember(path, isOnlyObject && parts.length === 0);
      const types = alternatives.map((one) => this.convert(at(one), inner, inside));
      return unionOf(types.map((type) => [...parts, type].reduce(both)));
    }
    return parts.length === 0 ? unknownType : parts.reduce(both);
  }

  /** undefined: the keyword `type` and its relatives say nothing. */
  #byType(place: Place, path: TypePath, open: Open): RowType | undefined {
    const schema = place.schema as Json;
    const { type } = schema;
    if (Array.isArray(type)) {
      const isOnlyObject = type.filter((one) => one === 'object' || one === 'array').length === 1;
      const inner = pathOfMember(path, isOnlyObject);
      return unionOf(type.map((one) => this.#named(one, place, inner, open)));
    }
    if (type === undefined && (isJson(schema['properties']) || Array.isArray(schema['required'])))
      return this.#object(place, path, open);
    if (type === undefined && schema['items'] !== undefined) return this.#array(place, path, open);
    return type === undefined ? undefined : this.#named(type, place, path, open);
  }
  #named(type: unknown, place: Place, path: TypePath, open: Open): RowType {
    switch (type) {
      case 'object':
        return this.#object(place, path, open);
      case 'array':
        return this.#array(place, path, open);
      case 'string':
        return plain('string', noteOfFormat((place.schema as Json)['format']));
      case 'number':
      case 'integer':
        return plain('number');
      case 'boolean':
      case 'null':
        return plain(type);
      default:
        return unknownType;
    }
  }

  #object(place: Place, path: TypePath, open: Open): RowType {
    const schema = place.schema as Json;
    const at = (inner: unknown): Place => ({ ...place, schema: inner });
    const properties = isJson(schema['properties']) ? schema['properties'] : {};
    const required = listOf(schema['required']).filter((one) => typeof one === 'string');
    const fields = Object.entries(properties).map(([name, inner]): RowField => {
      const type = this.convert(at(inner), pathOfField(path, name), open);
      return { name, type, isOptional: !required.includes(name) };
    });
    for (const name of required)
      if (!Object.hasOwn(properties, name)) fields.push({ name, type: unknownType, isOptional: false });
    const others = schema['additionalProperties'] ?? true;
    const patterns = isJson(schema['patternProperties']) ? Object.values(schema['patternProperties']) : [];
    if (fields.length > 0 || (patterns.length === 0 && !isJson(others))) return { kind: 'object', fields };
    const values = [...patterns, ...(isJson(others) ? [others] : [])];
    const isOne = values.length === 1;
    const types = values.map((inner) => this.convert(at(inner), isOne ? pathOfValues(path) : undefined, open));
    return { kind: 'map', values: patterns.length > 0 && others === true ? unknownType : unionOf(types) };
  }
  #array(place: Place, path: TypePath, open: Open): RowType {
    const schema = place.schema as Json;
    const { items, prefixItems } = schema;
    const isTuple = Array.isArray(items) || Array.isArray(prefixItems);
    if (isTuple || items === undefined) return { kind: 'array', items: unknownType };
    return { kind: 'array', items: this.convert({ ...place, schema: items }, pathOfItems(path), open) };
  }

  /** undefined: it is not to be found. */
  #target(reference: string, document: unknown): Place | undefined {
    const [name = '', pointer = ''] = reference.split('#', 2);
    const within = name === '' ? document : this.#documents.get(name);
    if (within === undefined) return undefined;
    let schema: unknown = within;
    for (const part of decodeURIComponent(pointer).split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (typeof schema !== 'object' || schema === null || !Object.hasOwn(schema, key)) return undefined;
      schema = (schema as Json)[key];
    }
    return pointer !== '' && !pointer.startsWith('/') ? undefined : { schema, document: within };
  }
}

/** What fits both. Objects have the fields of both; of other types the first one is taken. */
function both(a: RowType, b: RowType): RowType {
  if (a === unknownType) return b;
  if (a.kind !== 'object' || b.kind !== 'object') return a;
  const others = new Map(b.fields.map((field) => [field.name, field]));
  const fields = a.fields.map((field): RowField => {
    const other = others.get(field.name);
    others.delete(field.name);
    if (!other) return field;
    return { ...field, type: both(field.type, other.type), isOptional: field.isOptional && other.isOptional };
  });
  return { kind: 'object', fields: [...fields, ...others.values()] };
}

function literalOf(value: unknown): RowType {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
    return literal(value as string | number | boolean | null);
  return unknownType;
}
function noteOfFormat(format: unknown): string | undefined {
  if (format === 'date-time') return 'A date and time in ISO 8601.';
  return format === 'date' ? 'A date in ISO 8601.' : undefined;
}
function isScalar({ type, const: constant, enum: values }: Json): boolean {
  return (
    constant !== undefined ||
    values !== undefined ||
    ['string', 'number', 'integer', 'boolean', 'null'].includes(type as string)
  );
}
function isJson(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
