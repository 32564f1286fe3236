// The one error class: a stable `code` for programs, a sentence for people: what happened, to which thing, the value, the way out.

export class SluiceError extends Error {
  readonly code: string;
  /** More for programs: { topic, closest } and the like. */
  readonly details: Readonly<Record<string, unknown>>;
  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SluiceError';
    this.code = code;
    this.details = details;
  }
}

/** A name of the contract that a later version brings. */
export function notYet(what: string): never {
  throw new SluiceError('not-yet', `not-yet: ${what} come in a later version`);
}
