// Drives one sink as a task does: passes batches, repeats refused ones after its wake, and waits
// for its flush.
import { setTimeout as sleep } from 'node:timers/promises';
import { createKafkaSink } from '../../connectors/kafka/kafka-sink.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import type { Batch, Operator, OperatorContext } from '../../contract/operator.ts';
import { readSnapshot, SnapshotWriter, type TaskSnapshot } from '../../runtime/snapshot.ts';

export interface SinkRow {
  readonly value: unknown;
  readonly timestamp: number;
}

export class SinkDriver {
  readonly sink: Operator;
  failure: unknown;
  #woken = Promise.withResolvers<void>();

  constructor(parameters: NodeOf<'kafkaSink'>['parameters'], functions = new FunctionTable()) {
    const name = parameters.topic;
    const node: NodeOf<'kafkaSink'> = {
      id: 's',
      uid: 's',
      kind: 'kafkaSink',
      name,
      group: '',
      parameters,
      own: '',
      shape: '',
    };
    this.sink = createKafkaSink(node, functions);
    const context: OperatorContext = {
      id: 's',
      uid: 's',
      name,
      freeze: true,
      clock: { now: () => Date.now() },
      output: {
        full: false,
        emit: () => undefined,
        emitTo: () => undefined,
        hasReader: () => false,
        watermark: () => undefined,
        idle: () => undefined,
        active: () => undefined,
        finish: () => undefined,
      },
      wake: () => this.#wake(),
      wakeAt: (millis) => void setTimeout(() => this.#wake(), Math.max(0, millis - Date.now())).unref(),
      fail: (error) => {
        this.failure ??= error;
        this.#wake();
      },
      countLate: () => undefined,
    };
    this.sink.open?.(context);
  }

  /** How many it takes at once, without waiting. */
  offer(rows: readonly SinkRow[], from = 0): number {
    return this.sink.process(0, toBatch(rows), from);
  }
  /** Resolves when all rows are taken. */
  async write(rows: readonly SinkRow[]): Promise<void> {
    const batch = toBatch(rows);
    let at = 0;
    await this.#repeat(() => (at = this.sink.process(0, batch, at)) === batch.length);
  }
  /** Resolves when a barrier could pass. */
  flush(): Promise<void> {
    return this.#repeat(() => this.sink.flush?.() ?? true);
  }
  /** Resolves when the barrier has passed: rows written before it are finished. */
  async preCommit(checkpoint: number): Promise<void> {
    await this.flush();
    await this.#repeat(() => this.sink.preCommit?.(checkpoint) ?? true);
  }
  /** As a checkpoint has it. */
  snapshot(): TaskSnapshot {
    const writer = new SnapshotWriter(true);
    this.sink.snapshot?.(writer);
    return writer.begun(0, undefined).finished();
  }
  /** Directly after the constructor. */
  restore(state: TaskSnapshot): void {
    this.sink.restore?.(readSnapshot(state));
  }
  /** Resolves when the input could end. */
  end(): Promise<void> {
    return this.#repeat(() => this.sink.end?.() ?? true);
  }
  /** Resolves when the condition holds. It is looked at every few milliseconds. */
  async until(condition: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 120_000; !condition();) {
      if (this.failure !== undefined) throw this.failure as Error;
      if (Date.now() > deadline) throw new Error('The sink did not get there within 120 s.');
      await sleep(10);
    }
  }
  async failed(): Promise<Error & { code: string }> {
    await this.#repeat(() => false).catch(() => undefined);
    return this.failure as Error & { code: string };
  }

  async #repeat(isDone: () => boolean): Promise<void> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure as Error;
      // Taken before the call: a wake during it must not get lost.
      const woken = this.#woken.promise;
      if (isDone()) return;
      await woken;
    }
  }
  #wake(): void {
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }
}

function toBatch(rows: readonly SinkRow[]): Batch {
  return {
    length: rows.length,
    values: rows.map(({ value }) => value),
    timestamps: Float64Array.from(rows, ({ timestamp }) => timestamp),
  };
}
