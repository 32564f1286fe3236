// What is unusual about kafkajs does not reach the user: addresses, warnings, timers, and answers
// that no broker gives. The brokers here are sockets that answer with bytes of the test.
import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import { BrokerAccess } from '../../connectors/kafka/broker-access.ts';
import { BrokerUnreachable } from '../../connectors/kafka/broker-unreachable.ts';
import { BrokerConnection, type Exchange } from '../../connectors/kafka/kafkajs-connection.ts';
import { frames } from './frames.ts';

const apiVersions = 18;
const echoApi = 3;
const servers: Server[] = [];
const connections: BrokerConnection[] = [];
afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  for (const server of servers.splice(0)) server.close();
});

/** Answers the handshake of kafkajs, and every other request with `answer` of its body. */
async function broker(answer: (body: Buffer, socket: Socket) => Buffer | undefined, host = '127.0.0.1') {
  const server = createServer((socket) => {
    const take = frames((request) => {
      const afterClient = 10 + request.readInt16BE(8);
      const body = request.readInt16BE(0) === apiVersions ? versions : answer(request.subarray(afterClient), socket);
      if (!body) return;
      const head = Buffer.alloc(8);
      head.writeInt32BE(4 + body.length, 0);
      request.copy(head, 4, 4, 8);
      socket.write(Buffer.concat([head, body]));
    });
    socket.on('error', () => undefined);
    socket.on('data', take);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
/** No error, and one API with the versions 0 to 12, then the time of throttling. */
const versions = Buffer.concat([
  Buffer.from([0, 0, 0, 0, 0, 1]),
  Buffer.from([0, echoApi, 0, 0, 0, 12]),
  Buffer.from([0, 0, 0, 0]),
]);
const echo: Exchange<string, string | null> = {
  api: echoApi,
  version: 9,
  isFlexible: true,
  write: (writer, text) => writer.compactString(text).noTags(),
  read: (reader) => reader.compactString(),
};
async function open(address: string, timeoutMillis = 60_000): Promise<BrokerConnection> {
  const connection = await BrokerConnection.open(
    address,
    timeoutMillis,
    new BrokerAccess({ brokers: [address], setIn: 'the test' }),
  );
  connections.push(connection);
  return connection;
}
const failureOf = (asked: Promise<unknown>): Promise<Error> =>
  asked.then(
    () => assert.fail('It must fail.'),
    (error: unknown) => error as Error,
  );

test('a flexible request and its answer begin with empty tagged fields', async () => {
  const bodies: Buffer[] = [];
  const address = await broker((body) => {
    bodies.push(body);
    return body;
  });
  const connection = await open(address);
  assert.equal(await connection.ask(echo, 'grüße', 60_000), 'grüße');
  assert.deepEqual(bodies[0], Buffer.from([0, 8, ...Buffer.from('grüße'), 0]));
  assert.equal(connection.supports(echo), true);
  assert.equal(connection.supports({ ...echo, version: 13 }), false);
});

test('an address of IPv6 is not cut at its first colon', async () => {
  const connection = await open(await broker((body) => body, '::1'));
  assert.equal(await connection.ask(echo, 'six', 60_000), 'six');
});

test('many requests at the same time leave no timer into the past and no timer that runs on', async () => {
  const connection = await open(await broker((body) => body));
  const warnings: string[] = [];
  const listener = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', listener);
  const texts = Array.from({ length: 200 }, (_, n) => `text ${n}`);
  assert.deepEqual(await Promise.all(texts.map((text) => connection.ask(echo, text, 60_000))), texts);
  const handlesBefore = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  await sleep(30);
  const handlesAfter = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  process.off('warning', listener);
  assert.deepEqual(warnings, []);
  // The look for requests that are over their time, every 100 ms, is the only timer of kafkajs.
  assert.ok(handlesAfter <= handlesBefore, `${handlesBefore} timers before, ${handlesAfter} after`);
});

test('a broker that asks for silence gets the next request after it', async () => {
  const times: number[] = [];
  const address = await broker((body) => {
    times.push(Date.now());
    return body;
  });
  const throttled: typeof echo = { ...echo, throttleMillis: () => 300 };
  const connection = await open(address);
  await connection.ask(throttled, 'one', 60_000);
  await connection.ask(echo, 'two', 60_000);
  assert.ok(times[1]! - times[0]! >= 290, `${times[1]! - times[0]!} ms`);
});

test('a request without an answer ends the connection with all that wait on it', async () => {
  const connection = await open(await broker(() => undefined), 2_000);
  let ends = 0;
  connection.onEnd(() => ends++);
  const errors = await Promise.all(['one', 'two'].map((text) => failureOf(connection.ask(echo, text, 2_000))));
  for (const error of errors) {
    assert.ok(error instanceof BrokerUnreachable);
    assert.equal(error.reason, 'silent');
    assert.match(error.message, /accepted the connection but did not answer within 2 s\.$/);
  }
  assert.equal(ends, 1);
  assert.equal(connection.isOpen, false);
  assert.equal((await failureOf(connection.ask(echo, 'three', 2_000))).message, errors[0]!.message);
});

test('answers that no broker gives end the connection at once', async () => {
  // The limits are longer than the test may take, so no error below is that of a limit.
  const cut = await open(await broker(() => Buffer.from([0, 200, 1])));
  assert.match((await failureOf(cut.ask(echo, 'cut', 3_600_000))).message, /gave an answer that is not Kafka's/);
  const huge = await open(
    await broker((_, socket) => {
      socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff]));
      return undefined;
    }),
  );
  assert.match((await failureOf(huge.ask(echo, 'huge', 3_600_000))).message, /does not speak Kafka's protocol\.$/);
  const shut = await open(
    await broker((_, socket) => {
      socket.end();
      return undefined;
    }),
  );
  assert.match((await failureOf(shut.ask(echo, 'shut', 3_600_000))).message, /closed the connection\.$/);
});
