// Reads a secret where it stands, each time that it is needed: so a changed file counts at the next
// log-in. No message contains a secret.
import { readFileSync } from 'node:fs';
import { SluiceError } from '../errors/error.ts';
import { upperFirst } from '../errors/upper-first.ts';
import type { Secret } from './connection.ts';

/**
 * `what` names it for messages: 'the password of connection "prod"'. Error: `connection-secret`.
 */
export function secretText(secret: Secret, what: string): string {
  if ('value' in secret) return secret.value;
  const text = 'env' in secret ? process.env[secret.env] : contentOf(secret.file, what).trim();
  if (text !== undefined && text !== '') return text;
  if ('env' in secret)
    throw new SluiceError(
      'connection-secret',
      `${upperFirst(what)} is missing: the environment variable ${secret.env} is not set. Set it, and restart the session.`,
      { variable: secret.env },
    );
  throw new SluiceError('connection-secret', `${upperFirst(what)} is missing: the file ${secret.file} is empty.`, {
    path: secret.file,
  });
}

function contentOf(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SluiceError(
      'connection-secret',
      `${upperFirst(what)} cannot be read: ${(error as Error).message}. Correct the path, or the rights of the file.`,
      { path },
    );
  }
}
