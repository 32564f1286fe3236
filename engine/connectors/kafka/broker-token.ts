// OAuth tokens for brokers: from a token endpoint by client credentials, or from a program of the
// user's. A token is used again until four fifths of its life are over.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { AnswerTooLate, httpRequest } from '../../connections/http-request.ts';
import type { Connection, TlsSettings, TokenCommand, TokenEndpoint } from '../../connections/connection.ts';
import { secretText } from '../../connections/secret.ts';
import { trustedAuthorities, unknownAuthorityCode } from '../../connections/trusted-authorities.ts';
import { SluiceError } from '../../errors/error.ts';

const limitMillis = { ofEndpoint: 10_000, ofCommand: 30_000 } as const;
const usedShare = 0.8;
/** Of a token that does not say how long it lives. */
const unknownLifeMillis = 60_000;
const mostBytes = 1 << 20;

interface Token {
  readonly text: string;
  /** Epoch milliseconds. */
  readonly usedUntil: number;
}

export class BrokerTokens {
  readonly #connection: () => Connection;
  #current: { readonly from: string; readonly token: Promise<Token> } | undefined;

  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  /** Several brokers that ask at the same time share one request. Error: `kafka-token`. */
  async take(): Promise<string> {
    const { sasl, tls, setIn } = this.#connection();
    if (sasl?.mechanism !== 'oauthbearer') throw new Error('This connection has no token.');
    const from = JSON.stringify(sasl.token);
    const known = this.#current?.from === from ? await this.#current.token.catch(() => undefined) : undefined;
    if (known && Date.now() < known.usedUntil) return known.text;
    const { token } = sasl;
    const asked = token.kind === 'command' ? ofCommand(token, setIn) : ofEndpoint(token, tls, setIn);
    // The next one asks anew if this fails.
    this.#current = { from, token: asked };
    return (await asked).text;
  }
  /** The broker did not accept it. */
  forget(): void {
    this.#current = undefined;
  }
}

async function ofEndpoint(endpoint: TokenEndpoint, tls: TlsSettings | undefined, setIn: string): Promise<Token> {
  const ca = tls?.ca;
  const { url, clientId, clientSecret, scope } = endpoint;
  const secret = secretText(clientSecret, `the clientSecret of ${setIn}`);
  const credentials = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) });
  const { origin, pathname } = new URL(url);
  const where = `The token endpoint ${origin}${pathname}`;
  let answer: { readonly status: number; readonly text: string };
  try {
    answer = await httpRequest(url, {
      body: body.toString(),
      headers: {
        authorization: `Basic ${credentials}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      ...(ca !== undefined && existsSync(ca) && { ca: [...trustedAuthorities(), readFileSync(ca, 'utf8')] }),
      timeoutMillis: limitMillis.ofEndpoint,
      mostBytes,
    });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (unknownAuthorityCode.test(code))
      throw refused(
        `${where} gave no token: its certificate is from an authority that is not trusted (${message}).`,
        wayToTrust(tls, setIn),
      );
    const why =
      error instanceof AnswerTooLate ? `it did not answer within ${limitMillis.ofEndpoint / 1_000} s` : message || code;
    throw refused(`${where} gave no token: ${why}.`, `Correct sasl.tokenEndpoint in ${setIn}, or see whether it runs.`);
  }
  const token = tokenIn(answer.text, Date.now());
  if (answer.status === 200 && token) return token;
  if (answer.status === 200)
    throw refused(`${where} gave no token: its answer has no access_token.`, `Correct sasl.tokenEndpoint in ${setIn}.`);
  const why = oauthError(answer.text);
  throw refused(
    `${where} gave no token: it answers ${answer.status}${why === undefined ? '' : ` (${why})`}.`,
    `Correct sasl.tokenEndpoint, clientId, clientSecret or scope in ${setIn}.`,
  );
}

function wayToTrust(tls: TlsSettings | undefined, setIn: string): string {
  if (!tls) return 'Add its certificate authority to those of this machine.';
  if (tls.ca !== undefined) return `Add its certificate authority to the file tls.ca of ${setIn}.`;
  return `Add its certificate authority to those of this machine, or give the authorities of the brokers and of this endpoint as tls.ca in ${setIn}.`;
}

/** Its standard output is the token, or JSON with it. */
async function ofCommand({ command: [program, ...given] }: TokenCommand, setIn: string): Promise<Token> {
  const began = Date.now();
  const way = `Correct sasl.tokenCommand in ${setIn}, or run it in a terminal to see what it wants.`;
  const output = await new Promise<string>((resolve, reject) => {
    const options = { timeout: limitMillis.ofCommand, maxBuffer: mostBytes, windowsHide: true } as const;
    const child = execFile(program, given, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const { code, killed, signal } = error;
      const ending = code === null || code === undefined ? `signal ${signal}` : `code ${code}`;
      const why =
        code === 'ENOENT'
          ? 'there is no such program'
          : typeof code === 'string'
            ? `it cannot be run (${code})`
            : killed
              ? `it did not end within ${limitMillis.ofCommand / 1_000} s`
              : `it ended with ${ending}${lastLine(stderr)}`;
      reject(refused(`The token command ${program} gave no token: ${why}.`, way));
    });
    // A program that asks for something gets the end of its input.
    child.stdin?.on('error', () => undefined).end();
  });
  const token = tokenIn(output, began);
  if (token) return token;
  const what = output.trim() === '' ? 'it wrote nothing' : 'it wrote neither a token nor JSON with access_token';
  throw refused(`The token command ${program} gave no token: ${what}.`, way);
}

/** A token has only these characters (RFC 6750). */
const tokenText = /^[\w.~+/=-]+$/;

function tokenIn(text: string, now: number): Token | undefined {
  const trimmed = text.trim();
  const json = trimmed.startsWith('{') ? jsonObject(trimmed) : undefined;
  const token = json ? (json['access_token'] ?? json['accessToken']) : trimmed;
  if (typeof token !== 'string' || !tokenText.test(token)) return undefined;
  const seconds = Number(json?.['expires_in']);
  const life = seconds > 0 ? seconds * 1_000 : (expiryOf(token) ?? now + unknownLifeMillis / usedShare) - now;
  return { text: token, usedUntil: now + life * usedShare };
}
/** The `exp` of a JSON web token, in epoch milliseconds. */
function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  const seconds = payload === undefined ? undefined : jsonObject(Buffer.from(payload, 'base64url').toString())?.['exp'];
  return typeof seconds === 'number' ? seconds * 1_000 : undefined;
}
function oauthError(text: string): string | undefined {
  const { error, error_description: description } = jsonObject(text) ?? {};
  return typeof error === 'string' ? withoutSecrets(typeof description === 'string' ? description : error) : undefined;
}
function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1)!.trim();
  return line === '' ? '' : `: ${withoutSecrets(line).replace(/\.$/, '')}`;
}
/** What a foreign program wrote. Long words without a gap may be tokens or passwords. */
function withoutSecrets(text: string): string {
  return text.slice(0, 300).replace(/[\w.~+/=-]{24,}/g, '***');
}

function refused(problem: string, way: string): SluiceError {
  return new SluiceError('kafka-token', `${problem} ${way}`, { problem, wayOut: way });
}
