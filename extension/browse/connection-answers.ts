// The answers of the form of a connection, and the definition that they make. The form asks for
// what most connections need. What it does not ask for, an edited definition keeps.
import type { ConnectionDefinition, SaslDefinition, SecretDefinition } from '../../kernel/protocol/connections.ts';
import { brokersOf, secretsOf, type SecretField } from './connection-settings.ts';

export type TlsAnswer = 'none' | 'system' | 'own' | 'mutual';
export type LoginAnswer = 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'client' | 'command';

/** A secret that is undefined keeps the present one. */
export interface ConnectionAnswers {
  name: string;
  brokers: string;
  tls: TlsAnswer;
  ca: string;
  cert: string;
  key: string;
  /** undefined, and no present one: the key has none. */
  keyPassword: string | undefined;
  login: LoginAnswer;
  username: string;
  password: string | undefined;
  tokenEndpoint: string;
  /** The program and its arguments, as they are typed. */
  tokenCommand: string;
  registry: string;
  registryUser: string;
  registryPassword: string | undefined;
}

export const noAnswers: Readonly<ConnectionAnswers> = {
  ...{
    name: '',
    brokers: '',
    tls: 'none',
    ca: '',
    cert: '',
    key: '',
    keyPassword: undefined,
    login: 'none',
    username: '',
    password: undefined,
  },
  ...{ tokenEndpoint: '', tokenCommand: '', registry: '', registryUser: '', registryPassword: undefined },
};

/** The answers that would make this definition, without its secrets. */
export function answersOf(name: string, definition: ConnectionDefinition): ConnectionAnswers {
  const { tls, sasl, registry } = definition;
  const files = typeof tls === 'object' ? tls : {};
  return {
    ...noAnswers,
    name,
    brokers: brokersOf(definition),
    tls: !tls ? 'none' : files.cert !== undefined ? 'mutual' : files.ca !== undefined ? 'own' : 'system',
    ...{ ca: files.ca ?? '', cert: files.cert ?? '', key: files.key ?? '' },
    ...loginOf(sasl),
    ...{ registry: registry?.url ?? '', registryUser: registry?.username ?? '' },
  };
}
function loginOf(sasl: SaslDefinition | undefined): Partial<ConnectionAnswers> {
  if (!sasl) return {};
  if (sasl.mechanism !== 'oauthbearer') return { login: sasl.mechanism, username: sasl.username };
  if ('tokenCommand' in sasl) return { login: 'command', tokenCommand: sasl.tokenCommand.map(quoted).join(' ') };
  return { login: 'client', username: sasl.clientId, tokenEndpoint: sasl.tokenEndpoint };
}

/** The definition for the setting, and beside it the secrets for the storage. */
export function definitionOf(
  answers: ConnectionAnswers,
  former?: ConnectionDefinition,
): { readonly definition: ConnectionDefinition; readonly secrets: ReadonlyMap<SecretField, string> } {
  const secrets = new Map<SecretField, string>();
  const present = former && secretsOf(former);
  const keep: Keep = (field, secret) => {
    if (secret === undefined) return present?.get(field) ?? { stored: true };
    secrets.set(field, secret);
    return { stored: true };
  };
  const { registry, registryUser } = answers;
  const sasl = saslOf(answers, former?.sasl, keep);
  const tls = tlsOf(answers, former?.tls, keep);
  const definition: ConnectionDefinition = {
    brokers: answers.brokers.trim(),
    ...(tls !== undefined && { tls }),
    ...(sasl !== undefined && { sasl }),
    ...(registry !== '' && {
      registry: {
        ...(former?.registry?.ca !== undefined && { ca: former.registry.ca }),
        url: registry,
        ...(registryUser !== '' && {
          username: registryUser,
          password: keep('registry.password', answers.registryPassword),
        }),
      },
    }),
  };
  return { definition, secrets };
}

/** Where the secret is from now on. */
type Keep = (field: SecretField, secret: string | undefined) => SecretDefinition;

function tlsOf(
  { tls, ca, cert, key, keyPassword }: ConnectionAnswers,
  former: ConnectionDefinition['tls'],
  keep: Keep,
): ConnectionDefinition['tls'] {
  if (tls === 'none') return undefined;
  const { serverName, keyPassword: formerPassword } = typeof former === 'object' ? former : {};
  const hasPassword = keyPassword !== undefined || formerPassword !== undefined;
  const files = {
    ...(tls !== 'system' && ca !== '' && { ca }),
    ...(tls === 'mutual' && { cert, key }),
    ...(tls === 'mutual' && hasPassword && { keyPassword: keep('tls.keyPassword', keyPassword) }),
    ...(serverName !== undefined && { serverName }),
  };
  return Object.keys(files).length === 0 ? true : files;
}
function saslOf(
  answers: ConnectionAnswers,
  former: SaslDefinition | undefined,
  keep: Keep,
): SaslDefinition | undefined {
  const { login, username, password } = answers;
  const extensions = former !== undefined && 'extensions' in former ? former.extensions : undefined;
  const more = extensions === undefined ? {} : { extensions };
  switch (login) {
    case 'none':
      return undefined;
    case 'client': {
      const scope = former !== undefined && 'scope' in former ? former.scope : undefined;
      return {
        ...{ mechanism: 'oauthbearer', tokenEndpoint: answers.tokenEndpoint, clientId: username },
        clientSecret: keep('sasl.clientSecret', password),
        ...(scope !== undefined && { scope }),
        ...more,
      };
    }
    case 'command':
      return { mechanism: 'oauthbearer', tokenCommand: words(answers.tokenCommand), ...more };
    default:
      return { mechanism: login, username, password: keep('sasl.password', password) };
  }
}

/** The parts of a command line: words, and texts in double quotes. No shell reads them. */
export function words(text: string): readonly string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([all, inner]) =>
    inner === undefined ? all : inner.replace(/\\(.)/g, '$1'),
  );
}
function quoted(word: string): string {
  return /^[^\s"]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`;
}
