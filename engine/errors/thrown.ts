// Reads a thrown value. User code can throw anything: an error whose getters throw, a revoked
// Proxy, an error whose name is a symbol. Reading one must never throw in turn.
import { inspect, types } from 'node:util';
import { SluiceError } from './error.ts';

export interface Thrown {
  /** False: something else than an error was thrown, and `message` is its text. */
  readonly isError: boolean;
  readonly name: string;
  readonly message: string;
  /** undefined: there is none, or it cannot be read. */
  readonly stack: string | undefined;
  /** undefined: there is none, or it cannot be read. */
  readonly cause: unknown;
}

/** What is known about a thrown value. Never throws. Texts are not cut. */
export function readThrown(value: unknown): Thrown {
  if (!isError(value)) return { isError: false, name: '', message: textOf(value), stack: undefined, cause: undefined };
  const name = read(value, 'name');
  const stack = read(value, 'stack');
  return {
    isError: true,
    name: typeof name === 'string' ? name : 'Error',
    message: messageOfError(value),
    stack: typeof stack === 'string' ? stack : undefined,
    cause: read(value, 'cause'),
  };
}

/** The message of an error, or the text of another thrown value. Never throws. */
export function messageOf(value: unknown): string {
  return isError(value) ? messageOfError(value) : textOf(value);
}

/** `instanceof` throws when the value is a Proxy that was revoked, or whose traps throw. */
export function isError(value: unknown): value is Error {
  return isInstance(value, Error) || types.isNativeError(value);
}
export function isSluiceError(value: unknown): value is SluiceError {
  return isInstance(value, SluiceError);
}

function isInstance(value: unknown, of: abstract new (...parameters: never[]) => unknown): boolean {
  if (types.isProxy(value)) return false;
  try {
    return value instanceof of;
  } catch {
    return false;
  }
}

const unreadable: unique symbol = Symbol('unreadable');

function read(error: Error, field: 'name' | 'message' | 'stack' | 'cause'): unknown {
  try {
    return error[field];
  } catch {
    return field === 'message' ? unreadable : undefined;
  }
}

function messageOfError(error: Error): string {
  const message = read(error, 'message');
  if (message === unreadable) return '(its message cannot be read: the getter throws)';
  return typeof message === 'string' ? message : textOf(message);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return inspect(value);
  } catch {
    // Its own inspection has thrown. This one runs no code of the value.
  }
  try {
    return inspect(value, { customInspect: false, getters: false });
  } catch {
    return 'a value that cannot be read';
  }
}
