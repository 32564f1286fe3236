// One request to a schema registry over HTTP, with a time-out and a largest answer. The kind of a
// failure decides about the records that wait.
//
//   away     the registry does not answer, or not now: the request may be repeated
//   absent   the registry knows no such schema or subject
//   final    repeating changes nothing (password, certificate, no registry at all): a SluiceError
import { AnswerTooLarge, AnswerTooLate, httpRequest, type HttpAnswer } from '../connections/http-request.ts';
import { certificateCode } from '../connections/trusted-authorities.ts';
import { SluiceError } from '../errors/error.ts';
import { BadSchema, longestWithReferences } from '../formats/limits.ts';
import type { RegistryConnection } from './registry-connection.ts';

export class RegistryAway extends Error {}
export class SchemaAbsent extends Error {}

const timeoutMillis = 10_000;
const mediaType = 'application/vnd.schemaregistry.v1+json';

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * `path` begins with a slash. A `body` makes it a POST. Answers below 500 that are no failure
 * return.
 */
export async function askRegistry(connection: RegistryConnection, path: string, body?: unknown): Promise<Answer> {
  let answer: HttpAnswer;
  try {
    answer = await exchange(connection, path, body === undefined ? undefined : JSON.stringify(body));
  } catch (error) {
    throw failureOf(connection, error as NodeJS.ErrnoException);
  }
  const { status, text } = answer;
  if (status === 401 || status === 403) throw refused(connection, status);
  if (status === 408 || status === 429 || status >= 500) throw new RegistryAway(`it answers ${status}`);
  if (status >= 300 && status < 400) throw noRegistry(connection, `it redirects (${status})`);
  const parsed = jsonObject(text);
  if (!parsed) {
    if (status === 404) throw noRegistry(connection, 'it answers 404, and not as a registry does');
    throw noRegistry(connection, `its answer (${status}) is not JSON`);
  }
  if (status === 404) throw new SchemaAbsent(messageOf(parsed) ?? 'not found');
  return { status, body: parsed };
}

async function exchange(
  { url, auth, ca }: RegistryConnection,
  path: string,
  body: string | undefined,
): Promise<HttpAnswer> {
  const headers = {
    accept: `${mediaType}, application/json`,
    ...(body !== undefined && { 'content-type': mediaType }),
  };
  const options = { headers, body, user: auth, ca, timeoutMillis, mostBytes: longestWithReferences };
  try {
    return await httpRequest(url + path, options);
  } catch (error) {
    if (!(error instanceof AnswerTooLarge)) throw error;
    throw new BadSchema(`the answer of the registry has more than ${longestWithReferences >> 20} MB`);
  }
}

function jsonObject(text: string): Answer['body'] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'number') return { value };
    return value !== null && typeof value === 'object' ? (value as Answer['body']) : undefined;
  } catch {
    return undefined;
  }
}

/** The registry's own words about an error. */
export function messageOf(body: Answer['body']): string | undefined {
  const { message } = body;
  return typeof message === 'string' ? message.slice(0, 500) : undefined;
}

// ---------------------------------------------------------------------------------------- failures

function failureOf(connection: RegistryConnection, error: NodeJS.ErrnoException): Error {
  if (error instanceof BadSchema) return error;
  const { code = '', message } = error;
  const { url, setIn, caIn } = connection;
  if (certificateCode.test(code))
    return new SluiceError(
      'registry-tls',
      `The schema registry ${url} cannot be trusted: ${message}. Set ${caIn} to the file of its certificate authority, or correct its address in ${setIn}.`,
      { setIn },
    );
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return new SluiceError(
      'registry-tls',
      `The schema registry ${url} does not speak TLS: ${code}. Begin ${setIn} with http:// if it has none.`,
      { setIn },
    );
  if (code.startsWith('HPE_'))
    return noRegistry(connection, 'it does not answer in HTTP; if it speaks TLS, begin the address with https://');
  if (error instanceof AnswerTooLate) return new RegistryAway(`it did not answer within ${timeoutMillis / 1_000} s`);
  // A TLS server often closes the connection of a client without TLS.
  const hint =
    code === 'ECONNRESET' && url.startsWith('http:') ? ' (if it speaks TLS, begin the address with https://)' : '';
  return new RegistryAway(`${message === '' ? code : message}${hint}`);
}
function refused({ url, setIn, auth, authIn }: RegistryConnection, status: number): SluiceError {
  const way = !auth
    ? `Set ${authIn}${authIn.endsWith('_AUTH') ? ' to user:password' : ''}.`
    : status === 401
      ? `It does not accept the user and password. Correct ${authIn}.`
      : `Its user "${auth.user}" may not do this. Ask for the right, or give another user in ${authIn}.`;
  return new SluiceError(
    'registry-refused',
    `The schema registry ${url} answers ${status} (${status === 401 ? 'not authenticated' : 'not authorised'}). ${way}`,
    { setIn, status },
  );
}
function noRegistry({ url, setIn }: RegistryConnection, why: string): SluiceError {
  return new SluiceError(
    'registry-bad-answer',
    `There seems to be no schema registry at ${url}: ${why}. The address is from ${setIn}.`,
    { setIn },
  );
}
