// An error that ends a command with one sentence and a non-zero code. It prints no stack, because
// the user can fix its cause.
export class CommandError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}
