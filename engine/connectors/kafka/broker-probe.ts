// Finds out why a broker closed a connection without a word: it speaks TLS and was spoken to in
// plain, the reverse, or it wants a log-in. Only asked after a failure, on a connection of its own.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Connection } from '../../connections/connection.ts';
import { placeOfConnections } from '../../errors/way-to-set.ts';
import { BrokerRefused } from './broker-unreachable.ts';
import { shownCertificate, tlsOptions } from './broker-tls.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface Asked {
  readonly host: string;
  readonly port: number;
}

/** What came from the broker before: an answer of Kafka, or the alert of a TLS server. */
export type Heard = 'nothing' | 'kafka' | 'tls-alert';

/** undefined: no such reason is found. */
export async function whyClosed(
  address: string,
  { host, port }: Asked,
  connection: Connection,
  heard: Heard,
): Promise<BrokerRefused | undefined> {
  const { tls, sasl, setIn } = connection;
  const isUnsure = heard === 'nothing';
  const speaksTls = async (): Promise<boolean> =>
    heard === 'tls-alert' || (isUnsure && (await shownCertificate(host, port, undefined)) !== undefined);
  if (!tls && (await speaksTls()))
    return new BrokerRefused(
      address,
      'tls',
      'kafka-tls',
      `${address} speaks TLS, and ${setIn} has no \`tls\`.`,
      isShortForm(setIn)
        ? `Define the connection in ${placeOfConnections()}, with "tls": true.`
        : 'Give it "tls": true.',
    );
  if (tls && isUnsure && (await offered(() => connect({ host, port }))) !== undefined)
    return new BrokerRefused(
      address,
      'tls',
      'kafka-tls',
      `${address} does not speak TLS.`,
      `Leave \`tls\` out of ${setIn}, or give the broker's port for TLS.`,
    );
  if (sasl || isUnsure) return undefined;
  const mechanisms = await offered(() =>
    tls ? connectTls({ host, port, ...tlsOptions(host, tls, setIn) }) : connect({ host, port }),
  );
  if (!mechanisms || mechanisms.length === 0) return undefined;
  return new BrokerRefused(
    address,
    'login',
    'kafka-login',
    `${address} wants a log-in (${mechanisms.join(', ')}), and ${setIn} has no \`sasl\`.`,
    isShortForm(setIn) ? `Define the connection in ${placeOfConnections()}, with \`sasl\`.` : 'Give it `sasl`.',
  );
}

/** It has brokers and nothing else. */
function isShortForm(setIn: string): boolean {
  return /^(SLUICE_(BROKERS|CONNECTION_.*)|the setting sluice\.brokers)$/.test(setIn);
}

const lookMillis = 3_000;
/** A list of mechanisms has some hundred. */
const mostBytes = 1 << 16;
const saslHandshake = { api: 17, version: 1 } as const;
const correlation = 7;

/**
 * The mechanisms of log-in that a broker offers; none: it wants no log-in. undefined: it does not
 * speak Kafka's protocol here.
 */
export function offered(open: () => Socket): Promise<readonly string[] | undefined> {
  return new Promise((resolve) => {
    const socket = open();
    let bytes = Buffer.alloc(0);
    const end = (found: readonly string[] | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(found);
    };
    const timer = setTimeout(() => end(undefined), lookMillis);
    const writer = new WireWriter();
    // No broker has this mechanism, so the answer is an error with the list.
    writer.int16(saslHandshake.api).int16(saslHandshake.version).int32(correlation).string('sluice').string('?');
    const request = writer.content();
    const size = Buffer.alloc(4);
    size.writeInt32BE(request.length);
    socket.on('error', () => end(undefined));
    socket.on('close', () => end(undefined));
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      if (bytes.length > mostBytes) return end(undefined);
      if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return;
      end(mechanismsIn(bytes.subarray(4)));
    });
    socket.write(Buffer.concat([size, request]));
  });
}
function mechanismsIn(answer: Buffer): readonly string[] | undefined {
  try {
    const reader = new WireReader(answer);
    if (reader.int32() !== correlation) return undefined;
    reader.int16();
    return reader.array(() => reader.string() ?? '').filter((name) => /^[A-Z\d_-]{1,30}$/.test(name));
  } catch {
    return undefined;
  }
}
