// A Kafka connection after its definition was checked. It is plain data, so it can go to another
// thread. A secret in it is a place where the secret stands; only what VS Code handed over has the
// secret itself.

export type Secret = { readonly env: string } | { readonly file: string } | { readonly value: string };

/** Absolute paths of PEM files. */
export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly keyPassword?: Secret;
  readonly serverName?: string;
}

export type SaslSettings =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: Secret;
    }
  | {
      readonly mechanism: 'oauthbearer';
      readonly token: TokenEndpoint | TokenCommand;
      readonly extensions?: Readonly<Record<string, string>>;
    };
export interface TokenEndpoint {
  readonly kind: 'endpoint';
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
  readonly scope?: string;
}
export interface TokenCommand {
  readonly kind: 'command';
  readonly command: readonly [string, ...string[]];
}

export interface RegistrySettings {
  readonly url: string;
  readonly username?: string;
  readonly password?: Secret;
  readonly ca?: string;
}

export interface Connection {
  /** undefined: the default one. */
  readonly name?: string;
  /** host:port of brokers to ask first; the others are found through them. */
  readonly brokers: readonly string[];
  /**
   * Where it is set, for messages: "SLUICE_BROKERS", or 'connection "prod" of SLUICE_CONNECTIONS'.
   */
  readonly setIn: string;
  /** Absent: no TLS. */
  readonly tls?: TlsSettings;
  /** Absent: no log-in. */
  readonly sasl?: SaslSettings;
  readonly registry?: RegistrySettings;
}
