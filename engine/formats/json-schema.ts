// Checks values against a JSON Schema with ajv: drafts 06, 07, 2019-09 and 2020-12. Formats such as
// "email" are not checked, as the drafts allow.
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { heldSchema, heldValue, mentionsHeldNames, nameInSchema } from './json-schema-names.ts';
import { BadSchema, deepestSchema, mostTypes, parseSchemaJson } from './limits.ts';
import type { SchemaText } from '../graph/format-spec.ts';

/** `ownProperties`: the name of a field may be that of a method which every object has. */
const options: Options = { strict: false, validateFormats: false, logger: false, ownProperties: true };

/**
 * Returns a check: undefined, or why the value does not fit. Errors: BadSchema, and errors of ajv.
 */
export function compileJsonSchema({ text, references }: SchemaText): (value: unknown) => string | undefined {
  const isHeld = [text, ...references.map((one) => one.text)].some(mentionsHeldNames);
  const parsed = (one: string): Schema => {
    const schema = checked(parseSchemaJson(one));
    return isHeld ? (heldSchema(schema) as Schema) : schema;
  };
  const schema = parsed(text);
  const ajv = validatorFor(draftOf(schema));
  for (const { name, text: referred } of references) ajv.addSchema(withoutDraft(parsed(referred)), name);
  const validate = ajv.compile(withoutDraft(schema));
  return (value) => {
    try {
      if (validate(isHeld ? heldValue(value) : value) === true) return undefined;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // ajv calls valueOf and toString of objects that it compares.
      return 'it has a field "valueOf" or "toString" in an object that its schema compares as a whole';
    }
    const problem = problemOf(validate.errors?.[0]);
    return isHeld ? nameInSchema(problem) : problem;
  };
}

function problemOf(error: ErrorObject | undefined): string {
  if (!error) return 'it is not what the schema describes';
  const place = error.instancePath === '' ? 'it' : `its ${error.instancePath.slice(1).replaceAll('/', '.')}`;
  const extra = error.params as Readonly<Record<string, unknown>>;
  const named = extra['additionalProperty'] ?? extra['allowedValues'];
  return `${place} ${error.message ?? error.keyword}${named === undefined ? '' : ` (${JSON.stringify(named)})`}`;
}

type Schema = boolean | Readonly<Record<string, unknown>>;

/** ajv compiles by recursion, so depth and size are looked at before. */
function checked(schema: unknown): Schema {
  if (typeof schema === 'boolean') return schema;
  if (schema === null || typeof schema !== 'object' || Array.isArray(schema))
    throw new BadSchema('it is neither an object nor true or false');
  const open: (readonly [unknown, number])[] = [[schema, 0]];
  for (let count = 0; open.length > 0; count++) {
    const [value, depth] = open.pop()!;
    if (depth > 2 * deepestSchema) throw new BadSchema(`it is nested more than ${2 * deepestSchema} levels deep`);
    if (count > mostTypes) throw new BadSchema(`it has more than ${mostTypes.toLocaleString('en-US')} parts`);
    if (value !== null && typeof value === 'object')
      for (const inner of Object.values(value)) open.push([inner, depth + 1]);
  }
  return schema as Schema;
}

function draftOf(schema: Schema): string {
  const draft = typeof schema === 'object' ? schema['$schema'] : undefined;
  return typeof draft === 'string' ? draft : '';
}
function withoutDraft(schema: Schema): Schema {
  if (typeof schema === 'boolean') return schema;
  const { $schema: _, ...rest } = schema;
  return rest;
}
function validatorFor(draft: string): Ajv {
  if (draft.includes('draft-04') || draft.includes('draft-03'))
    throw new BadSchema(`it is written for ${draft}; drafts 06, 07, 2019-09 and 2020-12 are known`);
  if (draft.includes('2020-12')) return new Ajv2020(options);
  return draft.includes('2019-09') ? new Ajv2019(options) : new Ajv(options);
}
