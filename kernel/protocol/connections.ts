// Kafka connections as a client defines them, and the answer to a test of one. The kernel checks
// a definition where it is used, so a client may hand over what it has.

/**
 * Where a password stands, instead of the password. `stored` is for settings: it must be replaced
 * by `value` in the hand-over to a kernel. `value` is refused everywhere else.
 */
export type SecretDefinition =
  /** The name of an environment variable. */
  | { readonly env: string }
  /** A path. Spaces and line ends around the text do not count. */
  | { readonly file: string }
  /** In the SecretStorage of VS Code. */
  | { readonly stored: true }
  /** The secret itself. */
  | { readonly value: string };

/** Paths are to files in PEM form. */
export interface TlsDefinition {
  /** Certificate authorities to trust, instead of the system's. */
  readonly ca?: string;
  /** The client's certificate, with its chain. It needs a `key`. */
  readonly cert?: string;
  readonly key?: string;
  readonly keyPassword?: SecretDefinition;
  /** The name that the broker's certificate is for. Default: the host of the broker. */
  readonly serverName?: string;
}

export type SaslDefinition =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: SecretDefinition;
    }
  /** A token of an OAuth server, by client credentials. */
  | {
      readonly mechanism: 'oauthbearer';
      readonly tokenEndpoint: string;
      readonly clientId: string;
      readonly clientSecret: SecretDefinition;
      readonly scope?: string;
      /** SASL extensions, such as logicalCluster. */
      readonly extensions?: Readonly<Record<string, string>>;
    }
  /**
   * A token that a program writes to its standard output, as it is or as JSON with access_token and
   * expires_in. The program and its arguments; no shell reads them.
   */
  | {
      readonly mechanism: 'oauthbearer';
      readonly tokenCommand: readonly string[];
      readonly extensions?: Readonly<Record<string, string>>;
    };

export interface RegistryDefinition {
  /** http:// or https://, without user and password. */
  readonly url: string;
  readonly username?: string;
  readonly password?: SecretDefinition;
  /** Path of certificate authorities in PEM form. */
  readonly ca?: string;
}

export interface ConnectionDefinition {
  /** host:port of brokers to ask first; an IPv6 address is [::1]:9092. As text: behind commas. */
  readonly brokers: string | readonly string[];
  /** Absent: no TLS. true: with the certificate authorities of the system. */
  readonly tls?: boolean | TlsDefinition;
  /** Absent: no log-in. */
  readonly sasl?: SaslDefinition;
  /** The schema registry of its topics. Default: SLUICE_REGISTRY. */
  readonly registry?: RegistryDefinition;
  /** Only in a hand-over: "the setting sluice.brokers", if it is of no other setting. */
  readonly setIn?: string;
}
/** By name. A cell without `connection` takes SLUICE_BROKERS, else the one named "default". */
export type ConnectionDefinitions = Readonly<Record<string, ConnectionDefinition>>;

/**
 * What a test of a connection tries, in this order. Each is tried for each broker, except settings,
 * token, authorisation and registry.
 */
export type ConnectionStepName =
  /** The definition, its files and its secrets. */
  | 'settings'
  /** The name of the host. */
  | 'name'
  | 'socket'
  | 'tls'
  /** The OAuth token. */
  | 'token'
  /** The log-in, or the first answer of the broker without one. */
  | 'login'
  /** Topics that this user may see. */
  | 'authorisation'
  | 'registry';

export interface ConnectionStep {
  readonly step: ConnectionStepName;
  readonly state: 'ok' | 'failed';
  /** host:port. */
  readonly broker?: string;
  /** A sentence. For a failed step it is followed by `wayOut`. */
  readonly text: string;
  readonly wayOut?: string;
}
export interface ConnectionReport {
  /** Absent: the default connection. */
  readonly name?: string;
  readonly ok: boolean;
  /** In the order in which they were tried. The steps behind a failed one were not tried. */
  readonly steps: readonly ConnectionStep[];
  /** The first failed step. */
  readonly error?: { readonly code: string; readonly message: string; readonly step: ConnectionStepName };
}
