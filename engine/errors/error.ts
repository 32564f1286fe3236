// The only error class: a stable `code` for programs, and a sentence for people. The sentence says
// what happened, to which thing, the value, and the way out.

export class SluiceError extends Error {
  readonly code: string;
  /** More data for programs, such as { topic, closest }. */
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SluiceError';
    this.code = code;
    this.details = details;
  }
}

/** For a name of the public API that a later version implements. */
export function notYet(what: string): never {
  throw new SluiceError('not-yet', `not-yet: ${what} come in a later version`);
}
