// A notebook that names no restart strategy, and whose sink has lost an open transaction: another
// job has taken its id, its time-out is over, or its topic was made again. The session goes back to
// its last checkpoint by itself, and each row is there once.
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startOwnCluster, type OwnCluster, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { connectionNamed } from '../../../engine/connections/connection-named.ts';
import { Cluster } from '../../../engine/connectors/kafka/cluster.ts';
import type { Exchange } from '../../../engine/connectors/kafka/kafkajs-connection.ts';
import { listTransactions } from '../../../engine/connectors/kafka/transaction-requests.ts';
import { committedRecords } from '../../../engine/test/kafka/java-records.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import type { CellText } from '../../protocol/messages.ts';
import { bundleKernel } from '../chaos/bundle-kernel.ts';
import { NotebookSession } from '../chaos/notebook-session.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sl-')));
const properties = { 'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200' };
let broker: OwnCluster;
let client: IndependentClient;
let kernelPath: string;
onBroker(
  () => startOwnCluster(1, { listeners: [], formatArguments: [], properties }),
  (started) => ({ broker, client } = started),
);
const former = process.env['SLUICE_SESSIONS'];
beforeAll(async () => {
  process.env['SLUICE_SESSIONS'] = folder;
  kernelPath = await bundleKernel(folder);
});
afterAll(() => {
  if (former === undefined) delete process.env['SLUICE_SESSIONS'];
  else process.env['SLUICE_SESSIONS'] = former;
  rmSync(folder, { recursive: true, force: true });
});

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
async function send(topic: string, from: number, to: number): Promise<void> {
  await client.send(
    topic,
    upTo(from, to).map((n) => ({ value: { n } })),
  );
}
async function numbersIn(topic: string, expected: number): Promise<number[]> {
  const records = await committedRecords(client, broker.brokers, topic, expected);
  return records.map(({ value }) => (JSON.parse(value) as { n: number }).n).sort((a, b) => a - b);
}
/** The ids with this prefix that the broker knows. */
async function idsOf(topic: string, prefix: string): Promise<readonly string[]> {
  const cluster = new Cluster(connectionNamed(undefined), 'write');
  try {
    await cluster.refresh(topic);
    const all: Exchange<undefined, readonly string[]> = {
      ...{ api: listTransactions.api, version: listTransactions.version, isFlexible: true },
      read: (reader) => listTransactions.read(reader),
      write: (writer) =>
        void writer
          .compactArray([], () => undefined)
          .compactArray([], () => undefined)
          .noTags(),
    };
    const ids = await cluster.ask(cluster.nodes()[0]!, all, undefined);
    return ids.filter((id) => id.startsWith(prefix));
  } finally {
    cluster.close();
  }
}
/** Another producer begins with each id of the sink, and aborts. */
async function takeOver(topic: string, prefix: string): Promise<void> {
  const ids = await idsOf(topic, prefix);
  assert.ok(ids.length > 0);
  for (const transactionalId of ids) {
    const producer = client.kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.abort();
    await producer.disconnect();
  }
}

const taken = 20;
const all = 30;

class Notebook {
  readonly session: NotebookSession;
  readonly input: string;
  readonly output: string;
  readonly #cells: CellText[];

  constructor(name: string, interval: string, more: string) {
    this.input = `${name}-in-${process.pid}`;
    this.output = `${name}-out-${process.pid}`;
    const notebook = join(folder, `${name}.sluice.ts`);
    writeFileSync(notebook, '');
    this.session = new NotebookSession({ notebook, kernelPath, brokers: broker.brokers, onNews: () => undefined });
    const cells = {
      in: `import { configure, kafka } from 'sluice';
configure({ checkpoint: { interval: '${interval}' } });
const rows = kafka<{ n: number }>('${this.input}', { from: 'latest' });
rows;`,
      out: `rows.to('${this.output}', { delivery: 'exactly-once'${more} });`,
    };
    this.#cells = Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }));
  }
  async until(condition: () => boolean, what: string): Promise<void> {
    for (const end = Date.now() + 180_000; !condition(); await sleep(20))
      if (Date.now() > end) throw new Error(`Waited for ${what}: ${this.session.described().join('\n')}`);
  }
  cell(id: string) {
    return this.session.state?.cells.find((cell) => cell.id === id);
  }
  get pid(): number {
    return this.session.pid;
  }
  /** Adds a cell, and so takes a checkpoint. */
  async changed(): Promise<void> {
    const before = this.session.checkpoints;
    await this.run([this.#added()]);
    await this.until(() => this.session.checkpoints > before, 'the checkpoint of a change');
  }
  /** The same. A sink fails at its barrier, and that may end the run. */
  async meetsBarrier(): Promise<void> {
    await this.session.run(this.#cells, [this.#added()]);
  }
  #added(): string {
    const id = `extra${this.#cells.length}`;
    this.#cells.push({ id, kind: 'code', text: 'rows.filter(() => false).show();' });
    return id;
  }
  async run(ids: readonly string[]): Promise<void> {
    for (const { cell, error } of await this.session.run(this.#cells, ids))
      if (error) throw new Error(`${cell}: ${error.message}`);
  }
  /** `out` has taken rows in a transaction that is open. */
  async begin(): Promise<void> {
    for (const topic of [this.input, this.output]) await client.createTopic(topic, 1);
    await this.session.start();
    await this.run(['in', 'out']);
    await this.session.arm(['out']);
    await this.until(() => this.cell('in')?.phase === 'waiting', 'the end of the topic');
    await this.until(() => this.cell('out')?.sink?.armed === true, 'the armed sink');
    await this.changed();
    await send(this.input, 0, taken);
    await this.until(() => (this.cell('out')?.sink?.written ?? 0) >= taken, 'rows in the topic');
  }
  /** It goes back by itself, and all rows are committed once. */
  async end(note: RegExp): Promise<void> {
    await send(this.input, taken, all);
    await this.until(() => this.cell('out')?.notes?.some((text) => note.test(text)) === true, 'the note of the sink');
    await this.until(() => this.session.state?.restarting === undefined, 'the restart');
    await this.until(() => (this.cell('out')?.sink?.written ?? 0) >= all, 'all rows in the topic');
    await this.changed();
    assert.deepEqual(await numbersIn(this.output, all), upTo(0, all));
    assert.deepEqual(this.cell('out')?.errors, []);
  }
}

describe.skipIf(whyNoKafka() !== undefined)('a notebook goes back by itself when', () => {
  async function withNotebook(notebook: Notebook, work: () => Promise<void>): Promise<void> {
    try {
      await notebook.begin();
      await work();
    } finally {
      await notebook.session.close();
    }
  }

  test('another job has taken the id of its transaction', async () => {
    const notebook = new Notebook('fenced', '10m', `, transactionalIdPrefix: 'own'`);
    await withNotebook(notebook, async () => {
      await takeOver(notebook.output, 'own-');
      await notebook.end(/"own-\S+" for topic "fenced-out-\d+" was taken over: .*gone back to its last checkpoint/);
    });
  });

  test('its transaction has timed out while the process stood still', async () => {
    const notebook = new Notebook('slow', '30s', `, transactionTimeout: '31s'`);
    await withNotebook(notebook, async () => {
      process.kill(notebook.pid, 'SIGSTOP');
      try {
        // What comes behind can be read only when the broker has aborted it.
        await numbersIn(notebook.output, 0);
      } finally {
        process.kill(notebook.pid, 'SIGCONT');
      }
      // Had a barrier just passed, the transaction is one of a checkpoint, and has expired.
      await notebook.end(/was open for longer than 31 s, .*gone back|so checkpoint \d+ is not used/i);
    });
  });

  test('its topic was deleted and made again', async () => {
    const notebook = new Notebook('again', '10m', '');
    const { output } = notebook;
    await withNotebook(notebook, async () => {
      await client.admin.deleteTopics({ topics: [output] });
      while ((await client.admin.listTopics()).includes(output)) await sleep(20);
      await client.createTopic(output);
      await notebook.meetsBarrier();
      await notebook.end(/^Topic "again-out-\d+" was deleted and made again .* The 20 rows of it .*gone back/);
    });
  });
});
