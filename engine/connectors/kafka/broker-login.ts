// The log-in to a broker by SASL, in the form that kafkajs wants, and why a broker refused it.
// kafkajs logs in again before the broker's time for it is over, and asks for the password or the
// token then. Its own OAUTHBEARER takes a refused token for an accepted one, so it is not used.
import type { Connection } from '../../connections/connection.ts';
import { secretText } from '../../connections/secret.ts';
import type { BrokerAccess } from './broker-access.ts';
import { BrokerRefused } from './broker-unreachable.ts';
import { offered } from './broker-probe.ts';
import type { Socket } from 'node:net';

interface SaslMessages {
  readonly request: { encode(): Promise<Buffer> };
  readonly response?: { decode(answer: Buffer): Promise<Buffer>; parse(answer: Buffer): Promise<string> };
}
type Exchange = (messages: SaslMessages) => Promise<unknown>;
type Authenticator = (inside: { readonly saslAuthenticate: Exchange }) => { authenticate(): Promise<void> };
export type KafkajsSasl =
  | { readonly mechanism: string; readonly username: string; readonly password: string }
  | { readonly mechanism: string; readonly authenticationProvider: Authenticator };

/** undefined: no log-in. */
export function saslOf(access: BrokerAccess): KafkajsSasl | undefined {
  const { sasl } = access.connection;
  if (!sasl) return undefined;
  const { mechanism } = sasl;
  if (mechanism === 'oauthbearer') return { mechanism, authenticationProvider: bearer(access) };
  const now = (): { readonly username: string; readonly password: string } => {
    const { sasl: present, setIn } = access.connection;
    if (present?.mechanism !== mechanism) return { username: '', password: '' };
    return { username: present.username, password: secretText(present.password, `the password of ${setIn}`) };
  };
  return {
    mechanism,
    get username() {
      return now().username;
    },
    get password() {
      return now().password;
    },
  };
}

const separator = '\u0001';

/** RFC 7628. */
function bearer(access: BrokerAccess): Authenticator {
  return ({ saslAuthenticate }) => ({
    async authenticate() {
      const { sasl } = access.connection;
      const extensions = sasl?.mechanism === 'oauthbearer' ? (sasl.extensions ?? {}) : {};
      const token = await access.tokens.take();
      const parts = [
        'n,,',
        `auth=Bearer ${token}`,
        ...Object.entries(extensions).map(([name, value]) => `${name}=${value}`),
      ];
      const refusal = await exchange(saslAuthenticate, `${parts.join(separator)}${separator}${separator}`);
      if (refusal === '') return;
      access.tokens.forget();
      // The broker waits for this byte before it ends the exchange.
      await exchange(saslAuthenticate, separator).catch(() => undefined);
      throw Object.assign(new Error(`the token is not accepted: ${statusIn(refusal)}`), { name: loginError });
    },
  });
}
async function exchange(saslAuthenticate: Exchange, message: string): Promise<string> {
  const text = Buffer.from(message);
  const size = Buffer.alloc(4);
  size.writeInt32BE(text.length);
  return (await saslAuthenticate({
    request: { encode: () => Promise.resolve(Buffer.concat([size, text])) },
    // The answer has its length before it.
    response: {
      decode: (answer) => Promise.resolve(answer.subarray(4)),
      parse: (answer) => Promise.resolve(answer.toString('utf8')),
    },
  })) as string;
}
function statusIn(refusal: string): string {
  return /"status"\s*:\s*"([\w.-]{1,60})"/.exec(refusal)?.[1] ?? 'without a reason';
}

const loginError = 'KafkaJSSASLAuthenticationError';
const unsupportedMechanism = 33;
const illegalState = 34;

/**
 * undefined: the failure is not about the log-in. `open` opens another connection of the same kind.
 */
export async function loginRefusal(
  address: string,
  connection: Connection,
  error: Error & { readonly code?: unknown },
  open: () => Socket,
): Promise<BrokerRefused | undefined> {
  const { sasl, setIn } = connection;
  if (!sasl) return undefined;
  const refused = (problem: string, wayOut: string): BrokerRefused =>
    new BrokerRefused(address, 'login', 'kafka-login', problem, wayOut);
  if (error.code === illegalState)
    return refused(
      `${address} wants no log-in.`,
      `Leave \`sasl\` out of ${setIn}, or give the broker's port for SASL.`,
    );
  const mechanism = sasl.mechanism.toUpperCase();
  if (error.code === unsupportedMechanism || /mechanism is not supported/.test(error.message)) {
    const others = (await offered(open)) ?? [];
    const which = others.length === 0 ? 'another mechanism' : others.join(', ');
    return refused(
      `${address} does not offer the log-in ${mechanism}; it offers ${which}.`,
      `Correct sasl.mechanism in ${setIn}.`,
    );
  }
  if (error.name !== loginError && error.code !== 58) return undefined;
  if (sasl.mechanism === 'oauthbearer')
    return refused(
      `${address} refused the log-in: ${error.message}.`,
      `Correct what sasl.${sasl.token.kind === 'command' ? 'tokenCommand' : 'tokenEndpoint'} in ${setIn} gives: issuer, audience, scope and life of the token.`,
    );
  return refused(
    `${address} refused the log-in of user "${sasl.username}" (${mechanism}).`,
    `Correct sasl.username or sasl.password in ${setIn}.`,
  );
}
