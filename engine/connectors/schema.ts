// Values that must fit a schema (Standard Schema: zod, valibot, arktype): what it makes of them, or why they do not fit.
import { SluiceError } from '../errors/error.ts';

/** From the parsed value to { value } or { issues }, as Standard Schema has it. */
export type Validate = (value: unknown) => {
  readonly value?: unknown;
  readonly issues?: readonly { readonly message: string }[] | undefined;
};
export interface Fitted {
  readonly value: unknown;
  /** A sentence: why there is no value. */
  readonly problem?: string | undefined;
}

/** `source` is what the user called, for the error about a schema that answers later. */
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
