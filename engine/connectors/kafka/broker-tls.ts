// TLS to a broker: the certificates of a connection, and why a handshake failed.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  connect,
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import type { Connection, TlsSettings } from '../../connections/connection.ts';
import { secretText } from '../../connections/secret.ts';
import { certificateCode, trustedAuthorities, trustedContext } from '../../connections/trusted-authorities.ts';
import { SluiceError } from '../../errors/error.ts';
import { splitAddress } from './broker-address.ts';
import { BrokerRefused } from './broker-unreachable.ts';

/**
 * Reads the files each time: a renewed certificate counts at the next connection. Errors:
 * `connection-file`, `connection-secret`.
 */
export function tlsOptions(host: string, settings: TlsSettings, setIn: string): ConnectionOptions {
  const { ca, cert, key, keyPassword, serverName } = settings;
  const name = serverName ?? host;
  const own: SecureContextOptions = {
    ...(ca !== undefined && { ca: pem(ca, 'tls.ca', setIn) }),
    ...(cert !== undefined && { cert: pem(cert, 'tls.cert', setIn) }),
    ...(key !== undefined && { key: pem(key, 'tls.key', setIn) }),
    ...(keyPassword && { passphrase: secretText(keyPassword, `the tls.keyPassword of ${setIn}`) }),
  };
  return {
    secureContext: contextOf(own),
    // An address of the network is no server name (RFC 6066). It is compared with the certificate.
    ...(isIP(name) === 0 && { servername: name }),
  };
}

const mostContexts = 16;
/** By a hash of what they are made of; those that were used last are at the end. */
const contexts = new Map<string, SecureContext>();
/**
 * Made once for the same content, because that takes 20 ms and more. Errors: those of OpenSSL, if
 * the files do not fit.
 */
function contextOf(own: SecureContextOptions): SecureContext {
  if (Object.keys(own).length === 0) return trustedContext();
  const content = createHash('sha256').update(JSON.stringify(own)).digest('base64');
  const context = contexts.get(content) ?? createSecureContext({ ca: [...trustedAuthorities()], ...own });
  contexts.delete(content);
  contexts.set(content, context);
  const [oldest] = contexts.keys();
  if (contexts.size > mostContexts) contexts.delete(oldest!);
  return context;
}

function pem(path: string, field: string, setIn: string): string {
  const bad = (problem: string): SluiceError =>
    new SluiceError('connection-file', `The ${field} of ${setIn}, ${path}, ${problem}.`, { path });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw bad(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}). Correct the path`);
  }
  if (text.includes('-----BEGIN ')) return text;
  throw bad(
    'is not in PEM form, which has the text "-----BEGIN". Convert it: openssl pkcs12 -in FILE.p12 -nodes, or keytool -exportcert -rfc',
  );
}

/** The client's own files do not fit, so there was no handshake. */
export function isOwnFile(code: string): boolean {
  return /^ERR_(OSSL|CRYPTO)_/.test(code) || code === 'ERR_SSL_NO_CERTIFICATE_ASSIGNED';
}
export function unusableFiles(address: string, { setIn }: Connection, error: NodeJS.ErrnoException): BrokerRefused {
  const isPassword = /BAD_(DECRYPT|PASSWORD)|INTERRUPTED|PASSPHRASE/i.test(`${error.code} ${error.message}`);
  const way = isPassword ? 'Give the right tls.keyPassword.' : 'Give a certificate and its own key, both in PEM form.';
  const problem = `The certificate or key of ${setIn} cannot be used (${error.code ?? error.message}).`;
  return new BrokerRefused(address, 'tls', 'connection-file', problem, way);
}

const wrongHost = 'ERR_TLS_CERT_ALTNAME_INVALID';
/** The broker has refused the client's certificate, or that there is none. */
const alertCode =
  /ALERT_(BAD_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED|UNSUPPORTED_CERTIFICATE)|CERTIFICATE_REQUIRED/;

/** undefined: the error is not about certificates or versions of TLS. */
export function tlsRefusal(
  address: string,
  { setIn, tls: settings }: Connection,
  { code = '', message }: NodeJS.ErrnoException,
  certificate: PeerCertificate | undefined,
): BrokerRefused | undefined {
  const refused = (problem: string, wayOut: string): BrokerRefused =>
    new BrokerRefused(address, 'tls', 'kafka-tls', problem, wayOut);
  if (code === 'CERT_HAS_EXPIRED') {
    const until = certificate && expired(certificate)?.valid_to;
    const since = until === undefined ? '' : ` on ${dayOf(until)}`;
    return refused(`The certificate of ${address} expired${since}.`, 'Renew it at the broker.');
  }
  if (code === 'CERT_NOT_YET_VALID')
    return refused(
      `The certificate of ${address} is valid only from ${certificate ? dayOf(certificate.valid_from) : 'a later day'} on.`,
      'Correct the clock of this machine, or the certificate at the broker.',
    );
  if (code === wrongHost || code === 'HOSTNAME_MISMATCH') {
    const expected = settings?.serverName ?? splitAddress(address).host;
    const names = certificate ? namesIn(certificate) : '';
    return refused(
      `The certificate of ${address} is for ${names === '' ? 'another name' : names}, not for ${expected}.`,
      `Give the name in it as tls.serverName in ${setIn}, or reach the broker by that name.`,
    );
  }
  if (certificateCode.test(code)) {
    const way =
      settings?.ca === undefined
        ? `Give the file of that authority as tls.ca in ${setIn}.`
        : `Correct tls.ca in ${setIn}.`;
    return refused(
      `The certificate of ${address} is from an authority that is not trusted (${message}).`,
      `${way} It must be in PEM form.`,
    );
  }
  if (alertCode.test(code)) {
    if (settings?.cert === undefined)
      return refused(
        `${address} wants a certificate of the client (${code}).`,
        `Give tls.cert and tls.key in ${setIn}.`,
      );
    return refused(
      `${address} does not accept the client's certificate (${code}).`,
      `Give another tls.cert in ${setIn}: one that is valid now, of an authority that the broker trusts.`,
    );
  }
  if (/^ERR_SSL_.*(PROTOCOL_VERSION|HANDSHAKE_FAILURE|NO_CIPHERS|UNSUPPORTED_PROTOCOL|NO_SHARED)/.test(code))
    return refused(
      `${address} and this client have no version or cipher of TLS in common (${code}).`,
      'Allow TLS 1.2 or 1.3 at the broker.',
    );
  return undefined;
}

const dayOf = (text: string): string => new Date(text).toISOString().slice(0, 10);

/** The server's own certificate, or the first above it that has expired. */
function expired(certificate: PeerCertificate): PeerCertificate | undefined {
  let one: PeerCertificate | undefined = certificate;
  for (let depth = 0; one && depth < 10; depth++) {
    if (Date.parse(one.valid_to) < Date.now()) return one;
    const issuer: PeerCertificate | undefined = (one as { issuerCertificate?: PeerCertificate }).issuerCertificate;
    one = issuer === one ? undefined : issuer;
  }
  return certificate;
}
/** A certificate may have names of any length. */
const shortened = (name: string): string => (name.length > 100 ? `${name.slice(0, 100)}…` : name);
function namesIn({ subjectaltname, subject }: PeerCertificate): string {
  const names = subjectaltname?.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, '')) ?? [];
  return names.length > 0 ? names.slice(0, 5).map(shortened).join(', ') : (subject?.CN?.toString() ?? '');
}

const lookMillis = 3_000;
/**
 * The certificate that a server shows, whether or not it is trusted; nothing is sent to it.
 * 'alert': it speaks TLS and ended the handshake. undefined: it does not speak TLS.
 */
export function shownCertificate(
  host: string,
  port: number,
  serverName: string | undefined,
): Promise<PeerCertificate | 'alert' | undefined> {
  return new Promise((resolve) => {
    const name = serverName ?? host;
    const socket = connect({ host, port, rejectUnauthorized: false, ...(isIP(name) === 0 && { servername: name }) });
    const end = (found: PeerCertificate | 'alert' | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(() => end(undefined), lookMillis);
    socket.on('secureConnect', () => end(socket.getPeerCertificate(true)));
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      end(/ALERT|HANDSHAKE_FAILURE/.test(code) ? 'alert' : undefined),
    );
    socket.on('close', () => end(undefined));
  });
}
