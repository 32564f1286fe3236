// A topic as a sink. Rows go to a writer and are acknowledged in the background. A barrier waits
// until all rows are acknowledged, so none is lost. With exactly-once they are of a transaction
// (sink-transactions.ts), which ends at the barrier.
import { SluiceError } from '../../errors/error.ts';
import { defaultTransactionMillis } from '../../graph/transaction-timeouts.ts';
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
import { compileSelector, type Select } from '../../state/selector.ts';
import { compileEventTime } from '../../time/event-time.ts';
import { described } from '../../values/kind.ts';
import type { RecordHeaders, Value } from './batch-builder.ts';
import { Cluster } from './cluster.ts';
import { connectionNamed } from '../../connections/connection-named.ts';
import { recordHeaders } from './record-headers.ts';
import { PartWriter } from './part-writer.ts';
import { RetentionWatch } from './retention-watch.ts';
import { SinkPreview } from './sink-preview.ts';
import { SinkTransactions } from './sink-transactions.ts';
import type { UnsentBatch } from './topic-partition.ts';
import { TopicWriter, type WriterOptions } from './topic-writer.ts';

type Parameters = NodeOf<'kafkaSink'>['parameters'];

export function createKafkaSink(node: NodeOf<'kafkaSink'>, functions: FunctionTable): Operator {
  const parameters = node.parameters;
  if (parameters.armed !== false) return new KafkaSink(parameters, functions, node.name);
  const eventTime = eventTimeOf(parameters, functions, node.name);
  return new SinkPreview(parameters, (row, own) => (eventTime ? eventTime(row) : own));
}

function eventTimeOf({ timestamp }: Parameters, functions: FunctionTable, name: string) {
  return timestamp && compileEventTime(timestamp, functions, `${name} timestamp`);
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

function lostNote(lost: number, because: string): string {
  return `${lost.toLocaleString('en-US')} ${lost === 1 ? 'row was' : 'rows were'} lost, because ${because}`;
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
  /** Only of an exactly-once sink. */
  #transactions: SinkTransactions | undefined;
  #values!: PartWriter;
  #keys!: PartWriter;
  #isClosed = false;
  /** Absent before the first contact. */
  #retention: RetentionWatch | undefined;
  /** So many rows from the present one on were looked at. */
  #lookedAhead = 0;

  constructor(parameters: Parameters, functions: FunctionTable, name: string) {
    this.#parameters = parameters;
    const { key, headers, partitioner } = parameters;
    this.#key = key && compileSelector(key, functions, `${name} key`);
    this.#eventTime = eventTimeOf(parameters, functions, name);
    this.#headers = headers && functions.get(headers.fn);
    this.#partitioner = partitioner && functions.get(partitioner.fn);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const { topic, connection, format, avro, keyFormat = 'string', keyAvro } = this.#parameters;
    const events = {
      onProgress: () => (this.#isClosed ? undefined : context.wake()),
      onFailure: (error: unknown) => (this.#isClosed ? undefined : context.fail(error)),
    };
    const cluster = connectionNamed(connection);
    this.#values = new PartWriter({ part: 'value', format, avro, topic, connection }, events);
    this.#keys = new PartWriter({ part: 'key', format: keyFormat, avro: keyAvro, topic, connection }, events);
    const options = writerOptions(this.#parameters);
    if (this.#parameters.delivery !== 'exactly-once') {
      this.#writer = new TopicWriter(cluster, topic, events, options);
      return;
    }
    const shared = new Cluster(cluster, 'write');
    const { transactionalIdPrefix: prefix, transactionTimeoutMillis: timeoutMillis = defaultTransactionMillis } =
      this.#parameters;
    const unsent = (): number => this.#writer.inFlight;
    const transactions = new SinkTransactions({ topic, prefix, timeoutMillis, unsent }, context, shared);
    this.#transactions = transactions;
    this.#writer = new TopicWriter(cluster, topic, events, { ...options, transactions }, shared);
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output, clock } = this.#context;
    const writer = this.#writer;
    if (!writer.takesRows || !this.#values.isReady || !this.#keys.isReady) return from;
    const retention = (this.#retention ??= new RetentionWatch(this.#parameters.topic, writer.settings));
    const now = clock.now();
    for (let i = from; i < batch.length; i++) {
      if (!writer.takesRows || (i > from && output.full)) return i;
      this.at = i;
      const row = batch.values[i];
      const timestamp = this.#timestampOf(row, batch.timestamps[i]!);
      if (retention.isOld(timestamp, now) && !retention.hasWarned(now)) {
        this.#lookAhead(batch, i, now);
        this.#context.wakeAt(retention.warn(now));
        return i;
      }
      if (this.#lookedAhead > 0) this.#lookedAhead--;
      else retention.look(timestamp, now);
      writer.append(
        this.#keyOf(row),
        this.#written(this.#values, row),
        timestamp,
        this.#headersOf(row),
        this.#partitionOf(row),
      );
    }
    return batch.length;
  }

  flush(): boolean {
    if (this.#writer.isEmpty || this.#parameters.delivery === 'none' || this.#parameters.acks === 0) return true;
    this.#writer.flush();
    return this.#looksAgain();
  }
  /** A trouble may begin without an answer of the broker. */
  #looksAgain(): false {
    this.#context.wakeAt(this.#context.clock.now() + lookMillis);
    return false;
  }
  /**
   * In an outage the rows go into the snapshot, and other rows go on. Not those of a transaction:
   * whether the topic has them is not known.
   */
  get keepsUnsent(): boolean {
    return !this.#transactions && this.#writer.trouble !== undefined;
  }
  preCommit(checkpoint: number): boolean {
    if (!this.#transactions) return true;
    if (!this.#writer.isEmpty) return this.flush();
    if (!this.#transactions.preCommit(checkpoint)) return this.#looksAgain();
    this.#writer.endTransaction();
    return true;
  }
  complete(checkpoint: number): void {
    this.#transactions?.complete(checkpoint);
  }
  get hasUncommitted(): boolean {
    return this.#transactions?.hasUncommitted === true;
  }
  snapshot(writer: StateWriter): void {
    if (this.#transactions) this.#transactions.snapshot(writer);
    else writer.orderedList(this.#writer.unacknowledged());
  }
  restore(reader: StateReader): void {
    if (this.#transactions) return this.#transactions.restore(reader);
    const unsent = reader.list() as readonly UnsentBatch[] | undefined;
    if (unsent) this.#writer.restore(unsent);
  }
  /** All rows must be written before the job ends, with any delivery. */
  end(): boolean {
    this.#writer.flush();
    return this.#writer.isEmpty;
  }
  status(): OperatorStatus {
    const { inFlight, written, writtenAt } = this.#writer;
    const lost = this.#transactions?.rowsLost ?? this.#writer.lost;
    const lostBecause = this.#lostBecause();
    const isLost = lost > 0 ? lostNote(lost, lostBecause) : undefined;
    const notes = [this.#readWarning(), isLost, this.#transactions?.note];
    const note = notes.filter((one) => one !== undefined).join('; ');
    return {
      entries: 0,
      inFlight: inFlight + (this.#transactions?.inFlight ?? 0),
      rowsWritten: written,
      ...(writtenAt !== undefined && { writtenAt }),
      ...this.#waiting(),
      ...this.#transactions?.figures,
      ...(lost > 0 && { rowsLost: lost, lostBecause }),
      ...(note !== '' && { note }),
    };
  }
  /** The rows that it took are written also when its task is removed at once. */
  close(): void {
    this.#isClosed = true;
    // A transaction without a checkpoint is of no use.
    if (this.#transactions) this.#transactions.close(this.#writer.stop());
    else this.#writer.finish(finishMillis);
    this.#values?.close();
    this.#keys?.close();
  }
  #waiting(): Pick<OperatorStatus, 'waiting' | 'waitingSince'> {
    const { trouble } = this.#writer;
    if (trouble) return { waiting: trouble.reason, waitingSince: trouble.since };
    const ofTransactions = this.#transactions?.trouble;
    if (ofTransactions?.waiting !== undefined) return ofTransactions;
    const schema = this.#values.trouble ?? this.#keys.trouble;
    return schema === undefined ? {} : { waiting: `${schema.replace(/\.?$/, ';')} trying again` };
  }

  /** The warning counts the old rows of the batch, before one of them is written. */
  #lookAhead({ length, values, timestamps }: Batch, from: number, now: number): void {
    for (let i = from + this.#lookedAhead; i < length; i++, this.#lookedAhead++)
      try {
        this.#retention!.look(this.#timestampOf(values[i], timestamps[i]!), now);
      } catch {
        // The error comes when this row is written.
        return;
      }
  }
  #readWarning(): string | undefined {
    const note = this.#retention?.readNote();
    if (note !== undefined && this.#lookedAhead > 0) this.#context.wake();
    return note;
  }

  #timestampOf(row: unknown, own: number): number {
    const timestamp = this.#eventTime ? this.#eventTime(row) : own;
    if (typeof timestamp === 'string') throw this.#cannotWrite(timestamp);
    if (timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER) return Math.trunc(timestamp);
    throw this.#cannotWrite(
      `Its time is ${timestamp} ms since 1970, which Kafka cannot hold: give to() a \`timestamp\`.`,
    );
  }
  #keyOf(row: unknown): Value | undefined {
    const key = this.#key?.(row);
    return key === undefined || key === null ? undefined : this.#written(this.#keys, key);
  }
  #written(writer: PartWriter, value: unknown): Value {
    try {
      return writer.write(value);
    } catch (error) {
      if (error instanceof BadRow) throw this.#cannotWrite(error.message);
      throw error;
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
  #lostBecause(): string {
    if (!this.#transactions) return 'to() has acks: 0 and does not send again';
    return `topic "${this.#parameters.topic}" was deleted before they were committed; a start from an earlier checkpoint or savepoint writes them again`;
  }
  #cannotWrite(why: string): SluiceError {
    const { topic } = this.#parameters;
    return new SluiceError('kafka-bad-row', `A row cannot be written to topic "${topic}". ${why}`, { topic });
  }
}
