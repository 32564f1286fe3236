// A topic on a model of two brokers, and a real source that reads it through the reader's real
// judgement of answers. It checks the law of topic-lateness.test.ts at each watermark and each row.
import assert from 'node:assert/strict';
import type { SourceContext } from '../../contract/source.ts';
import { FunctionTable, type NodeOf } from '../../graph/plan.ts';
import { AnswerNews } from '../../connectors/kafka/answer-news.ts';
import type { FetchedPartition } from '../../connectors/kafka/fetch-request.ts';
import { createKafkaSource, type KafkaSource, type ReaderThread } from '../../connectors/kafka/kafka-source.ts';
import { AssignedSplit } from '../../connectors/kafka/placement.ts';
import type { Chunk, ToSource } from '../../connectors/kafka/reader-messages.ts';
import type { StateReader } from '../../contract/operator.ts';
import { savedState } from './saved-state.ts';
import type { SplitPosition } from '../../connectors/kafka/split.ts';

export const bound = 50;
const idleness = 300;
/** An answer that says nothing is there holds for this long. */
const lastsMillis = 2_000;

export interface Partition {
  /** The timestamps of its records. Each is at most `bound` behind the newest one before it. */
  readonly times: readonly number[];
  /** So many of them are there from the start; in an unbounded read the others come later. */
  readonly first: number;
}
/** What happens at one step. Partitions 0 and 2 are on broker 0, and 1 and 3 on broker 1. */
export type Step =
  /**
   * A broker answers with at most so many records of each partition; 0: the answer was full
   * without it. `polls`: the source gets a turn between two messages about this answer.
   */
  | { readonly kind: 'answer'; readonly broker: number; readonly most: readonly number[]; readonly polls: boolean }
  /** Records arrive at a partition. */
  | { readonly kind: 'append'; readonly partition: number; readonly count: number }
  /** All brokers answer, for so long. */
  | { readonly kind: 'quiet'; readonly millis: number }
  /**
   * For so long the rest of this partition, and `count` records that arrive now, are behind an open
   * transaction. All partitions answer.
   */
  | { readonly kind: 'transaction'; readonly partition: number; readonly count: number; readonly millis: number }
  /**
   * A broker does not answer for so long. `isNoticed`: at once, and not only when it is over.
   * Before it is over, `count` records arrive at each partition of the other broker.
   */
  | Outage
  /** A broker answers without any partition: this client is throttled. */
  | { readonly kind: 'throttled'; readonly broker: number }
  /** The start of the last partition becomes known, if it was not. */
  | { readonly kind: 'resolve' }
  /** The source is restored from a snapshot of this moment. One broker answers first. */
  | { readonly kind: 'restart'; readonly broker: number }
  /** The source gets a turn with this much room. */
  | { readonly kind: 'turn'; readonly room: number };

interface Outage {
  readonly kind: 'outage';
  readonly broker: number;
  readonly millis: number;
  readonly count: number;
  readonly isNoticed: boolean;
}
export type End = 'latest' | 'none' | 'future';
export interface Read {
  readonly end: End;
  readonly rate?: number;
  /** The start of the last partition is not known at first. */
  readonly isUnresolved?: boolean;
}

export interface Outcome {
  /** Breaches of the law: rows that are late, and watermarks that passed a partition. */
  readonly wrong: readonly string[];
  /** Late rows, also those that the law allows. */
  readonly late: number;
  /** The last watermark. */
  readonly watermark: number;
}

export class ModelTopic {
  readonly #topic: readonly Partition[];
  readonly #read: Read;
  readonly #wrong: string[] = [];
  #splits: AssignedSplit[];
  readonly #isOpen: boolean[];
  /** Records at the broker. */
  readonly #there: number[];
  readonly #emitted: number[];
  readonly #newest: number[];
  /** When each partition was silent last; undefined: it is not. */
  #silentAt: (number | undefined)[];
  /** How far time was when the last silence of each partition ended. */
  readonly #passedInSilence: number[];
  /** How far the law lets time go. */
  #passed = -Infinity;
  #now = 0;
  #room = 0;
  #watermark = -Infinity;
  #late = 0;
  #rows = 0;
  #isEnded = false;
  #isResolved: boolean;
  #tell!: (message: ToSource) => void;
  #source: KafkaSource;

  constructor(topic: readonly Partition[], read: Read) {
    this.#topic = topic;
    this.#read = read;
    this.#splits = topic.map((_, index) => new AssignedSplit(this.#position(index)));
    this.#isOpen = topic.map(() => false);
    this.#there = topic.map(({ times, first }) =>
      read.end === 'latest' ? times.length : Math.min(first, times.length),
    );
    this.#emitted = topic.map(() => 0);
    this.#newest = topic.map(() => -Infinity);
    this.#silentAt = topic.map(() => undefined);
    this.#passedInSilence = topic.map(() => -Infinity);
    this.#isResolved = read.isUnresolved !== true;
    this.#source = this.#opened();
    const all = topic.map((_, index) => this.#position(index));
    const [found, unresolved] = this.#isResolved ? [all, []] : [all.slice(0, -1), all.slice(-1)];
    this.#tell({ kind: 'found', splits: found, unresolved });
  }
  #position(index: number): SplitPosition {
    const { end } = this.#read;
    return {
      ...{ topic: 't', partition: index, offset: 0, epoch: 0 },
      ...(end === 'latest' && { end: this.#topic[index]!.times.length }),
      ...(end === 'future' && { endTime: 8e15 }),
    };
  }
  #opened(snapshot?: StateReader): KafkaSource {
    const { end, rate } = this.#read;
    const parameters: NodeOf<'kafka'>['parameters'] = {
      ...{ topic: 't', connection: 'model', from: 'earliest', format: 'json' },
      watermark: { outOfOrdernessMillis: bound, idlenessMillis: idleness },
      ...(end === 'latest' && { until: 'latest' }),
      ...(end === 'future' && { until: { timestamp: 8e15 } }),
      ...(rate !== undefined && { rate }),
    };
    const reader: ReaderThread = {
      postMessage: () => undefined,
      terminate: () => Promise.resolve(0),
      on: (event: string, listener: (message: never) => void) => {
        if (event === 'message') this.#tell = listener as (message: ToSource) => void;
      },
    };
    process.env['SLUICE_CONNECTION_MODEL'] = '127.0.0.1:1';
    const node: NodeOf<'kafka'> = {
      ...{ id: 'k', uid: 'k', kind: 'kafka', name: 't', group: '', own: '', shape: '' },
      parameters,
    };
    const source = createKafkaSource(node, new FunctionTable(), undefined, () => reader);
    source.open(
      modelContext({
        now: () => this.#now,
        isFull: () => this.#room <= 0,
        emit: (timestamp, index, offset) => this.#emit(timestamp, index, offset),
        watermark: (at) => this.#watermarkIs(at),
      }),
    );
    if (snapshot) source.restore(snapshot);
    source.poll();
    return source;
  }

  // --------------------------------------------------------------------------------------- the law

  #isSilent(index: number): boolean {
    const at = this.#silentAt[index];
    return at !== undefined && this.#emitted[index] === this.#splits[index]!.next && this.#now - at <= lastsMillis;
  }
  #hasEnded(index: number): boolean {
    return this.#read.end === 'latest' && this.#emitted[index] === this.#topic[index]!.times.length;
  }
  /** Brings time as far as the partitions let it go that are not silent. */
  #pass(): void {
    const holding = [...this.#topic.keys()].filter((index) => !this.#isSilent(index) && !this.#hasEnded(index));
    if (holding.length > 0)
      this.#passed = Math.max(this.#passed, Math.min(...holding.map((index) => this.#newest[index]! - bound - 1)));
    // With the last partition everything has been emitted, and nothing can be late any more.
    else if (this.#read.end === 'latest') this.#passed = Infinity;
    else this.#passed = Math.max(this.#passed, this.#watermark, ...this.#newest.map((newest) => newest - bound - 1));
    for (const index of this.#topic.keys()) if (this.#isSilent(index)) this.#passedInSilence[index] = this.#passed;
  }
  #watermarkIs(at: number): void {
    this.#pass();
    if (at > this.#passed)
      this.#wrong.push(`watermark ${at} at ${this.#now}, and the partitions let ${this.#passed} pass`);
    this.#watermark = at;
  }
  #emit(timestamp: number, index: number, offset: number): void {
    this.#room--;
    this.#rows++;
    if (timestamp <= this.#watermark) this.#late++;
    if (timestamp <= this.#watermark && timestamp > this.#passedInSilence[index]!)
      this.#wrong.push(`t[${index}]@${offset} of ${timestamp} at watermark ${this.#watermark}`);
    this.#emitted[index] = offset + 1;
    this.#newest[index] = Math.max(this.#newest[index]!, timestamp);
    this.#pass();
  }
  /** From one answer. What it says of any partition holds before the first message about it. */
  #hear(messages: readonly ToSource[], between: () => void = () => undefined): void {
    this.#pass();
    const silentAt = (names: readonly string[], at: number | undefined): void => {
      for (const name of names) this.#silentAt[Number(name.slice(2, -1))] = at;
    };
    for (const message of messages)
      if (message.kind === 'unanswered') silentAt(message.splits, undefined);
      else if (message.kind === 'behind')
        silentAt(
          message.splits.map(({ split }) => split),
          undefined,
        );
      else if (message.kind === 'chunks')
        silentAt(
          message.chunks.map(({ split }) => split),
          undefined,
        );
    for (const message of messages) {
      this.#tell(message);
      if (message.kind === 'silent')
        silentAt(
          message.splits.map(({ split }) => split),
          this.#now,
        );
      between();
    }
  }

  // ----------------------------------------------------------------------------------- the brokers

  #led(by: number): AssignedSplit[] {
    const assigned = this.#isResolved ? this.#splits : this.#splits.slice(0, -1);
    return assigned.filter(({ split, isDone }) => split.partition % 2 === by && !isDone);
  }
  #answer(by: number, most: (index: number) => number, polls = false): void {
    const asked = this.#led(by).map((split) => ({ split, offset: split.next }));
    const news = new AnswerNews(asked);
    for (const question of asked) {
      const index = question.split.split.partition;
      const lastStable = this.#isOpen[index] ? question.offset : this.#there[index]!;
      const to = Math.min(question.offset + most(index), lastStable);
      const answer: FetchedPartition = {
        ...{ topic: 't', partition: index, error: 0, highWatermark: this.#there[index]!, lastStable, aborted: [] },
        ...{ bytes: Buffer.alloc(0), start: 0, end: to - question.offset },
      };
      const chunk = to > question.offset ? this.#chunk(index, question.offset, to) : undefined;
      news.answered(question, answer, chunk, this.#now);
    }
    this.#hear(news.messages(), () => polls && this.#turn(1));
  }
  #chunk(index: number, from: number, to: number): Chunk {
    const count = to - from;
    return {
      split: `t[${index}]`,
      columns: {
        count,
        values: new Uint8Array(Buffer.from('1'.repeat(count))),
        lengths: new Int32Array(count).fill(1),
        offsets: Float64Array.from({ length: count }, (_, i) => from + i),
        timestamps: Float64Array.from(this.#topic[index]!.times.slice(from, to)),
      },
      ...{ ascii: true, next: to, epoch: 0, end: this.#there[index]!, bytes: count },
    };
  }
  #append(index: number, count: number): void {
    if (index < this.#topic.length)
      this.#there[index] = Math.min(this.#there[index]! + count, this.#topic[index]!.times.length);
  }
  #turn(room: number): void {
    this.#room = room;
    this.#pass();
    if (!this.#isEnded) this.#isEnded = this.#source.poll() === 'end';
  }
  #resolve(): void {
    if (this.#isResolved) return;
    this.#isResolved = true;
    this.#tell({ kind: 'found', splits: [this.#position(this.#topic.length - 1)], unresolved: [] });
  }
  #restart(): void {
    const snapshot = savedState(this.#source);
    this.#source.close();
    this.#splits = this.#topic.map(
      (_, index) => new AssignedSplit({ ...this.#position(index), offset: this.#emitted[index]! }),
    );
    this.#silentAt = this.#topic.map(() => undefined);
    this.#room = 0;
    this.#source = this.#opened(snapshot);
  }
  /** For so long these brokers answer every 100 ms. */
  #goOn(during: number, brokers: readonly number[] = [0, 1]): void {
    for (const until = this.#now + during; this.#now < until; this.#now += 100) {
      for (const by of brokers) this.#answer(by, () => 2);
      this.#turn(1_000);
    }
  }

  do(one: Step): void {
    this.#now += 37;
    switch (one.kind) {
      case 'answer':
        return this.#answer(one.broker, (index) => one.most[index]!, one.polls);
      case 'append':
        return this.#append(one.partition, one.count);
      case 'quiet':
        return this.#goOn(one.millis);
      case 'transaction':
        this.#isOpen[one.partition] = true;
        this.#append(one.partition, one.count);
        this.#goOn(one.millis);
        this.#isOpen[one.partition] = false;
        return;
      case 'outage': {
        const unanswered = { kind: 'unanswered', splits: this.#led(one.broker).map(({ name }) => name) } as const;
        if (one.isNoticed) this.#hear([unanswered]);
        this.#goOn(one.millis, [1 - one.broker]);
        for (const index of [1 - one.broker, 3 - one.broker]) this.#append(index, one.count);
        this.#goOn(300, [1 - one.broker]);
        if (!one.isNoticed) this.#hear([unanswered]);
        return;
      }
      case 'throttled':
        this.#hear(new AnswerNews(this.#led(one.broker).map((split) => ({ split, offset: split.next }))).messages());
        return;
      case 'resolve':
        return this.#resolve();
      case 'restart':
        if (this.#isEnded) return;
        this.#restart();
        return this.#goOn(600, [one.broker]);
      case 'turn':
        return this.#turn(one.room);
    }
  }
  /** Reads everything. */
  finish(): Outcome {
    this.#resolve();
    for (const [index, { times }] of this.#topic.entries()) this.#append(index, times.length);
    const total = this.#topic.reduce((sum, { times }) => sum + times.length, 0);
    const isBounded = this.#read.end === 'latest';
    for (let round = 0; (isBounded ? !this.#isEnded : this.#rows < total) && round < 10_000; round++) this.#goOn(100);
    this.#source.close();
    assert.equal(this.#isEnded, isBounded);
    assert.equal(this.#rows, total);
    return { wrong: this.#wrong, late: this.#late, watermark: this.#watermark };
  }
}

interface Model {
  readonly now: () => number;
  readonly isFull: () => boolean;
  readonly emit: (timestamp: number, partition: number, offset: number) => void;
  readonly watermark: (at: number) => void;
}
function modelContext({ now, isFull, emit, watermark }: Model): SourceContext {
  const none = (): undefined => undefined;
  return {
    id: 'k',
    uid: 'k',
    name: 't',
    freeze: true,
    clock: { now },
    output: {
      get full() {
        return isFull();
      },
      emit: none,
      emitAt: (_value, timestamp, index, offset) => emit(timestamp, index, offset),
      room: 1,
      allowance: 1,
      prepare: () => assert.fail('A topic is read record by record.'),
      emitRun: none,
      emitTo: (port, value) => assert.fail(`${port}: ${JSON.stringify(value)}`),
      hasReader: () => true,
      watermark,
      idle: none,
      active: none,
      finish: none,
    },
    wake: none,
    wakeAt: none,
    fail: (error) => assert.fail(String(error)),
    countLate: none,
    failPartitions: none,
  };
}
