// A topic as a sink. Rows go to a writer and are acknowledged in the background. A barrier waits
// until all rows are acknowledged, so none is lost.
import { notYet, SluiceError } from '../../errors/error.ts';
import type { FunctionTable, NodeOf } from '../../graph/plan.ts';
import type { Batch, Operator, OperatorContext, OperatorStatus } from '../../contract/operator.ts';
import { compileSelector, type Select } from '../../state/selector.ts';
import { compileEventTime } from '../../time/event-time.ts';
import { connectionNamed } from './connections.ts';
import { rowText } from '../row-text.ts';
import { TopicWriter } from './topic-writer.ts';

export function createKafkaSink(node: NodeOf<'kafkaSink'>, functions: FunctionTable): Operator {
  const parameters = node.parameters;
  if (!['at-least-once', 'none'].includes(parameters.delivery)) notYet(`sinks with delivery "${parameters.delivery}"`);
  if (!['json', 'string'].includes(parameters.format)) notYet(`sinks that write ${parameters.format}`);
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

  constructor(parameters: NodeOf<'kafkaSink'>['parameters'], functions: FunctionTable, name: string) {
    this.#parameters = parameters;
    this.#key = parameters.key && compileSelector(parameters.key, functions, `${name} key`);
    this.#eventTime = parameters.timestamp && compileEventTime(parameters.timestamp, functions, `${name} timestamp`);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const { topic, connection } = this.#parameters;
    this.#writer = new TopicWriter(connectionNamed(connection), topic, {
      onProgress: () => context.wake(),
      onFailure: (error) => context.fail(error),
    });
  }

  process(_input: 0 | 1, batch: Batch, from: number): number {
    const { output } = this.#context;
    const writer = this.#writer;
    for (let i = from; i < batch.length; i++) {
      if (!writer.takesRows || (i > from && output.full)) return i;
      this.at = i;
      const row = batch.values[i];
      const timestamp = this.#eventTime ? this.#eventTime(row) : batch.timestamps[i]!;
      if (typeof timestamp === 'string') throw this.#cannotWrite(timestamp);
      if (!(timestamp >= 0 && timestamp <= Number.MAX_SAFE_INTEGER))
        throw this.#cannotWrite(
          `Its time is ${timestamp} ms since 1970, which Kafka cannot hold: give to() a \`timestamp\`.`,
        );
      writer.append(this.#keyOf(row), this.#text(row), Math.trunc(timestamp));
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
    const { trouble } = this.#writer;
    return { entries: 0, ...(trouble !== undefined && { waiting: `${trouble.replace(/\.?$/, ';')} trying again` }) };
  }
  close(): void {
    this.#writer.close();
  }

  #keyOf(row: unknown): string | undefined {
    if (!this.#key) return undefined;
    const key = this.#key(row);
    if (typeof key === 'string' || key === undefined || key === null) return key ?? undefined;
    if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
    throw this.#cannotWrite('Its key is no text. Give to() a `key` that is a string.');
  }
  #text(row: unknown): string {
    if (this.#parameters.format === 'string') return String(row);
    const text = rowText(row);
    if (text === undefined) throw this.#cannotWrite(`It is ${typeof row}, which is no JSON.`);
    return text;
  }
  #cannotWrite(why: string): SluiceError {
    const { topic } = this.#parameters;
    return new SluiceError('kafka-bad-row', `A row cannot be written to topic "${topic}". ${why}`, { topic });
  }
}
