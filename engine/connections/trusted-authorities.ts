// The certificate authorities that count for a broker, a token endpoint and a registry if the
// connection names none of its own: those of Node and those of the system.
import tls, { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

let known: readonly string[] | undefined;
/** In PEM form. Node before 22.15 cannot read those of the system: only its own then. */
export function trustedAuthorities(): readonly string[] {
  known ??=
    typeof tls.getCACertificates === 'function'
      ? [...new Set([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])]
      : rootCertificates;
  return known;
}

let context: SecureContext | undefined;
/** Made once, because parsing hundreds of certificates takes longer than a request. */
export function trustedContext(): SecureContext {
  context ??= createSecureContext({ ca: [...trustedAuthorities()] });
  return context;
}

/** Codes of OpenSSL and Node about the certificate of a server. */
export const certificateCode =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_|CRL_|ERR_TLS_CERT)/;
/** The certificate is good, but nobody here trusts who has signed it. */
export const unknownAuthorityCode = /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/;
