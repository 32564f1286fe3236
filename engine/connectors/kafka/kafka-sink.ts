// A topic as a sink. Rows go to a writer and are acknowledged in the background. A barrier waits
// until all rows are acknowledged, so none is lost.
import { notYet, SluiceError } from '../../errors/error.ts';
import type { FunctionTable, NodeOf } from '../../graph/plan.ts';
import type { Batch, Operator, OperatorContext, OperatorStatus } from '../../contract/operator.ts';
import { compileSelector, type Select } from '../../state/selector.ts';
import { compileEventTime } from '../../time/event-time.ts';
import { connectionNamed } from './connections.ts';
import { BadRow } from '../../formats/avro-writer.ts';
import { AvroRowFormat, rowBytes } from '../../registry/row-format.ts';
import { described } from '../../values/kind.ts';
import { rowText } from '../row-text.ts';
import { TopicWriter } from './topic-writer.ts';

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

class KafkaSink implements Operator {
  at = 0;
  readonly #parameters: NodeOf<'kafkaSink'>['parameters'];
  readonly #key: Select | undefined;
  readonly #eventTime: ((element: unknown) => number | string) | undefined;
  #context!: OperatorContext;
  #writer!: TopicWriter;
  /** Absent if the format is another one. */
  #avro: AvroRowFormat | undefined;

  constructor(parameters: NodeOf<'kafkaSink'>['parameters'], functions: FunctionTable, name: string) {
    this.#parameters = parameters;
    this.#key = parameters.key && compileSelector(parameters.key, functions, `${name} key`);
    this.#eventTime = parameters.timestamp && compileEventTime(parameters.timestamp, functions, `${name} timestamp`);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const { topic, connection } = this.#parameters;
    if (this.#parameters.format === 'avro') {
      const events = { onProgress: () => context.wake(), onFailure: (error: SluiceError) => context.fail(error) };
      this.#avro = new AvroRowFormat({ schemas: 'use', ...this.#parameters.avro, topic, connection }, events);
    }
    this.#writer = new TopicWriter(connectionNamed(connection), topic, {
      onProgress: () => context.wake(),
      onFailure: (error) => context.fail(error),
    });
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output } = this.#context;
    const writer = this.#writer;
    for (let i = from; i < batch.length; i++) {
      if (!writer.takesRows || this.#avro?.isReady === false || (i > from && output.full)) return i;
      this.at = i;
      const row = batch.values[i];
      const timestamp = this.#eventTime ? this.#eventTime(row) : batch.timestamps[i]!;
      if (typeof timestamp === 'string') throw this.#cannotWrite(timestamp);
      if (!(timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER))
        throw this.#cannotWrite(
          `Its time is ${timestamp} ms since 1970, which Kafka cannot hold: give to() a \`timestamp\`.`,
        );
      writer.append(this.#keyOf(row), this.#value(row), Math.trunc(timestamp));
    }
    return batch.length;
  }

  flush(): boolean {
    if (this.#writer.isEmpty || this.#parameters.delivery === 'none') return true;
    this.#writer.flush();
    return false;
  }
  /** All rows must be written before the job ends, with any delivery. */
  end(): boolean {
    this.#writer.flush();
    return this.#writer.isEmpty;
  }
  status(): OperatorStatus {
    const trouble = this.#writer.trouble ?? this.#avro?.trouble;
    return { entries: 0, ...(trouble !== undefined && { waiting: `${trouble.replace(/\.?$/, ';')} trying again` }) };
  }
  close(): void {
    this.#writer.close();
    this.#avro?.close();
  }

  #keyOf(row: unknown): string | undefined {
    if (!this.#key) return undefined;
    const key = this.#key(row);
    if (typeof key === 'string' || key === undefined || key === null) return key ?? undefined;
    if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
    throw this.#cannotWrite('Its key is no text. Give to() a `key` that is a string.');
  }
  #value(row: unknown): string | Uint8Array {
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
