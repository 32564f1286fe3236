// Checks values against a schema (Standard Schema: zod, valibot, arktype). The result is the
// schema's output, or the reason why the value does not fit.
import { SluiceError } from '../errors/error.ts';

/** From the parsed value to { value } or { issues }, as in Standard Schema. */
export type Validate = (value: unknown) => {
  readonly value?: unknown;
  readonly issues?: readonly { readonly message: string }[] | undefined;
};
export interface Fitted {
  readonly value: unknown;
  /** A sentence that says why there is no value. */
  readonly problem?: string | undefined;
}

/** `source` names the call for the error about a schema that returns a promise. */
export function compileSchema(validate: Validate, source: string): (value: unknown) => Fitted {
  return (value) => {
    const result = validate(value);
    if (result instanceof Promise)
      throw new SluiceError(
        'bad-schema',
        `The schema of ${source} answers with a promise. Use one that validates at once.`,
      );
    if (!result.issues) return { value: result.value };
    const why = result.issues.map((one) => one.message).join('; ');
    return { value: undefined, problem: `The record does not fit its schema: ${why}.` };
  };
}
