// A registry that misbehaves: each failure is a retry, a rejected record or one clear error. The
// server here gives the bad answers that a real registry does not give; the good ones are tested
// with a real registry.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { fetchSchema } from '../../registry/registry-client.ts';
import { RegistryAway, SchemaAbsent } from '../../registry/registry-request.ts';
import { SchemaCache } from '../../registry/schema-cache.ts';
import { BadSchema } from '../../formats/limits.ts';
import { hex, readWith } from '../formats/read-bytes.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function withServer(answer: Answer, run: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await listening(server);
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
const listening = (server: Server): Promise<void> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
const json =
  (status: number, body: unknown): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
const fetchFrom = (url: string, auth?: { user: string; password: string }): Promise<unknown> =>
  fetchSchema(
    {
      url,
      setIn: 'SLUICE_REGISTRY',
      authIn: 'SLUICE_REGISTRY_AUTH',
      caIn: 'SLUICE_REGISTRY_CA',
      ...(auth && { auth }),
    },
    7,
  );

test('basic auth is sent, and refused without showing the password', async () => {
  const auth = { user: 'ann', password: 'hunter2' };
  let sent: string | undefined;
  const answer: Answer = (request, response) => {
    sent = request.headers.authorization;
    json(401, { error_code: 401, message: 'hunter2 is wrong' })(request, response);
  };
  await withServer(answer, async (url) => {
    const failure = (error: Error & { code?: string }): boolean =>
      error.code === 'registry-refused' &&
      !error.message.includes('hunter2') &&
      /SLUICE_REGISTRY_AUTH/.test(error.message);
    await assert.rejects(fetchFrom(url, auth), failure);
    assert.equal(sent, `Basic ${Buffer.from('ann:hunter2').toString('base64')}`);
    await assert.rejects(
      fetchFrom(url),
      /answers 401 \(not authenticated\). Set SLUICE_REGISTRY_AUTH to user:password/,
    );
    assert.equal(sent, undefined);
  });
  await withServer(json(403, {}), (url) =>
    assert.rejects(fetchFrom(url, auth), /answers 403 \(not authorised\)\. Its user "ann" may not do this\. Ask for/),
  );
});

test('what may pass is away, what the registry does not know is absent', async () => {
  for (const status of [408, 429, 500, 503])
    await withServer(json(status, {}), (url) => assert.rejects(fetchFrom(url), RegistryAway));
  await withServer(json(404, { error_code: 40403, message: 'Schema 7 not found' }), (url) =>
    assert.rejects(fetchFrom(url), SchemaAbsent),
  );
  await assert.rejects(fetchFrom('http://127.0.0.1:1'), RegistryAway);
});

test('what is no registry is one error with the address and its variable', async () => {
  const html: Answer = (_, response) => void response.end('<html>');
  const lost: Answer = (_, response) => void response.writeHead(404).end('not here');
  const moved: Answer = (_, response) => void response.writeHead(302, { location: 'http://x' }).end();
  for (const [answer, why] of [
    [html, /its answer \(200\) is not JSON/],
    [lost, /it answers 404, and not as a registry does/],
    [moved, /it redirects \(302\)/],
  ] as const)
    await withServer(answer, (url) =>
      assert.rejects(fetchFrom(url), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'registry-bad-answer');
        assert.match(error.message, why);
        assert.match(error.message, /The address is from SLUICE_REGISTRY/);
        return true;
      }),
    );
});

test('TLS where there is none, and none where there is TLS, are one error each', async () => {
  await withServer(json(200, {}), (url) =>
    assert.rejects(fetchFrom(url.replace('http:', 'https:')), { code: 'registry-tls', message: /does not speak TLS/ }),
  );
  // The alert with which a TLS server answers a plain request.
  const server = createSocketServer((socket) => socket.resume().end(hex('15 03 01 00 02 02 46')));
  await listening(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await assert.rejects(fetchFrom(url), { code: 'registry-bad-answer', message: /begin the address with https/ });
  await new Promise((resolve) => server.close(resolve));
});

test('answers that no schema can be made of are bad schemas', async () => {
  const bodies = [
    {},
    { schema: 5 },
    { schema: '"int"', schemaType: 'THRIFT' },
    { schema: '"int"', references: 5 },
    { schema: '"int"', references: [{ name: 'a' }] },
    { schema: 'x'.repeat(2 << 20) },
    { schema: 'x'.repeat(10 << 20) },
  ];
  for (const body of bodies)
    await withServer(json(200, body), (url) =>
      assert.rejects(fetchFrom(url), BadSchema, JSON.stringify(body).slice(0, 80)),
    );
});

test('references are fetched once each, also in a circle, and no more than the limit', async () => {
  const asked: string[] = [];
  const schemas: Readonly<Record<string, unknown>> = {
    '/schemas/ids/7': {
      schema: '{"type":"record","name":"R","fields":[{"name":"a","type":"A"},{"name":"b","type":"B"}]}',
      references: [
        { name: 'A', subject: 'a/ä', version: 1 },
        { name: 'B', subject: 'b', version: 2 },
      ],
    },
    '/subjects/a%2F%C3%A4/versions/1?deleted=true': {
      schema: '{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}',
      references: [{ name: 'B', subject: 'b', version: 2 }],
    },
    '/subjects/b/versions/2?deleted=true': {
      schema: '{"type":"fixed","name":"B","size":1}',
      references: [{ name: 'B', subject: 'b', version: 2 }],
    },
  };
  const answer: Answer = (request, response) => {
    asked.push(request.url!);
    const body = schemas[request.url!];
    json(body ? 200 : 404, body ?? { error_code: 40401, message: 'no' })(request, response);
  };
  await withServer(answer, async (url) => {
    const cache = new SchemaCache({ url, setIn: 'V', authIn: 'V_AUTH', caIn: 'V_CA' });
    const state = await settled(cache, 7);
    assert.equal(state.kind, 'known');
    if (state.kind === 'known')
      assert.deepEqual(readWith(state.read, hex('01 02')), { a: { b: new Uint8Array([1]) }, b: new Uint8Array([2]) });
    assert.equal(asked.length, 3);
  });
  const endless: Answer = (request, response) => {
    const version = Number(/versions\/(\d+)/.exec(request.url!)?.[1] ?? 0);
    json(200, { schema: '"int"', references: [{ name: 'x', subject: 'x', version: version + 1 }] })(request, response);
  };
  await withServer(endless, (url) => assert.rejects(fetchFrom(url), /refers to more than 200 schemas/));
  const missing: Answer = (request, response) =>
    request.url === '/schemas/ids/7'
      ? json(200, { schema: '"int"', references: [{ name: 'M', subject: 'm', version: 1 }] })(request, response)
      : json(404, { error_code: 40401, message: 'no' })(request, response);
  await withServer(missing, (url) => assert.rejects(fetchFrom(url), /refers to "M", which the registry does not have/));
});

// ------------------------------------------------------------------------------------------- cache

async function settled(cache: SchemaCache, id: number): Promise<ReturnType<SchemaCache['get']>> {
  const stop = cache.watch(() => undefined);
  for (;;) {
    const state = cache.get(id);
    if (state.kind !== 'fetching') {
      stop();
      return state;
    }
    await sleep(5);
  }
}

test('a registry that is down is asked again until it is there, and known schemas go on', async () => {
  let isDown = true;
  let asked = 0;
  const cache = new SchemaCache({ url: 'http://r', setIn: 'V', authIn: 'V_AUTH', caIn: 'V_CA' }, () => {
    asked++;
    return isDown
      ? Promise.reject(new RegistryAway('connect ECONNREFUSED'))
      : Promise.resolve({ type: 'AVRO', text: '"int"', references: [] });
  });
  const troubles: (string | undefined)[] = [];
  const stop = cache.watch(() => troubles.push(cache.trouble));
  assert.equal(cache.get(7).kind, 'fetching');
  while (troubles.length < 2) await sleep(5);
  assert.equal(troubles[0], 'schema 7 cannot be fetched from http://r: connect ECONNREFUSED');
  isDown = false;
  assert.equal((await settled(cache, 7)).kind, 'known');
  assert.equal(cache.trouble, undefined);
  assert.equal(troubles.at(-1), undefined);
  isDown = true;
  assert.equal(cache.get(7).kind, 'known');
  assert.equal(asked, 3);
  stop();
});

test('nobody who waits, no more questions', async () => {
  let asked = 0;
  const cache = new SchemaCache({ url: 'http://r', setIn: 'V', authIn: 'V_AUTH', caIn: 'V_CA' }, () => {
    asked++;
    return Promise.reject(new RegistryAway('down'));
  });
  cache.get(7);
  await sleep(600);
  assert.equal(asked, 1);
  assert.equal(cache.trouble, undefined);
});

test('an unknown id, a broken schema and a refused password are three different states', async () => {
  const answer: Answer = (request, response) => {
    const id = request.url!.split('/').at(-1);
    if (id === '1') json(404, { error_code: 40403, message: 'Schema not found' })(request, response);
    else if (id === '2') json(200, { schema: '{"type":"recrod"}' })(request, response);
    else json(403, { message: 'no' })(request, response);
  };
  await withServer(answer, async (url) => {
    const cache = new SchemaCache({ url, setIn: 'V', authIn: 'V_AUTH', caIn: 'V_CA' });
    assert.deepEqual(await settled(cache, 1), {
      kind: 'unusable',
      problem: `has the schema id 1, which ${url} does not know`,
    });
    const broken = await settled(cache, 2);
    assert.equal(
      broken.kind === 'unusable' && broken.problem,
      'has the schema 2, which cannot be used: Avro: it refers to the type "recrod", which neither it nor a reference defines',
    );
    const refused = await settled(cache, 3);
    assert.equal(refused.kind === 'failed' && refused.error.code, 'registry-refused');
    assert.equal(cache.get(3).kind, 'fetching', 'the next reader asks anew');
  });
});
