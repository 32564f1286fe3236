// Why a broker cannot be asked: no answer, or a refusal. A refusal (certificate, log-in, token) has
// a way out. Both may pass: certificates and passwords are renewed while a session runs.
import { SluiceError } from '../../errors/error.ts';
import type { Connection } from '../../connections/connection.ts';

/** The steps of a contact, in this order. */
export type ContactStep = 'settings' | 'token' | 'name' | 'socket' | 'tls' | 'login';

export type UnreachableReason =
  'refused' | 'unknown-host' | 'bad-address' | 'silent' | 'closed' | 'not-kafka' | 'not-accepted';

/** No answer from the broker. A retry, or another broker, may help. */
export class BrokerUnreachable extends Error {
  readonly address: string;
  readonly reason: UnreachableReason;
  /** The step that failed; undefined: the connection was open. */
  readonly step: ContactStep | undefined;
  constructor(address: string, cause: UnreachableReason, message: string, step?: ContactStep) {
    super(message);
    this.address = address;
    this.reason = cause;
    this.step = step;
  }
}

export type RefusalCode = 'kafka-tls' | 'kafka-login' | 'kafka-token' | 'connection-secret' | 'connection-file';

/** The two sides do not accept each other, and somebody must change something. */
export class BrokerRefused extends BrokerUnreachable {
  readonly code: RefusalCode;
  /** A sentence. */
  readonly problem: string;
  /** A sentence, or ''. */
  readonly wayOut: string;
  constructor(address: string, step: ContactStep, code: RefusalCode, problem: string, wayOut: string) {
    super(address, 'not-accepted', wayOut === '' ? problem : `${problem} ${wayOut}`, step);
    this.code = code;
    this.problem = problem;
    this.wayOut = wayOut;
  }
}

/** An error in the settings, or about the token, at this step of a contact. */
export function refusalOf(address: string, step: ContactStep, { code, message, details }: SluiceError): BrokerRefused {
  const { problem = message, wayOut = '' } = details as { readonly problem?: string; readonly wayOut?: string };
  const at = code === 'kafka-token' ? 'token' : code.startsWith('connection-') ? 'settings' : step;
  return new BrokerRefused(address, at, code as RefusalCode, problem, wayOut);
}

/** Why a source or a sink has no contact: a sentence without its full stop. */
export function contactReason({ brokers, setIn }: Connection, error: Error): string {
  const reason = error.message.replace(/\.$/, '');
  if (!(error instanceof BrokerUnreachable) || error instanceof BrokerRefused) return reason;
  // An address that a broker advertises is named as such already.
  const origin = brokers.includes(error.address) ? `; the address is from ${setIn}` : '';
  return `Kafka cannot be reached: ${reason}${origin}`;
}

/** The error of a source or a sink that could not begin. */
export function contactError({ brokers, setIn }: Connection, error: BrokerUnreachable): SluiceError {
  if (error instanceof BrokerRefused) return new SluiceError(error.code, error.message, { brokers, setIn });
  return new SluiceError(
    'kafka-unreachable',
    `Kafka cannot be reached: ${error.message} The address is from ${setIn}.`,
    { brokers, setIn },
  );
}

/**
 * Whether a source or a sink that has no contact yet gives up: it is refused, or something else is
 * at the address. Later that may be a proxy that restarts.
 */
export function isFinalAtStart(error: unknown): error is BrokerUnreachable {
  return error instanceof BrokerRefused || (error instanceof BrokerUnreachable && error.reason === 'not-kafka');
}

export function isUnknownTopic(error: unknown): error is SluiceError {
  return error instanceof SluiceError && error.code === 'kafka-unknown-topic';
}
