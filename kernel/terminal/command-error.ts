// What ends a command with one sentence and a non-zero code, with no stack: the user's matter, not ours.
export class CommandError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}
