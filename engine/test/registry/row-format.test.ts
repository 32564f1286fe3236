// The schema of an Avro sink: from a file or a registry, registered or only used, and the errors
// before the first row. A server of the test plays the registry where it must fail.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, test } from 'vitest';
import { AvroRowFormat, type AvroSinkSpec } from '../../registry/row-format.ts';
import { avro, hex, proto } from '../formats/read-bytes.ts';

const orders = avro({ type: 'record', name: 'Order', fields: [{ name: 'id', type: 'int' }] });
interface Reply {
  readonly status: number;
  readonly body: unknown;
}
afterEach(() => {
  delete process.env['SLUICE_REGISTRY'];
});

/** Opens the format against a registry with these replies, in order; the last one repeats. */
async function opened(
  spec: Partial<AvroSinkSpec>,
  ...replies: readonly Reply[]
): Promise<{
  readonly format: AvroRowFormat;
  readonly asked: readonly string[];
  readonly troubles: readonly unknown[];
}> {
  const asked: string[] = [];
  const troubles: unknown[] = [];
  const server = createServer((request, response) => {
    const { status, body } = replies[Math.min(asked.length, replies.length - 1)]!;
    asked.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.writeHead(status).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  process.env['SLUICE_REGISTRY'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await new Promise((resolve, reject) => {
      const format = new AvroRowFormat(
        { topic: 'orders', schemas: 'use', ...spec },
        {
          onProgress: () => {
            if (format.trouble !== undefined) troubles.push(format.trouble);
            if (format.isReady) resolve({ format, asked, troubles });
          },
          onFailure: reject,
        },
      );
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('without a registry a schema file is enough, and rows have no schema id', () => {
  const events = { onProgress: () => undefined, onFailure: () => undefined };
  const format = new AvroRowFormat({ topic: 'orders', schemas: 'use', schemaFile: orders }, events);
  assert.ok(format.isReady);
  assert.deepEqual(format.bytesOf({ id: 3 }), hex('06'));
  assert.throws(() => format.bytesOf({ id: 'x' }), /Its field "id" is "x"; its schema wants an int/);
  assert.throws(() => new AvroRowFormat({ topic: 'orders', schemas: 'use' }, events), {
    code: 'registry-no-connection',
  });
  const schemaFile = proto('message M { }');
  assert.throws(() => new AvroRowFormat({ topic: 'o', schemas: 'use', schemaFile }, events), { code: 'bad-schema' });
});

test('a schema is registered, looked up, or the latest one is used', async () => {
  const id = { status: 200, body: { id: 258 } };
  const registered = await opened({ schemas: 'register', schemaFile: orders }, id);
  assert.deepEqual(registered.asked, ['POST /subjects/orders-value/versions']);
  assert.deepEqual(registered.format.bytesOf({ id: 3 }), hex('00 00 00 01 02 06'));
  const used = await opened({ schemaFile: orders }, id);
  assert.deepEqual(used.asked, ['POST /subjects/orders-value']);
  const latest = await opened({ topic: 'a/b' }, { status: 200, body: { id: 5, version: 2, schema: orders.text } });
  assert.deepEqual(latest.asked, ['GET /subjects/a%2Fb-value/versions/latest']);
  assert.deepEqual(latest.format.bytesOf({ id: 3 }), hex('00 00 00 00 05 06'));
});

test('a registry that is down is asked again', async () => {
  const { asked, troubles } = await opened(
    { schemaFile: orders },
    { status: 503, body: {} },
    { status: 200, body: { id: 1 } },
  );
  assert.equal(asked.length, 2);
  assert.match(String(troubles[0]), /^the schema registry http:.* cannot be asked: it answers 503$/);
});

test('what the registry refuses is one error with the way out', async () => {
  const absent = { status: 404, body: { error_code: 40401, message: 'Subject not found' } };
  await assert.rejects(opened({ schemaFile: orders }, absent), {
    code: 'registry-no-schema',
    message: /give to\(\) schemas: "register"/,
  });
  await assert.rejects(opened({}, absent), {
    code: 'registry-no-schema',
    message: /Subject "orders-value" .* has no schema/,
  });
  const conflict = { status: 409, body: { error_code: 409, message: 'field id was removed' } };
  await assert.rejects(opened({ schemas: 'register', schemaFile: orders }, conflict), {
    code: 'registry-refused-schema',
    message: /does not accept the schema for subject "orders-value" \(409\): field id was removed/,
  });
  await assert.rejects(opened({}, { status: 401, body: {} }), { code: 'registry-refused' });
  const other = { status: 200, body: { id: 1, schema: 'message M { }', schemaType: 'PROTOBUF' } };
  await assert.rejects(opened({}, other), { code: 'bad-schema', message: /is Protobuf; values are written as Avro/ });
  const broken = avro({ type: 'recrod' });
  await assert.rejects(opened({ schemas: 'register', schemaFile: broken }, { status: 200, body: { id: 1 } }), {
    code: 'bad-schema',
    message: /refers to the type "recrod"/,
  });
});
