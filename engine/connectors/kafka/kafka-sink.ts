// A topic as a sink. Rows go to a writer and are acknowledged in the background. A barrier waits
// until all rows are acknowledged, so none is lost.
import { notYet, SluiceError } from '../../errors/error.ts';
import type { FunctionTable, NodeOf } from '../../graph/plan.ts';
import type {
  Batch,
  Operator,
  OperatorContext,
  OperatorStatus,
  StateReader,
  StateWriter,
} from '../../contract/operator.ts';
import { BadRow } from '../../formats/avro-writer.ts';
import { AvroRowFormat, rowBytes } from '../../registry/row-format.ts';
import { compileSelector, type Select } from '../../state/selector.ts';
import { compileEventTime } from '../../time/event-time.ts';
import { described } from '../../values/kind.ts';
import type { RecordHeaders, Value } from './batch-builder.ts';
import { connectionNamed } from './connections.ts';
import { recordHeaders } from './record-headers.ts';
import { RetentionWatch } from './retention-watch.ts';
import { rowText } from '../row-text.ts';
import type { UnsentBatch } from './topic-partition.ts';
import { TopicWriter, type WriterOptions } from './topic-writer.ts';

interface Saved {
  readonly unsent: readonly UnsentBatch[];
}
type Parameters = NodeOf<'kafkaSink'>['parameters'];

export function createKafkaSink(node: NodeOf<'kafkaSink'>, functions: FunctionTable): Operator {
  const parameters = node.parameters;
  if (!['at-least-once', 'none'].includes(parameters.delivery)) notYet(`sinks with delivery "${parameters.delivery}"`);
  return parameters.armed === false ? new PreviewOfSink() : new KafkaSink(parameters, functions, node.name);
}

/** It does not even connect. */
class PreviewOfSink implements Operator {
  process(_input: 0 | 1, batch: Batch): number {
    return batch.length;
  }
}

/** A barrier that waits looks for a trouble this often. */
const lookMillis = 1_000;
/** A sink that is removed may write for so long. */
const finishMillis = 5_000;
/** Node's timers have 31 bits. */
const longestTimer = 2 ** 31 - 1;

/** Idempotence needs the acknowledgement of all replicas. */
function writerOptions({ acks, idempotent, compression, lingerMillis, create }: Parameters): Partial<WriterOptions> {
  return {
    ...(acks !== undefined && { acks }),
    isIdempotent: idempotent ?? (acks === undefined || acks === 'all'),
    ...(compression !== undefined && { compression }),
    ...(lingerMillis !== undefined && { lingerMillis: Math.min(lingerMillis, longestTimer) }),
    ...(create !== undefined && { create }),
  };
}

class KafkaSink implements Operator {
  at = 0;
  readonly #parameters: Parameters;
  readonly #key: Select | undefined;
  readonly #eventTime: ((element: unknown) => number | string) | undefined;
  readonly #headers: ((element: unknown) => unknown) | undefined;
  readonly #partitioner: ((element: unknown, partitions: number) => unknown) | undefined;
  #context!: OperatorContext;
  #writer!: TopicWriter;
  /** Absent if the format is another one. */
  #avro: AvroRowFormat | undefined;
  #isClosed = false;
  /** Absent before the first contact. */
  #retention: RetentionWatch | undefined;

  constructor(parameters: Parameters, functions: FunctionTable, name: string) {
    this.#parameters = parameters;
    const { key, timestamp, headers, partitioner } = parameters;
    this.#key = key && compileSelector(key, functions, `${name} key`);
    this.#eventTime = timestamp && compileEventTime(timestamp, functions, `${name} timestamp`);
    this.#headers = headers && functions.get(headers.fn);
    this.#partitioner = partitioner && functions.get(partitioner.fn);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const { topic, connection, format, avro } = this.#parameters;
    const events = {
      onProgress: () => (this.#isClosed ? undefined : context.wake()),
      onFailure: (error: unknown) => (this.#isClosed ? undefined : context.fail(error)),
    };
    const cluster = connectionNamed(connection);
    if (format === 'avro') this.#avro = new AvroRowFormat({ schemas: 'use', ...avro, topic, connection }, events);
    this.#writer = new TopicWriter(cluster, topic, events, writerOptions(this.#parameters));
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, clock } = this.#context;
    const writer = this.#writer;
    if (!writer.takesRows || this.#avro?.isReady === false) return from;
    const retention = (this.#retention ??= new RetentionWatch(this.#parameters.topic, writer.settings));
    const now = clock.now();
    for (let i = from; i < batch.length; i++) {
      if (!writer.takesRows || (i > from && output.full)) return i;
      this.at = i;
      const row = batch.values[i];
      const timestamp = this.#timestampOf(row, batch.timestamps[i]!);
      retention.look(timestamp, now);
      writer.append(this.#keyOf(row), this.#value(row), timestamp, this.#headersOf(row), this.#partitionOf(row));
    }
    return batch.length;
  }

  flush(): boolean {
    if (this.#writer.isEmpty || this.#parameters.delivery === 'none' || this.#parameters.acks === 0) return true;
    this.#writer.flush();
    // A trouble may begin without an answer of the broker.
    this.#context.wakeAt(this.#context.clock.now() + lookMillis);
    return false;
  }
  /** In an outage the rows go into the snapshot, and other rows go on. */
  get keepsUnsent(): boolean {
    return this.#writer.trouble !== undefined;
  }
  snapshot(writer: StateWriter): void {
    writer.value({ unsent: this.#writer.unacknowledged() } satisfies Saved);
  }
  restore(reader: StateReader): void {
    const saved = reader.value() as Saved | undefined;
    if (saved) this.#writer.restore(saved.unsent);
  }
  /** All rows must be written before the job ends, with any delivery. */
  end(): boolean {
    this.#writer.flush();
    return this.#writer.isEmpty;
  }
  status(): OperatorStatus {
    const { inFlight, lost } = this.#writer;
    const notes = [this.#retention?.note, lost > 0 ? this.#lostNote(lost) : undefined];
    const note = notes.filter((one) => one !== undefined).join('; ');
    return {
      entries: 0,
      inFlight,
      ...this.#waiting(),
      ...(note !== '' && { note }),
    };
  }
  /** The rows that it took are written also when its task is removed at once. */
  close(): void {
    this.#isClosed = true;
    this.#writer.finish(finishMillis);
    this.#avro?.close();
  }
  #waiting(): Pick<OperatorStatus, 'waiting' | 'waitingSince'> {
    const { trouble } = this.#writer;
    if (trouble) return { waiting: trouble.reason, waitingSince: trouble.since };
    const schema = this.#avro?.trouble;
    return schema === undefined ? {} : { waiting: `${schema.replace(/\.?$/, ';')} trying again` };
  }

  #timestampOf(row: unknown, own: number): number {
    const timestamp = this.#eventTime ? this.#eventTime(row) : own;
    if (typeof timestamp === 'string') throw this.#cannotWrite(timestamp);
    if (timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER) return Math.trunc(timestamp);
    throw this.#cannotWrite(
      `Its time is ${timestamp} ms since 1970, which Kafka cannot hold: give to() a \`timestamp\`.`,
    );
  }
  #keyOf(row: unknown): string | undefined {
    if (!this.#key) return undefined;
    const key = this.#key(row);
    if (typeof key === 'string' || key === undefined || key === null) return key ?? undefined;
    if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
    throw this.#cannotWrite('Its key is no text. Give to() a `key` that is a string.');
  }
  #value(row: unknown): Value {
    switch (this.#parameters.format) {
      case 'string':
        return (
          textOf(row) ?? this.#refuse(`It is ${described(row)}; format "string" writes texts, numbers and the like.`)
        );
      case 'json':
        return rowText(row) ?? this.#refuse(`It is ${typeof row}, which is no JSON.`);
      case 'bytes':
      case 'avro':
        try {
          return this.#avro ? this.#avro.bytesOf(row) : rowBytes(row);
        } catch (error) {
          if (error instanceof BadRow) throw this.#cannotWrite(error.message);
          throw error;
        }
    }
  }
  #headersOf(row: unknown): RecordHeaders | undefined {
    if (!this.#headers) return undefined;
    const headers = recordHeaders(this.#headers(row));
    if (typeof headers === 'string') throw this.#cannotWrite(`Its headers ${headers}.`);
    return headers;
  }
  #partitionOf(row: unknown): number | undefined {
    if (!this.#partitioner) return undefined;
    const count = this.#writer.partitionCount;
    const partition = this.#partitioner(row, count);
    if (typeof partition === 'number' && Number.isInteger(partition) && partition >= 0 && partition < count)
      return partition;
    throw this.#cannotWrite(
      `The partitioner of to() gave ${described(partition)}. Give a whole number from 0 to ${count - 1}.`,
    );
  }
  #lostNote(lost: number): string {
    return `${lost.toLocaleString('en-US')} ${lost === 1 ? 'row was' : 'rows were'} lost, because to() has acks: 0`;
  }
  #refuse(why: string): never {
    throw this.#cannotWrite(why);
  }
  #cannotWrite(why: string): SluiceError {
    const { topic } = this.#parameters;
    return new SluiceError('kafka-bad-row', `A row cannot be written to topic "${topic}". ${why}`, { topic });
  }
}

/** undefined: an object has no text of its own. */
function textOf(row: unknown): string | undefined {
  if (row instanceof Date) return row.toISOString();
  if (typeof row === 'string') return row;
  return typeof row === 'number' || typeof row === 'bigint' || typeof row === 'boolean' ? String(row) : undefined;
}
