// A user's schema (Standard Schema, version 1) as a function of the plan.
import { SluiceError } from '../errors/error.ts';
import { functionHash } from '../graph/fingerprint.ts';
import { describe, UserFunction } from './parameters.ts';

/** `source` names the call for the error. Error: `bad-schema`. */
export function schemaFunction(source: string, schema: unknown): UserFunction {
  const standard = (schema as { '~standard'?: { version?: unknown; validate?: unknown } } | null)?.['~standard'];
  const { validate } = standard ?? {};
  if (standard?.version !== 1 || typeof validate !== 'function')
    throw new SluiceError(
      'bad-schema',
      `The schema of ${source} is ${describe(schema)}. It must implement Standard Schema, version 1 (zod, valibot, arktype).`,
    );
  const run = (value: unknown): unknown => validate.call(standard, value);
  // The functions of a schema library are opaque. The cell's captures distinguish one schema from
  // another.
  return new UserFunction('schema', run, (fallback) => functionHash(validate, { fallback }));
}
