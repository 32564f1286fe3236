// A schema of the user's (Standard Schema, version 1) as a function of the plan.
import { SluiceError } from '../errors/error.ts';
import { functionHash } from '../graph/fingerprint.ts';
import { describe, UserFunction } from './parameters.ts';

/** `source` is what was called with it. Errors: `bad-schema`. */
export function schemaFunction(source: string, schema: unknown): UserFunction {
  const standard = (schema as { '~standard'?: { version?: unknown; validate?: unknown } } | null)?.['~standard'];
  const { validate } = standard ?? {};
  if (standard?.version !== 1 || typeof validate !== 'function')
    throw new SluiceError(
      'bad-schema',
      `The schema of ${source} is ${describe(schema)}. It must implement Standard Schema, version 1 (zod, valibot, arktype).`,
    );
  const run = (value: unknown): unknown => validate.call(standard, value);
  // What a schema library makes is opaque; who built it (the cell's captures) tells one from another.
  return new UserFunction('schema', run, (fallback) => functionHash(validate, { fallback }));
}
