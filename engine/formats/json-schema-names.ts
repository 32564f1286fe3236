// A JSON Schema, and values, as ajv can hold them: it does not look at what is called `__proto__`.
import { setField } from '../values/field.ts';
import { heldNames } from './held-names.ts';

const names = heldNames(['__proto__']);
export const nameInSchema = names.original;

export function mentionsHeldNames(text: string): boolean {
  // A letter may be written as \u0070.
  return text.includes('__proto__') || text.includes('\\u');
}
/** A value with the same fields under their held names. */
export function heldValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(heldValue);
  if (value === null || typeof value !== 'object') return value;
  const copy = {};
  for (const [name, inner] of Object.entries(value))
    setField(copy, isHeld(name) ? names.held(name) : name, heldValue(inner));
  return copy;
}
function isHeld(name: string): boolean {
  return /^__proto___*$/.test(name);
}

/** Keywords whose values are data, and keywords whose texts are names of fields. */
const data = new Set(['const', 'enum', 'default', 'examples']);
const listsOfNames = new Set(['required', 'dependentRequired', 'dependencies', 'propertyNames']);

/** The schema that says of held values what this one says of values. */
export function heldSchema(schema: unknown, areNames = false): unknown {
  if (typeof schema === 'string') return areNames && isHeld(schema) ? names.held(schema) : schema;
  if (Array.isArray(schema)) return schema.map((one) => heldSchema(one, areNames));
  if (schema === null || typeof schema !== 'object') return schema;
  const copy = {};
  for (const [name, inner] of Object.entries(schema)) {
    const key = names.held(name);
    if (name === '$ref' && typeof inner === 'string') setField(copy, key, inner.replace(/#.*/s, names.held));
    else if (data.has(name) && !areNames) setField(copy, key, heldValue(inner));
    else setField(copy, key, heldSchema(inner, areNames || listsOfNames.has(name)));
  }
  return copy;
}
