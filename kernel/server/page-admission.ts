// Decides which HTTP requests may see the served page. Every request is checked for three things:
// the Host (against foreign names that resolve to this machine), the Origin (against other pages),
// and the token.
//
//   /?token=… ─► cookie `sluice-PORT`, redirect to / ─► the page, with the cookie
//
// The browser exchanges the token of the address for a cookie that scripts cannot read. So the
// token leaves the address bar and the history. Browsers do not separate cookies by port. The port
// in the cookie's name keeps the pages of two sessions apart.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isSame } from './serve-connection.ts';

export class PageAdmission {
  /** For the address. */
  readonly token = randomBytes(18).toString('base64url');
  readonly #pass = randomBytes(18).toString('base64url');

  /** The Host is a name of this server. The Origin, if there is one, is this server too. */
  isFromHere({ headers, socket }: IncomingMessage): boolean {
    const { host, origin } = headers;
    const ours = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort ?? ''}`);
    if (host === undefined || !ours.includes(host)) return false;
    return origin === undefined || ours.some((address) => origin === `http://${address}`);
  }

  /** The value of `set-cookie`. The cookie lasts until the browser closes. */
  cookie(request: IncomingMessage): string {
    return `${cookieName(request)}=${this.#pass}; HttpOnly; SameSite=Strict; Path=/`;
  }

  hasCookie(request: IncomingMessage): boolean {
    const name = cookieName(request);
    const cookies = (request.headers.cookie ?? '').split(';').map((text) => text.trim());
    return cookies.some((text) => text.startsWith(`${name}=`) && isSame(text.slice(name.length + 1), this.#pass));
  }

  hasToken(url: URL): boolean {
    return isSame(url.searchParams.get('token'), this.token);
  }
}

function cookieName({ socket }: IncomingMessage): string {
  return `sluice-${socket.localPort ?? ''}`;
}
