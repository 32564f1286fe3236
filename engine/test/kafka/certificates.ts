// Certificates that a test makes: an authority, and what it signs. Keys of elliptic curves would be
// quicker, but node-forge signs with RSA only.
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS 8. */
  readonly key: string;
}
export interface Wanted {
  readonly name: string;
  /** DNS names and addresses of the network that it is for. */
  readonly hosts?: readonly string[];
  /** Days from now. */
  readonly from?: number;
  readonly until?: number;
}
export interface Authority extends Certificate {
  sign(wanted: Wanted): Certificate;
}

export function makeAuthority(name: string): Authority {
  const own = make({ name }, undefined);
  return { ...own, sign: (wanted) => make(wanted, own) };
}

/** The same key, encrypted: PKCS 8 in PEM form. */
export function encrypted(key: string, passphrase: string): string {
  const cipher = 'aes-256-cbc';
  return createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString();
}

function make({ name, hosts = [], from = -1, until = 30 }: Wanted, issuer: Certificate | undefined): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // The first bit would be the sign of the number.
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = inDays(from);
  certificate.validity.notAfter = inDays(until);
  const subject = [{ name: 'commonName', value: name }];
  certificate.setSubject(subject);
  certificate.setIssuer(issuer ? forge.pki.certificateFromPem(issuer.cert).subject.attributes : subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: issuer === undefined, critical: true },
    ...(issuer ? [] : [{ name: 'keyUsage', keyCertSign: true, cRLSign: true }]),
    ...(hosts.length > 0 ? [{ name: 'subjectAltName', altNames: hosts.map(altName) }] : []),
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(issuer?.key ?? privateKey), forge.md.sha256.create());
  return { cert: forge.pki.certificateToPem(certificate), key: privateKey };
}

const altName = (host: string): object => (/^[\d.:]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host });
const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);
