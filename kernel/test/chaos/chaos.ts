// The chaos: a notebook on a real broker whose kernel, executor and broker are killed again and
// again. In the end its topics must have the rows of a batch computation, each once.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOwnBroker, type OwnBroker } from '../../../engine/test/kafka/broker.ts';
import { failpoints } from '../../../engine/contract/failpoints.ts';
import { independentClient, type IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { batchResult, type InputRecord, type Output, outputs, type Rows } from './batch-result.ts';
import { bundleKernel } from './bundle-kernel.ts';
import { cellsOf, changedCells, type Delivery, inputTopic } from './cells.ts';
import { type CommittedRows, followCommitted } from './committed-rows.ts';
import { type FollowedTopic, followTopic } from './followed-topic.ts';
import { Happened, type Kind } from './happened.ts';
import { keysOf } from './input.ts';
import { NotebookSession } from './notebook-session.ts';
import { cut, type Life, lives, type Move } from './schedule.ts';
import { type Verdict, verdict } from './verdict.ts';
import { Writer } from './writer.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** So many kills; or: for so long, and until each failpoint has killed three times. */
  readonly until: { readonly kills: number } | { readonly minutes: number };
  readonly delivery: Delivery;
  /** One partition with late records. Otherwise a late record is a fault. */
  readonly hasLate: boolean;
  /** Between two rounds of records, of which each has five for each partition. */
  readonly pauseMillis: number;
  readonly print: (line: string) => void;
}
export interface ChaosResult extends Verdict {
  readonly kills: number;
  /** How often: a kill of each kind, a partition added, a cell run again. */
  readonly times: (kind: Kind) => number;
  /** The same in words. */
  readonly happened: string;
  /** Rows by topic. */
  readonly rows: Readonly<Record<Output, number>>;
}

const partitionsOf = ({ hasLate }: ChaosOptions): number => (hasLate ? 1 : 2);
const outputPartitions = [0, 1];
/** Behind all rows of a partition. */
const endOf = (topic: Output): string => JSON.stringify({ to: topic, end: true });
const leastAtFailpoint = 3;
/** Far above the time of a working session. */
const longestWaitMillis = 600_000;

export async function chaos(options: ChaosOptions): Promise<ChaosResult> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sl-')));
  const former = process.env['SLUICE_SESSIONS'];
  process.env['SLUICE_SESSIONS'] = folder;
  const broker = await startOwnBroker();
  try {
    const client = await independentClient(broker.brokers);
    try {
      await using run = await ChaosRun.begin(options, folder, broker, client);
      return await run.toTheEnd();
    } finally {
      await client.close().catch(() => undefined);
    }
  } finally {
    await broker.stop();
    if (former === undefined) delete process.env['SLUICE_SESSIONS'];
    else process.env['SLUICE_SESSIONS'] = former;
    rmSync(folder, { recursive: true, force: true });
  }
}

interface ChaosParts {
  readonly broker: OwnBroker;
  readonly client: IndependentClient;
  readonly session: NotebookSession;
  readonly input: FollowedTopic;
  readonly rows: CommittedRows;
  /** When another client saw the first rolling row of a key. */
  readonly seenAt: ReadonlyMap<string, number>;
  readonly happened: Happened;
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #broker: OwnBroker;
  readonly #client: IndependentClient;
  readonly #session: NotebookSession;
  readonly #input: FollowedTopic;
  readonly #rows: CommittedRows;
  readonly #writer: Writer;
  readonly #versions = new Map<string, number>();
  readonly #seenAt: ReadonlyMap<string, number>;
  readonly #happened: Happened;
  #kills = 0;
  #outage: Promise<void> = Promise.resolve();
  #isWritten = false;
  #problem: Error | undefined;

  static async begin(
    options: ChaosOptions,
    folder: string,
    broker: OwnBroker,
    client: IndependentClient,
  ): Promise<ChaosRun> {
    await client.createTopic(inputTopic, partitionsOf(options));
    for (const topic of outputs) await client.createTopic(topic, outputPartitions.length);
    const input = await followTopic(client, inputTopic);
    const seenAt = new Map<string, number>();
    const rows = await followCommitted({
      brokers: broker.brokers,
      topics: outputs,
      topicOf: (value) => (JSON.parse(value) as { readonly to: string }).to,
      onRow(topic, value) {
        const { k } = JSON.parse(value) as { readonly k?: string };
        if (topic === 'rolling' && k !== undefined && !seenAt.has(k)) seenAt.set(k, Date.now());
      },
    });
    const notebook = join(folder, 'chaos.sluice.ts');
    writeFileSync(notebook, '');
    const { brokers } = broker;
    const onNews = (text: string): void => options.print(`  ${text}`);
    const happened = new Happened();
    const onExecutorEnd = (): void => happened.count('executor');
    const kernelPath = await bundleKernel(folder);
    const session = new NotebookSession({ notebook, kernelPath, brokers, onNews, onExecutorEnd });
    return new ChaosRun(options, { broker, client, session, input, rows, seenAt, happened });
  }
  private constructor(options: ChaosOptions, { broker, client, session, input, rows, seenAt, happened }: ChaosParts) {
    this.#options = options;
    this.#happened = happened;
    this.#broker = broker;
    this.#client = client;
    this.#input = input;
    this.#rows = rows;
    this.#seenAt = seenAt;
    this.#session = session;
    const isCovered = (partition: number): boolean => this.#isCovered(partition);
    const { pauseMillis } = options;
    this.#writer = new Writer({ client, partitions: partitionsOf(options), kind: options, pauseMillis, isCovered });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.close();
    this.#writer.finish();
    await this.#input.close().catch(() => undefined);
    await this.#rows.close();
  }

  async toTheEnd(): Promise<ChaosResult> {
    await this.#first();
    this.#writer.run().then(
      () => (this.#isWritten = true),
      (error: unknown) => (this.#problem ??= asError(error)),
    );
    for (const life of this.#lives()) await this.#live(life);
    await this.#outage;
    const { expected, found } = await this.#drained();
    const late = this.#options.hasLate ? [] : [...this.#session.late];
    const { missing, text } = this.#happened;
    return {
      ...verdict(this.#kills, expected, found, { late, missing }),
      rows: Object.fromEntries(outputs.map((topic) => [topic, found[topic].length])) as Record<Output, number>,
      ...{ kills: this.#kills, happened: text, times: (kind) => this.#happened.of(kind) },
    };
  }

  /** All cells run, all sinks are armed, and a checkpoint knows it. */
  async #first(): Promise<void> {
    await this.#session.start();
    const cells = this.#cells();
    const results = await this.#session.run(
      cells,
      cells.map(({ id }) => id),
    );
    for (const { cell, error } of results) if (error) throw new Error(`Cell "${cell}" failed: ${error.message}`);
    await this.#session.arm(outputs);
    const source = (): string | undefined => this.#session.state?.cells.find(({ id }) => id === 'events')?.phase;
    await this.#until(() => source() === 'waiting', 'the source to be at the end of the topic');
    const now = Date.now();
    await this.#until(() => (this.#session.state?.checkpoints?.last?.takenAt ?? 0) > now, 'a checkpoint');
  }

  *#lives(): Generator<Life> {
    const { seed, until, delivery, hasLate } = this.#options;
    // What is late is known of one partition only.
    const without = { withoutFailpoints: delivery !== 'exactly-once', withoutAdditions: hasLate };
    const all = lives(seed, changedCells, without);
    if ('kills' in until) {
      yield* cut(all, until.kills);
      return;
    }
    const end = Date.now() + until.minutes * 60_000;
    const isEnough = (): boolean =>
      delivery !== 'exactly-once' || failpoints.every((name) => this.#happened.of(name) >= leastAtFailpoint);
    for (const life of all) {
      if (Date.now() > end && isEnough()) return;
      yield life;
    }
  }

  async #live(life: Life): Promise<void> {
    const { print } = this.#options;
    const { moves, end } = life;
    this.#happened.plan(life);
    const isSelf = end.kind === 'failpoint';
    // The first kernel has no failpoint.
    if (isSelf && this.#session.isAlive) await this.#session.kill();
    if (!this.#session.isAlive) {
      await this.#session.start(isSelf ? `${end.name}:${end.times}` : undefined);
      await this.#orDead(this.#session.resume(this.#cells()), isSelf);
    }
    for (const move of moves) await this.#move(move);
    if (isSelf) {
      await this.#until(() => !this.#session.isAlive, `the kernel to end at ${end.name}`);
      await this.#session.gone();
      this.#happened.count(end.name);
    } else {
      if (end.atWork) await this.#atWork();
      await sleep(end.after);
      if (!this.#session.isAlive)
        throw new Error(`The kernel has ended by itself. Its log ends with:\n${this.#session.lastWords()}`);
      await this.#session.kill();
      this.#happened.count('kernel');
    }
    this.#kills++;
    const what = [...moves.map(({ kind }) => kind), isSelf ? `${end.name}:${end.times}` : 'kernel'];
    const rows = outputs.reduce((sum, topic) => sum + this.#rows.count(topic), 0);
    print(`${this.#kills} kills: ${what.join(', ')}; ${rows} rows so far`);
    if (this.#problem) throw this.#problem;
  }

  async #move(move: Move): Promise<void> {
    await sleep(move.after);
    switch (move.kind) {
      case 'executor':
        if (move.atWork) await this.#atWork();
        await this.#killExecutor();
        this.#kills++;
        return;
      case 'broker':
        this.#kills++;
        this.#killBroker(move.outage);
        return;
      case 'add-partition':
        // It needs the broker, and nothing else waits for it.
        this.#writer.addPartition().then(
          (isAdded) => isAdded && this.#happened.count('add-partition'),
          (error: unknown) => (this.#problem ??= asError(error)),
        );
        return;
      case 'run-again':
        this.#versions.set(move.cell, (this.#versions.get(move.cell) ?? 0) + 1);
        void this.#runAgain(move.cell);
        return;
    }
  }
  /** The kernel reads records, and has completed a checkpoint since then. */
  async #atWork(): Promise<void> {
    const session = this.#session;
    await this.#until(() => (session.state?.recordsPerSecond ?? 0) > 0 || !session.isAlive, 'records');
    const before = session.checkpoints;
    await this.#until(() => session.checkpoints > before || !session.isAlive, 'a checkpoint');
  }
  /**
   * A kernel may have no thread at this moment, so the signal is sent again. `happened` counts the
   * threads that have ended.
   */
  async #killExecutor(): Promise<void> {
    const before = this.#happened.of('executor');
    for (let waited = 0; waited < 6_000 && this.#session.isAlive; waited += 20) {
      if (this.#happened.of('executor') > before) return;
      if (waited % 2_000 === 0) this.#session.killExecutor();
      await sleep(20);
    }
  }
  #killBroker(outage: number): void {
    // Who fills the topic waits, so what is in it is known.
    const brought = this.#writer.alone(async () => {
      await this.#broker.kill();
      this.#happened.count('broker');
      await sleep(outage);
      await this.#broker.start();
    });
    this.#outage = brought.catch((error: unknown) => void (this.#problem ??= asError(error)));
  }
  /** It may be cut off by a kill. Another failure is one of the chaos. */
  async #runAgain(cell: string): Promise<void> {
    const lost = ['executor-ended', 'interrupted'];
    try {
      const results = await this.#session.run(this.#cells(), [cell]);
      for (const { error } of results)
        if (!error) this.#happened.count('run-again');
        else if (!lost.includes(error.code)) this.#problem ??= new Error(`"${cell}" run again: ${error.message}`);
    } catch (error) {
      if (this.#session.isAlive) this.#problem ??= asError(error);
    }
  }

  /** Time is brought beyond all windows, and all rows are waited for. */
  async #drained(): Promise<{ readonly expected: Rows; readonly found: Rows }> {
    if (!this.#session.isAlive) {
      await this.#session.start();
      await this.#session.resume(this.#cells());
    }
    this.#writer.finish();
    await this.#until(() => this.#isWritten, 'the last records to be written');
    const expected = batchResult(await this.#allInput());
    const enough = (topic: Output): boolean => this.#rows.count(topic) >= expected[topic].length;
    const missing = await this.#until(() => outputs.every(enough), 'all rows').then(
      () => undefined,
      (error: unknown) => asError(error),
    );
    if (missing) this.#options.print(`  ${missing.message}`);
    // What is doubled may come with the next checkpoints.
    const seen = Date.now();
    await this.#until(() => (this.#session.state?.checkpoints?.last?.takenAt ?? 0) > seen, 'a checkpoint').catch(
      (error: unknown) => this.#options.print(`  ${asError(error).message}`),
    );
    await this.#session.end();
    return { expected, found: await this.#found() };
  }

  async #allInput(): Promise<readonly InputRecord[]> {
    const offsets = await this.#client.admin.fetchTopicOffsets(inputTopic);
    const count = offsets.reduce((sum, { high }) => sum + Number(high), 0);
    await this.#until(() => this.#input.count() === count, 'the other client to read the input');
    return this.#input.records();
  }

  /**
   * Behind all rows, each partition gets a last one. A client at read_committed that has read it
   * has read all before it, and no transaction is open.
   */
  async #found(): Promise<Rows> {
    for (const topic of outputs)
      await this.#client.send(
        topic,
        outputPartitions.map((partition) => ({ partition, value: endOf(topic) })),
      );
    const values = (topic: Output): string[] => this.#rows.rows(topic).map(({ value }) => value);
    const isComplete = (topic: Output): boolean =>
      values(topic).filter((value) => value === endOf(topic)).length === outputPartitions.length;
    await this.#until(() => outputs.every(isComplete), 'the ends of the topics: a transaction may be open');
    const found = outputs.map((topic) => [topic, values(topic).filter((value) => value !== endOf(topic))]);
    return Object.fromEntries(found) as Record<Output, string[]>;
  }

  /** One of its rows is committed, and a later checkpoint is complete. */
  #isCovered(partition: number): boolean {
    const last = this.#session.state?.checkpoints?.last?.takenAt ?? 0;
    return keysOf(partition).some((key) => (this.#seenAt.get(key) ?? Infinity) < last);
  }
  #cells(): ReturnType<typeof cellsOf> {
    return cellsOf(this.#options.delivery, this.#versions);
  }
  async #orDead(work: Promise<void>, mayEnd: boolean): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!mayEnd || this.#session.isAlive) throw error;
    }
  }
  async #until(condition: () => boolean, what: string): Promise<void> {
    const end = Date.now() + longestWaitMillis;
    while (!condition()) {
      if (this.#problem) throw this.#problem;
      if (Date.now() > end) {
        const cells = this.#session.described().join('\n  ');
        throw new Error(`Waited ${longestWaitMillis / 1000} s for ${what}. The cells:\n  ${cells}`);
      }
      await sleep(20);
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
