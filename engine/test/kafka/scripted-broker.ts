// One broker made of a socket and answers of the test: what a reader does with answers that a real
// broker gives rarely, late, or only under load. It speaks the versions of brokers before 3.1,
// which know topics by name. Tests on a real broker show that real answers are like these.
import { createServer, type Server, type Socket } from 'node:net';
import { EventEmitter, once } from 'node:events';
import { frames } from './frames.ts';
import { WireReader, WireWriter } from '../../connectors/kafka/wire.ts';
import { TopicReader } from '../../connectors/kafka/topic-reader.ts';
import type { ReadRequest, ToReader, ToSource } from '../../connectors/kafka/reader-messages.ts';
import { describeTroubles, type Trouble } from '../../connectors/kafka/troubles.ts';

export interface ScriptedFetch {
  readonly throttleMillis?: number;
  readonly partitions: readonly ScriptedAnswer[];
}
export interface ScriptedAnswer {
  readonly partition: number;
  readonly highWatermark: number;
  readonly lastStable?: number;
  readonly bytes?: Buffer;
}
export interface Asked {
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}
export interface Script {
  /** Default: one partition. */
  readonly partitions?: number;
  /** host and port of the broker in its metadata; by default its own. */
  readonly advertised?: readonly [string, number];
  /** Partitions without a leader. */
  readonly leaderless?: () => readonly number[];
  /** The offset of each partition's end. Default: 100. */
  readonly end?: (partition: number) => number;
  /** undefined: no answer. Default: each partition is read to its end. */
  readonly fetch?: (asked: readonly Asked[], isUncommitted: boolean) => ScriptedFetch | undefined;
}

export class ScriptedBroker {
  readonly #script: Script;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The names of topics that are there. */
  topics: readonly string[] = ['t'];

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((socket) => this.#serve(socket));
  }
  static async start(script: Script): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script);
    broker.#server.listen(0, '127.0.0.1');
    await once(broker.#server, 'listening');
    return broker;
  }
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const take = frames((request) => {
      const reader = new WireReader(request);
      const api = reader.int16();
      reader.int16();
      const writer = new WireWriter().int32(reader.int32());
      reader.string();
      if (this.#answer(api, reader, writer)) socket.write(Buffer.concat([sizeOf(writer.content()), writer.content()]));
    });
    socket.on('error', () => undefined);
    socket.on('data', take);
  }
  /** False: there is no answer. */
  #answer(api: number, reader: WireReader, writer: WireWriter): boolean {
    if (api === apis.versions) this.#versions(writer);
    else if (api === apis.metadata) this.#metadata(writer);
    else if (api === apis.offsets) this.#offsets(reader, writer);
    else if (api === apis.fetch) return this.#fetch(reader, writer);
    else return false;
    return true;
  }
  #versions(writer: WireWriter): void {
    const spoken = [
      [apis.fetch, 11],
      [apis.offsets, 5],
      [apis.metadata, 7],
      [apis.versions, 2],
    ];
    writer.int16(0).array(spoken, ([api, most]) => writer.int16(api!).int16(0).int16(most!));
    writer.int32(0);
  }
  #metadata(writer: WireWriter): void {
    const { partitions = 1, advertised = ['127.0.0.1', this.port] as const, leaderless } = this.#script;
    const without = new Set(leaderless?.());
    const none = (): void => void writer.array([], () => undefined);
    writer.int32(0);
    writer.array([1], (node) => writer.int32(node).string(advertised[0]).int32(advertised[1]).string(null));
    writer.string('cluster').int32(1);
    writer.array(this.topics, (topic) => {
      writer.int16(0).string(topic).int8(0);
      writer.array([...Array(partitions).keys()], (partition) => {
        writer
          .int16(0)
          .int32(partition)
          .int32(without.has(partition) ? -1 : 1)
          .int32(0);
        none();
        none();
        none();
      });
    });
  }
  #offsets(reader: WireReader, writer: WireWriter): void {
    reader.int32();
    reader.position += 1;
    const topics = reader.array(() => ({
      topic: reader.string()!,
      asked: reader.array(() => {
        const partition = reader.int32();
        reader.int32();
        return { partition, time: reader.int64() };
      }),
    }));
    const earliest = -2;
    writer.int32(0).array(topics, ({ topic, asked }) =>
      writer.string(topic).array(asked, ({ partition, time }) =>
        writer
          .int32(partition)
          .int16(0)
          .int64(-1)
          .int64(time === earliest ? 0 : this.#endOf(partition))
          .int32(0),
      ),
    );
  }
  #fetch(reader: WireReader, writer: WireWriter): boolean {
    reader.position += 4 + 4 + 4 + 4;
    const isUncommitted = reader.bytes.readInt8(reader.position) === 0;
    reader.position += 1 + 4 + 4;
    const topics = reader.array(() => ({
      topic: reader.string()!,
      asked: reader.array((): Asked => {
        const partition = reader.int32();
        reader.int32();
        const offset = reader.int64();
        reader.int64();
        return { partition, offset, maxBytes: reader.int32() };
      }),
    }));
    const [{ topic, asked } = { topic: 't', asked: [] }] = topics;
    const atEnd = { partitions: asked.map(({ partition, offset }) => ({ partition, highWatermark: offset })) };
    const found: ScriptedFetch | undefined = this.#script.fetch ? this.#script.fetch(asked, isUncommitted) : atEnd;
    if (!found) return false;
    writer
      .int32(found.throttleMillis ?? 0)
      .int16(0)
      .int32(0);
    writer.array(found.partitions.length === 0 ? [] : [topic], () =>
      writer.string(topic).array(found.partitions, ({ partition, highWatermark, lastStable, bytes }) => {
        writer
          .int32(partition)
          .int16(0)
          .int64(highWatermark)
          .int64(lastStable ?? highWatermark)
          .int64(0);
        writer
          .array([], () => undefined)
          .int32(-1)
          .bytes(bytes ?? Buffer.alloc(0));
      }),
    );
    return true;
  }
  #endOf(partition: number): number {
    return this.#script.end?.(partition) ?? 100;
  }
}
const apis = { fetch: 1, offsets: 2, metadata: 3, versions: 18 } as const;
function sizeOf(content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length, 0);
  return size;
}

/** A real reader, with the messages that it sends. It assigns itself what it finds. */
export class ReaderOn {
  readonly messages: ToSource[] = [];
  troubles: readonly Trouble[] = [];
  onMessage: (message: ToSource) => void = () => undefined;
  readonly #events = new EventEmitter();
  readonly #reader: TopicReader;

  constructor(broker: Pick<ScriptedBroker, 'address'>, request: Partial<ReadRequest> = {}) {
    const port = Object.assign(this.#events, { postMessage: (message: ToSource) => this.#receive(message) });
    const asked: ReadRequest = {
      connection: { brokers: [broker.address], setIn: 'SLUICE_BROKERS' },
      ...{ topic: 't', discoveryMillis: 300_000 },
      ...{ from: 'earliest', known: [], unresolved: [], hasLooked: false },
      ...request,
    };
    this.#reader = new TopicReader(asked, port);
    void this.#reader.run();
  }
  #receive(message: ToSource): void {
    if (message.kind === 'troubles') this.troubles = message.troubles;
    else this.messages.push(message);
    if (message.kind === 'found') setImmediate(() => this.tell({ kind: 'assign', splits: message.splits }));
    this.onMessage(message);
  }
  tell(message: ToReader): void {
    this.#events.emit('message', message);
  }
  /** What a status would show at this time. */
  trouble(now = Date.now()): string | undefined {
    return describeTroubles(this.troubles, now);
  }
  of<Kind extends ToSource['kind']>(kind: Kind): Extract<ToSource, { kind: Kind }>[] {
    return this.messages.filter((message) => message.kind === kind) as Extract<ToSource, { kind: Kind }>[];
  }
  close(): void {
    this.#reader.close();
  }
}
