// A split whose next record needs a schema waits for it: it is not idle, it keeps its position, and
// the other splits are read. The reader and its messages are a model, and so is the registry.
import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, test } from 'vitest';
import type { SourceContext } from '../../contract/source.ts';
import { createKafkaSource, type KafkaSource, type ReaderThread } from '../../connectors/kafka/kafka-source.ts';
import type { Chunk, ToReader, ToSource } from '../../connectors/kafka/reader-messages.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';

const idleness = 300;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A registry that answers when the test says so. */
async function slowRegistry(): Promise<{ readonly url: string; answer(schema: string): Promise<void> }> {
  const waiting: ServerResponse[] = [];
  const server: Server = createServer((_, response) => void waiting.push(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async answer(schema) {
      while (waiting.length === 0) await sleep(5);
      for (const response of waiting.splice(0))
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ schema }));
    },
  };
}

/** A source of topic t with two partitions, driven by hand. */
class Model {
  readonly source: KafkaSource;
  readonly rows: { readonly value: unknown; readonly partition: number; readonly offset: number }[] = [];
  readonly told: ToReader[] = [];
  tell: (message: ToSource) => void = () => undefined;
  now = 0;
  wakeUps = 0;

  constructor(parameters: Partial<NodeOf<'kafka'>['parameters']>, holdsTime = false) {
    process.env['SLUICE_CONNECTION_MODEL'] = '127.0.0.1:1';
    const reader: ReaderThread = {
      postMessage: (message: ToReader) => void this.told.push(message),
      terminate: () => Promise.resolve(0),
      on: (event: string, listener: (message: never) => void) => {
        if (event === 'message') this.tell = listener as typeof this.tell;
      },
    };
    const node: NodeOf<'kafka'> = {
      id: 'k',
      uid: 'k',
      kind: 'kafka',
      name: 't',
      group: '',
      parameters: {
        topic: 't',
        connection: 'model',
        from: 'earliest',
        watermark: { outOfOrdernessMillis: 0, idlenessMillis: idleness },
        ...parameters,
      },
      own: '',
      shape: '',
    };
    this.source = createKafkaSource(node, new FunctionTable(), undefined, () => reader);
    this.source.open(this.#context(holdsTime));
    closing.push(() => this.source.close());
    this.source.poll();
    const splits = [0, 1].map((partition) => ({ topic: 't', partition, offset: 0, epoch: 0 }));
    this.tell({ kind: 'found', splits, unresolved: [] });
  }
  #context(holdsTime: boolean): SourceContext {
    const none = (): undefined => undefined;
    return {
      id: 'k',
      uid: 'k',
      name: 't',
      freeze: true,
      clock: { now: () => this.now },
      output: {
        full: false,
        holdsTime,
        emit: none,
        emitAt: (value, _timestamp, partition, offset) => void this.rows.push({ value, partition, offset }),
        room: 1,
        allowance: 1,
        prepare: () => assert.fail('A topic is read record by record.'),
        emitRun: none,
        emitTo: (port, value) => assert.fail(`${port}: ${JSON.stringify(value)}`),
        hasReader: () => true,
        watermark: none,
        idle: none,
        active: none,
        finish: none,
      },
      wake: () => void this.wakeUps++,
      wakeAt: none,
      fail: (error) => assert.fail(String(error)),
      countLate: none,
      failPartitions: none,
    };
  }

  /** Records of a partition arrive, from offset 0 on. null: a tombstone. */
  arrive(partition: number, records: readonly (Buffer | null)[], keys?: readonly Buffer[]): void {
    this.tell({ kind: 'chunks', chunks: [chunkOf(partition, records, keys)] });
  }
  /** The reader finds nothing at these offsets, for longer than the idleness. */
  nothingMore(offsets: readonly number[]): void {
    for (const until = this.now + 3 * idleness; this.now < until; this.now += 50) {
      const splits = offsets.map((offset, partition) => ({ split: `t[${partition}]`, offset }));
      this.tell({ kind: 'silent', splits });
      this.source.poll();
    }
  }
  get idle(): boolean[] {
    return this.source.status().partitions!.map(({ idle }) => idle);
  }
  get positions(): (string | number)[] {
    return this.source.position().split(' ').slice(1);
  }
  async woken(): Promise<void> {
    for (const before = this.wakeUps; this.wakeUps === before;) await sleep(5);
  }
}
function chunkOf(partition: number, records: readonly (Buffer | null)[], keys?: readonly Buffer[]): Chunk {
  const count = records.length;
  const lengths = (of: readonly (Buffer | null)[]): Int32Array<ArrayBuffer> =>
    Int32Array.from(of, (bytes) => bytes?.length ?? -1);
  return {
    split: `t[${partition}]`,
    columns: {
      count,
      values: new Uint8Array(Buffer.concat(records.filter((bytes) => bytes !== null))),
      lengths: lengths(records),
      offsets: Float64Array.from({ length: count }, (_, i) => i),
      timestamps: Float64Array.from({ length: count }, (_, i) => 1_000 + i),
      ...(keys && { keys: { bytes: new Uint8Array(Buffer.concat(keys)), lengths: lengths(keys) } }),
    },
    ascii: false,
    next: count,
    epoch: 0,
    end: count,
    bytes: count,
  };
}
function framed(id: number, ...payload: number[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(payload)]);
}

test('a split that waits for a schema is not idle, and keeps its position', async () => {
  const registry = await slowRegistry();
  process.env['SLUICE_REGISTRY_SLOW'] = registry.url;
  const model = new Model({ format: 'avro', registry: 'slow' });
  model.arrive(0, [framed(1, 2), framed(1, 4)]);
  assert.equal(model.source.poll(), 'wait');
  model.nothingMore([2, 0]);
  assert.deepEqual(model.idle, [false, true]);
  assert.deepEqual(model.positions, ['0:0', '1:0']);
  await registry.answer('"long"');
  await model.woken();
  model.source.poll();
  assert.deepEqual(
    model.rows.map(({ value, offset }) => [value, offset]),
    [
      [1, 0],
      [2, 1],
    ],
  );
  assert.deepEqual(model.positions, ['0:2', '1:0']);
  assert.deepEqual(
    model.told.filter(({ kind }) => kind === 'credit'),
    [{ kind: 'credit', split: 't[0]', bytes: 2 }],
  );
  model.nothingMore([2, 0]);
  assert.deepEqual(model.idle, [true, true], 'now it is silent');
});

test('while one split waits, the other is read, and a micro-batch waits for that one only', async () => {
  const registry = await slowRegistry();
  process.env['SLUICE_REGISTRY_SLOW'] = registry.url;
  const model = new Model({ format: 'avro', registry: 'slow' }, true);
  model.arrive(0, [framed(1, 2), framed(2, 2)]);
  model.arrive(1, [framed(1, 6)]);
  model.source.share(2);
  model.source.poll();
  await registry.answer('"long"');
  await model.woken();
  model.source.poll();
  assert.deepEqual(
    model.rows.map(({ value, partition }) => [partition, value]),
    [
      [0, 1],
      [1, 3],
    ],
  );
  assert.equal(model.source.behind(), 1);
  model.source.share(1);
  model.source.poll();
  assert.equal(model.source.awaits(), false, 'the batch does not wait for the schema');
  await registry.answer('"int"');
  await model.woken();
  assert.equal(model.source.awaits(), true, 'a record that waited did not use up the share');
  model.source.poll();
  assert.equal(model.rows.length, 3);
});

test('the key and the value of a record are read again when the schema of either has come', async () => {
  const registry = await slowRegistry();
  process.env['SLUICE_REGISTRY_SLOW'] = registry.url;
  const model = new Model({ format: 'json', keyFormat: { format: 'avro', registry: 'slow' }, tableKey: 'id' });
  model.arrive(0, [Buffer.from('{"id":1}'), null], [framed(1, 2), framed(1, 4)]);
  model.source.poll();
  assert.deepEqual(model.rows, []);
  await registry.answer('"long"');
  await model.woken();
  model.source.poll();
  assert.deepEqual(
    model.rows.map(({ value }) => value),
    [
      { key: 1, row: { id: 1 } },
      { key: 2, row: null },
    ],
  );
});
