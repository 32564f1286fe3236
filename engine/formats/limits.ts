// The limits of schemas. A registry's schemas are input from outside: a schema that is too large or
// too deep is one error, and no schema ends the process.
import { SluiceError } from '../errors/error.ts';

/** Characters of one schema, and of a schema with all its references. */
export const longestSchema = 1 << 20;
export const longestWithReferences = 4 << 20;
export const mostReferences = 200;
/** Levels of types in types. */
export const deepestSchema = 100;
/** Types and fields of a schema with its references. */
export const mostTypes = 50_000;

/**
 * A schema that cannot be used. The message is the rest of a sentence that begins with its name.
 */
export class BadSchema extends Error {}

export function checkLength(text: string, what = 'it'): void {
  if (text.length > longestSchema)
    throw new BadSchema(
      `${what} has ${text.length.toLocaleString('en-US')} characters; ${longestSchema.toLocaleString('en-US')} are allowed`,
    );
}

/** JSON as an object. Errors: BadSchema. */
export function parseSchemaJson(text: string): unknown {
  checkLength(text);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadSchema(`it is not JSON: ${(error as Error).message}`);
  }
}

/** The message of any error while a schema is made. A stack that is too deep is one of them. */
export function whyUnusable(error: unknown): string {
  if (error instanceof BadSchema || error instanceof SluiceError) return error.message;
  if (error instanceof RangeError) return 'it is too large, or nested too deep';
  return error instanceof Error ? error.message : String(error);
}
