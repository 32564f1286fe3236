// One HTTP request with a time-out and a largest answer.
import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { trustedContext } from './trusted-authorities.ts';

export interface HttpOptions {
  /** It makes the request a POST. */
  readonly body?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly user?: { readonly user: string; readonly password: string } | undefined;
  /** In PEM form. Absent: the authorities of Node and of the system. */
  readonly ca?: string | readonly string[] | undefined;
  readonly timeoutMillis: number;
  readonly mostBytes: number;
}
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}
export class AnswerTooLarge extends Error {}
export class AnswerTooLate extends Error {}

/** Errors: those of the socket, AnswerTooLate and AnswerTooLarge. */
export function httpRequest(url: string, options: HttpOptions): Promise<HttpAnswer> {
  const { body, headers, user, ca, timeoutMillis, mostBytes } = options;
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const given: http.RequestOptions = {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
      signal: AbortSignal.timeout(timeoutMillis),
      ...(user && { auth: `${user.user}:${user.password}` }),
    };
    const isTls = target.protocol === 'https:';
    const request = isTls ? https.request(target, { ...given, ...trust(ca) }) : http.request(target, given);
    const fail = (error: Error): void => reject(error.name === 'AbortError' ? new AnswerTooLate() : error);
    request.on('error', fail);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size > mostBytes) {
          reject(new AnswerTooLarge());
          request.destroy();
        }
      });
      response.on('error', fail);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }));
    });
    request.end(body);
  });
}

function trust(ca: HttpOptions['ca']): https.RequestOptions & Pick<ConnectionOptions, 'secureContext'> {
  if (ca === undefined) return { secureContext: trustedContext() };
  return { ca: typeof ca === 'string' ? ca : [...ca] };
}
