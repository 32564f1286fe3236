// A socket between clients and a broker that counts connections and the requests of each, and can
// cut all of them.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { frames } from './frames.ts';

const apis = { produce: 0, fetch: 1, saslHandshake: 17 } as const;

export interface CountingProxy {
  readonly address: string;
  /** One for each connection since the start: how many requests of which API it has carried. */
  readonly connections: readonly ReadonlyMap<number, number>[];
  /** How many of them have ended. */
  readonly ended: number;
  /** The most log-ins after the first on one connection that carries such requests. */
  renewals(requests: keyof typeof apis): number;
  /** Ends the connections from this one on. New ones are accepted. */
  cut(from: number): void;
  close(): void;
}

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const [host, port] = target.split(':') as [string, string];
  const connections: Map<number, number>[] = [];
  const sockets: Socket[][] = [];
  let ended = 0;
  const server = createServer((client) => {
    const counts = new Map<number, number>();
    connections.push(counts);
    const broker = connect(Number(port), host);
    client.on(
      'data',
      eachRequest((api) => counts.set(api, (counts.get(api) ?? 0) + 1)),
    );
    client.pipe(broker).pipe(client);
    sockets.push([client, broker]);
    client.once('close', () => ended++);
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const)
      for (const event of ['error', 'close']) socket.on(event, () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (from: number): void => {
    for (const socket of sockets.slice(from).flat()) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    get ended() {
      return ended;
    },
    renewals(requests) {
      const carrying = connections.filter((counts) => (counts.get(apis[requests]) ?? 0) > 10);
      return Math.max(0, ...carrying.map((counts) => counts.get(apis.saslHandshake)! - 1));
    },
    cut,
    close() {
      server.close();
      cut(0);
    },
  };
}

/**
 * The first byte of a connection by TLS. Requests in plain begin with a length below 16 MB: with 0.
 */
const handshake = 22;

/** Takes the bytes of a client. Requests begin with their API. Behind TLS none can be seen. */
function eachRequest(onRequest: (api: number) => void): (bytes: Buffer) => void {
  const take = frames((request) => onRequest(request.readInt16BE(0)));
  let isEncrypted: boolean | undefined;
  return (bytes) => {
    isEncrypted ??= bytes[0] === handshake;
    if (!isEncrypted) take(bytes);
  };
}
