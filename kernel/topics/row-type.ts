// The type of a topic's rows, and its text in TypeScript. Types of several schema versions, or of
// several records, are merged: what one of them lacks is optional.

export type RowType =
  /** A type that is a text: string, Date, a literal, a type defined elsewhere. */
  | { readonly kind: 'plain'; readonly text: string; readonly note?: string }
  | { readonly kind: 'array'; readonly items: RowType }
  /** Fields whose names are data. */
  | { readonly kind: 'map'; readonly values: RowType }
  /** No fields: an object of which nothing is known. */
  | { readonly kind: 'object'; readonly fields: readonly RowField[] }
  | { readonly kind: 'union'; readonly members: readonly RowType[] };
export interface RowField {
  readonly name: string;
  readonly type: RowType;
  readonly isOptional: boolean;
  /** Shown beside the field. Default: that of its type. */
  readonly note?: string;
}

export const plain = (text: string, note?: string): RowType => ({
  kind: 'plain',
  text,
  ...(note !== undefined && { note }),
});
export const unknownType = plain('unknown');

/**
 * Parts of a row that are described, because a small schema can name types that hold each other
 * twice. The others are unknown.
 */
export interface Budget {
  left: number;
}
export function newBudget(): Budget {
  return { left: 3_000 };
}
export const literal = (value: string | number | boolean | null): RowType => plain(JSON.stringify(value));

/** The alternatives as they are, without equal ones. */
export function unionOf(types: readonly RowType[]): RowType {
  const members: RowType[] = [];
  const texts = new Set<string>();
  for (const type of types.flatMap((one) => (one.kind === 'union' ? one.members : [one]))) {
    const text = typeText(type);
    if (text === 'unknown') return unknownType;
    if (text === 'never' || texts.has(text)) continue;
    texts.add(text);
    members.push(type);
  }
  const wide = members.filter((one) => !isNarrower(one, texts));
  if (wide.length === 0) return plain('never');
  return wide.length === 1 ? wide[0]! : { kind: 'union', members: wide };
}
/** A literal beside its own type says nothing. */
function isNarrower(type: RowType, texts: ReadonlySet<string>): boolean {
  if (type.kind !== 'plain') return false;
  if (type.text.startsWith('"')) return texts.has('string');
  if (/^-?\d/.test(type.text)) return texts.has('number');
  return (type.text === 'true' || type.text === 'false') && texts.has('boolean');
}

/** A type for rows of both. */
export function merged(a: RowType, b: RowType): RowType {
  const members: RowType[] = [];
  for (const type of [a, b].flatMap((one) => (one.kind === 'union' ? one.members : [one]))) {
    const at = members.findIndex((one) => canMerge(one, type));
    if (at < 0) members.push(type);
    else members[at] = mergedAlike(members[at]!, type);
  }
  return unionOf(members);
}
function canMerge(a: RowType, b: RowType): boolean {
  if (a.kind === 'plain' && b.kind === 'plain') return a.text === b.text;
  return a.kind === b.kind;
}
function mergedAlike(a: RowType, b: RowType): RowType {
  if (a.kind === 'plain' && b.kind === 'plain') return a.note === b.note ? a : plain(a.text);
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', items: merged(a.items, b.items) };
  if (a.kind === 'map' && b.kind === 'map') return { kind: 'map', values: merged(a.values, b.values) };
  if (a.kind === 'object' && b.kind === 'object') return mergedObjects(a.fields, b.fields);
  return unknownType;
}
function mergedObjects(a: readonly RowField[], b: readonly RowField[]): RowType {
  const others = new Map(b.map((field) => [field.name, field]));
  const fields = a.map((field): RowField => {
    const other = others.get(field.name);
    others.delete(field.name);
    if (!other) return { ...field, isOptional: true };
    const type = merged(field.type, other.type);
    return { ...field, type, isOptional: field.isOptional || other.isOptional };
  });
  return {
    kind: 'object',
    fields: [...fields, ...[...others.values()].map((field) => ({ ...field, isOptional: true }))],
  };
}

// -------------------------------------------------------------------------------------------- text

const step = '  ';

/** `indent`: that of the line in which the type begins. */
export function typeText(type: RowType, indent = ''): string {
  switch (type.kind) {
    case 'plain':
      return type.text;
    case 'array':
      return `${isSimple(type.items) ? typeText(type.items, indent) : `(${typeText(type.items, indent)})`}[]`;
    case 'map':
      return `Record<string, ${typeText(type.values, indent)}>`;
    case 'union':
      return type.members.map((one) => typeText(one, indent)).join(' | ');
    case 'object': {
      if (type.fields.length === 0) return 'Record<string, unknown>';
      const inner = indent + step;
      const lines = type.fields.map((field) => {
        const note = field.note ?? noteOf(field.type);
        const mark = field.isOptional ? '?' : '';
        // Each object inherits valueOf and the like, so a row without that field has a function
        // there.
        const isInherited = field.isOptional && field.name in Object.prototype;
        const text = isInherited ? 'unknown' : typeText(field.type, inner);
        const line = `${inner}${fieldName(field.name)}${mark}: ${text};`;
        return note === undefined ? line : `${inner}${docComment(note)}\n${line}`;
      });
      return `{\n${lines.join('\n')}\n${indent}}`;
    }
  }
}
function isSimple(type: RowType): boolean {
  return type.kind !== 'union';
}
function noteOf(type: RowType): string | undefined {
  if (type.kind === 'plain') return type.note;
  if (type.kind !== 'union') return undefined;
  const notes = type.members.flatMap((one) => (one.kind === 'plain' && one.note !== undefined ? [one.note] : []));
  return notes.length === 1 ? notes[0] : undefined;
}

/** As a property of a type: a name that is no identifier is quoted. */
export function fieldName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}
export function docComment(text: string): string {
  return `/** ${text.replaceAll('*/', '*\\/').replace(/\s+/g, ' ').trim()} */`;
}
