// Converts the key of a table's row from the user's form, {id: 'a'}, to its tuple.
import { SluiceError } from '../errors/error.ts';
import { assertKeyValue } from './key-value.ts';
import { described, kindOf } from '../values/kind.ts';

/**
 * `fields` are the names of the table's key in the order of its tuple. If a function made the key,
 * they are undefined and the names are sorted. `where` is the call that got the key, for errors.
 */
export function tupleOfKey(key: unknown, fields: readonly string[] | undefined, where: string): readonly unknown[] {
  const wanted = fields ? ` The key of the table is { ${fields.join(', ')} }.` : '';
  if (kindOf(key) !== 'object')
    throw new SluiceError(
      'bad-key',
      `${where} takes a key as an object, such as { id: 1 }, not ${described(key)}.${wanted}`,
    );
  const names = fields ?? Object.keys(key as object).sort();
  const given = Object.keys(key as object);
  if (given.length !== names.length || names.some((name) => !Object.hasOwn(key as object, name)))
    throw new SluiceError('bad-key', `${where} was given a key of ${given.join(', ') || 'no fields'}.${wanted}`);
  return names.map((name) => {
    const value = (key as Readonly<Record<string, unknown>>)[name];
    assertKeyValue(value, name);
    return value === 0 ? 0 : value;
  });
}
