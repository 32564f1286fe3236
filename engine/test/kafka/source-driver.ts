// Drives one source as a task does: polls it while there is room, waits for its wake, collects its
// output.
import { afterAll } from 'vitest';
import { savedState } from '../connectors/saved-state.ts';
import type { StateReader } from '../../contract/operator.ts';
import type { Source, SourceContext } from '../../contract/source.ts';
import type { SluiceError } from '../../errors/error.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import { createKafkaSource } from '../../connectors/kafka/kafka-source.ts';

export interface Row {
  readonly value: unknown;
  readonly timestamp: number;
  readonly partition: number;
  readonly offset: number;
}
export interface ErrorRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly raw: string;
  readonly error: string;
}

export function kafkaNode(parameters: NodeOf<'kafka'>['parameters'], name = parameters.topic): NodeOf<'kafka'> {
  return { id: 'k', uid: 'k', kind: 'kafka', name, group: '', parameters, own: '', shape: '' };
}

export class SourceDriver {
  readonly source: Source;
  readonly rows: Row[] = [];
  readonly errors: ErrorRow[] = [];
  readonly watermarks: number[] = [];
  readonly marks: ('idle' | 'active')[] = [];
  /** Rows that came behind a watermark at or after their time. */
  late = 0;
  /** Partitions that have stopped, each with its error. */
  readonly failures: { readonly names: readonly string[]; readonly error: SluiceError }[] = [];
  state: 'running' | 'ended' | 'failed' = 'running';
  failure: unknown;
  /** Records it takes until this is set to false. */
  isPaused = false;
  readonly #roomPerPoll: number;
  #scheduled: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #room = 0;
  #watchers: (() => void)[] = [];

  constructor(
    parameters: NodeOf<'kafka'>['parameters'],
    options: {
      readonly roomPerPoll?: number;
      readonly snapshot?: StateReader | undefined;
      readonly functions?: FunctionTable;
    } = {},
  ) {
    this.#roomPerPoll = options.roomPerPoll ?? 1000;
    this.source = createKafkaSource(kafkaNode(parameters), options.functions ?? new FunctionTable());
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- a getter of the output has another `this`
    const driver = this;
    const context: SourceContext = {
      id: 'k',
      uid: 'k',
      name: parameters.topic,
      freeze: true,
      clock: { now: () => Date.now() },
      output: {
        get full() {
          return driver.#room <= 0;
        },
        emit: () => {
          throw new Error('a source that knows partitions uses emitAt');
        },
        emitAt: (value, timestamp, partition, offset) => {
          this.#room--;
          if (timestamp <= (this.watermark ?? -Infinity)) this.late++;
          this.rows.push({ value, timestamp, partition, offset });
        },
        get room() {
          return Math.max(0, driver.#room);
        },
        get allowance() {
          return this.room;
        },
        prepare: () => {
          throw new Error('A topic is read record by record, or in runs.');
        },
        emitRun(values, from, to, timestamps, partition, offset) {
          for (let i = from; i < to; i++) this.emitAt(values[i], timestamps[i - from]!, partition, offset + i - from);
        },
        emitTo: (port, value) => {
          if (port !== 'errors') throw new Error(`unexpected port ${port}`);
          this.#room--;
          this.errors.push(value as ErrorRow);
        },
        hasReader: () => true,
        watermark: (time) => void this.watermarks.push(time),
        idle: () => void this.marks.push('idle'),
        active: () => void this.marks.push('active'),
        finish: () => undefined,
      },
      wake: () => this.#schedule(),
      wakeAt: (millis) => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#schedule(), Math.max(0, millis - Date.now()));
      },
      fail: (error) => {
        this.state = 'failed';
        this.failure = error;
        this.#tellWatchers();
      },
      countLate: () => undefined,
      failPartitions: (names, error) => void this.failures.push({ names, error: error as SluiceError }),
    };
    this.source.open(context);
    if (options.snapshot) this.source.restore(options.snapshot);
    this.#schedule();
  }

  get watermark(): number | undefined {
    return this.watermarks.at(-1);
  }
  resume(): void {
    this.isPaused = false;
    this.#schedule();
  }
  snapshot(): StateReader {
    return savedState(this.source);
  }

  /** Resolves when the condition holds; rejects when the source fails first or the time is over. */
  async until(what: string, condition: () => boolean, timeoutMillis = 120_000): Promise<void> {
    const deadline = Date.now() + timeoutMillis;
    while (!condition()) {
      if (this.state === 'failed') throw this.failure;
      if (Date.now() > deadline)
        throw new Error(
          `Waited ${timeoutMillis} ms for ${what}: ${this.rows.length} rows, ${JSON.stringify(this.source.status())}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
  ended(): Promise<void> {
    return this.until('the end', () => this.state === 'ended');
  }
  /** The error that the source fails with. */
  async failed(timeoutMillis?: number): Promise<Error & { code: string }> {
    try {
      await this.until('a failure', () => false, timeoutMillis);
    } catch (error) {
      if (this.state === 'failed') return error as Error & { code: string };
      throw error;
    }
    throw new Error('unreachable');
  }
  close(): void {
    this.state = this.state === 'running' ? 'ended' : this.state;
    clearTimeout(this.#timer);
    clearImmediate(this.#scheduled);
    this.source.close();
  }

  #schedule(): void {
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.#poll();
    });
  }
  #poll(): void {
    if (this.state !== 'running' || this.isPaused) return;
    this.#room = this.#roomPerPoll;
    let answer: ReturnType<Source['poll']> = 'wait';
    try {
      answer = this.source.poll();
    } catch (error) {
      this.state = 'failed';
      this.failure = error;
    }
    if (answer === 'end') this.state = 'ended';
    if (answer === 'more') this.#schedule();
    this.#tellWatchers();
  }
  #tellWatchers(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const tell of watchers) tell();
  }
}

/** Makes drivers that end with the tests of the file. Call it after `onBroker`. */
export function sourceDrivers(): (...given: ConstructorParameters<typeof SourceDriver>) => SourceDriver {
  const drivers: SourceDriver[] = [];
  afterAll(() => {
    for (const driver of drivers) driver.close();
  });
  return (...given) => {
    const driver = new SourceDriver(...given);
    drivers.push(driver);
    return driver;
  };
}
