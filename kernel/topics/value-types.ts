// The type of rows that were sampled. A text is a text, also if few different ones were seen; only
// dates and times in ISO 8601 are recognised, and noted beside their field.
import { merged, plain, type RowField, type RowType, unionOf, unknownType } from './row-type.ts';

const isoDate = /^\d{4}-\d\d-\d\d$/;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?$/;

/** Objects with more fields than this, most of them rare, have names that are data. */
const manyFields = 40;
const rareShare = 0.8;

/** undefined: there are no values. */
export function typeOfValues(values: readonly unknown[]): RowType | undefined {
  if (values.length === 0) return undefined;
  return withMaps(values.map(typeOfValue).reduce(merged));
}

function typeOfValue(value: unknown): RowType {
  if (value === null) return plain('null');
  switch (typeof value) {
    case 'string':
      return plain('string', noteOfText(value));
    case 'number':
    case 'bigint':
    case 'boolean':
      return plain(typeof value);
    case 'object':
      return typeOfObject(value);
    default:
      return unknownType;
  }
}
function typeOfObject(value: object): RowType {
  if (value instanceof Date) return plain('Date');
  if (value instanceof Uint8Array) return plain('Uint8Array');
  if (Array.isArray(value)) {
    const items = value.map(typeOfValue);
    return { kind: 'array', items: items.length === 0 ? plain('never') : items.reduce(merged) };
  }
  const fields = Object.entries(value).map(([name, inner]): RowField => {
    return { name, type: typeOfValue(inner), isOptional: false };
  });
  return { kind: 'object', fields };
}
function noteOfText(text: string): string | undefined {
  if (isoDate.test(text) && !Number.isNaN(Date.parse(text))) return 'A date in ISO 8601.';
  if (isoTime.test(text) && !Number.isNaN(Date.parse(text))) return 'A date and time in ISO 8601.';
  return undefined;
}

/**
 * Turns objects whose names are data into maps, and items that nobody has seen into unknown ones.
 */
function withMaps(type: RowType): RowType {
  switch (type.kind) {
    case 'plain':
      return type;
    case 'array': {
      const items = withMaps(type.items);
      return { kind: 'array', items: items.kind === 'plain' && items.text === 'never' ? unknownType : items };
    }
    case 'map':
      return { kind: 'map', values: withMaps(type.values) };
    case 'union':
      return unionOf(type.members.map(withMaps));
    case 'object': {
      const { fields } = type;
      const rare = fields.filter(({ isOptional }) => isOptional).length;
      if (fields.length > manyFields && rare > fields.length * rareShare)
        return { kind: 'map', values: withMaps(fields.map((field) => field.type).reduce(merged)) };
      return { kind: 'object', fields: fields.map((field) => ({ ...field, type: withMaps(field.type) })) };
    }
  }
}
