// An exported job over real topics: it is killed, stopped under load and started again, and each
// row is committed once; its group has its offsets; a second instance is refused; it starts where
// its variables say; and savepoints go from the session to the job and back.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startOwnBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import { ViewStore } from '../../displays/view-store.ts';
import { openJobState } from '../../job/job-state.ts';
import { notebookCompiler } from '../../server/compiler.ts';
import { Control, type ControlOptions } from '../../server/control.ts';
import { executorThread } from '../../server/executor-thread.ts';
import { readNotebook } from '../../terminal/notebook.ts';
import { exported, folderOf, type Life, start } from '../cli/job-process.ts';
import { committedTopics } from '../same-rows/committed-topics.ts';
import { groupOffsets } from './group-offsets.ts';

const options = { skip: whyNoKafka() !== undefined, timeout: 600_000 };
let broker: Broker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

const partitions = 2;
const keys = 6;

/** Counts the rows of each key, and writes each new count. */
const counting = (input: string, output: string): string => `// %% id=numbers
import { configure, count, kafka, param, sum } from 'sluice';
configure({ checkpoint: { interval: '300ms' } });
const numbers = kafka<{ n: number; k: string }>('${input}', { format: 'json', discovery: '1s' });
numbers.show();

// %% id=counts
const counts = numbers.keyBy('k').aggregate({ c: count(), s: sum('n') });
counts.show();

// %% id=out
const out = param('out', '${output}');
counts.to(out, { key: 'k', delivery: 'exactly-once', headers: () => ({ topic: out }) });
`;

/** Writes numbers to a topic, the same ones in the same order each time. */
class Numbers {
  readonly #topic: string;
  sent = 0;
  #isWriting = true;
  #writing = Promise.resolve();

  constructor(topic: string) {
    this.#topic = topic;
  }
  async send(count: number): Promise<void> {
    const messages = Array.from({ length: count }, (_, i) => {
      const n = this.sent + i;
      return { partition: n % partitions, value: { n, k: `k${n % keys}` } };
    });
    await client.send(this.#topic, messages);
    this.sent += count;
  }
  /** Goes on in the background until `stop`. */
  write(): void {
    this.#isWriting = true;
    this.#writing = (async () => {
      for (; this.#isWriting; await sleep(20)) await this.send(50);
    })();
  }
  async stop(): Promise<void> {
    this.#isWriting = false;
    await this.#writing;
  }
}

async function topicsFor(name: string): Promise<{ readonly input: string; readonly output: string }> {
  const [input, output] = [`${name}-in`, `${name}-out`];
  await client.createTopic(input, partitions);
  await client.createTopic(output, 1);
  return { input, output };
}
const offsetsOf = (group: string, topic: string): Promise<number> => groupOffsets(client, group, topic);

interface Count {
  readonly k: string;
  readonly c: number;
}
/** The committed counts of each key, in order. */
async function committed(topic: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const records = (await committedTopics(client, broker.brokers, [topic])).get(topic)!;
  const rows = records.toSorted((a, b) => a.offset - b.offset).map(({ value }) => JSON.parse(value) as Count);
  const byKey = Map.groupBy(rows, ({ k }) => k);
  return new Map([...byKey].map(([k, counts]) => [k, counts.map(({ c }) => c)]));
}
/** The counts that the keys of the numbers `from` to `to` have, each once. */
function expected(from: number, to: number): ReadonlyMap<string, readonly number[]> {
  const counts = new Map<string, number[]>();
  for (let n = from; n < to; n++) {
    const of = counts.get(`k${n % keys}`) ?? [];
    counts.set(`k${n % keys}`, [...of, of.length + 1]);
  }
  return counts;
}
function sorted(counts: ReadonlyMap<string, readonly number[]>): unknown {
  return [...counts].sort();
}
const variables = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...{ SLUICE_BROKERS: broker.brokers, ...more },
});

test('a job that is killed, stopped under load and started again commits each row once', options, async (t) => {
  const { input, output } = await topicsFor('killed');
  const job = await exported(folderOf(t, { 'n.sluice.ts': counting(input, output) }));
  const environment = variables({ SLUICE_START: 'earliest', SLUICE_APPLICATION_ID: 'killed' });
  const numbers = new Numbers(input);
  await numbers.send(500);
  numbers.write();
  t.onTestFinished(() => numbers.stop());
  const hasRead = (life: Life, least: number): Promise<void> =>
    life.until(async () => (await offsetsOf('killed', input)) >= least, `the offsets of ${least} records`);

  const first = start(job, environment);
  await hasRead(first, 500);
  // Another state folder, and the same id.
  const second = start(job, { ...environment, SLUICE_STATE_DIR: join(job, 'other') });
  assert.equal((await second.ended).code, 3);
  const refusal = second.log().at(-1)!;
  assert.equal(refusal.code, 'application-in-use');
  assert.match(
    refusal.message,
    /^The application id "killed" is in use by process \d+ on .*One instance runs at a time/,
  );
  assert.ok(refusal.message.includes(`process ${first.pid} `));
  await hasRead(first, (await offsetsOf('killed', input)) + 200);
  await first.end('SIGKILL');

  // On the same folder nobody waits for the one that was killed.
  const third = start(job, environment);
  await hasRead(third, numbers.sent + 300);
  assert.equal(await third.end('SIGTERM'), 0, JSON.stringify(third.log()));
  assert.ok(third.log().some(({ message }) => message === 'The job has stopped.'));
  const atStop = await offsetsOf('killed', input);

  const fourth = start(job, environment);
  await hasRead(fourth, atStop + 200);
  await numbers.stop();
  await hasRead(fourth, numbers.sent);
  assert.equal(await fourth.end('SIGTERM'), 0, JSON.stringify(fourth.log()));
  assert.equal(await offsetsOf('killed', input), numbers.sent);
  assert.deepEqual(sorted(await committed(output)), sorted(expected(0, numbers.sent)));
  for (const life of [first, third, fourth])
    assert.deepEqual(
      life.log().filter(({ level }) => level === 'error'),
      [],
    );
});

test('a job whose application id another instance takes ends with 3', options, async (t) => {
  const { input } = await topicsFor('taken');
  // The one connection of the job is in a helper module.
  const helper = `import { kafka } from 'sluice';
export const numbers = () => kafka<{ n: number }>('${input}', { format: 'json', from: 'earliest' });
`;
  const notebook = "// %% id=out\nimport { numbers } from './numbers.ts';\nnumbers().toFile('rows.jsonl');\n";
  const job = await exported(folderOf(t, { 'n.sluice.ts': notebook, 'numbers.ts': helper }));
  const environment = variables({ SLUICE_APPLICATION_ID: 'taken' });
  const member = (state: string): string => join(job, state, 'taken', 'instance');
  const first = start(job, environment);
  await first.until(() => existsSync(member('state')), 'the claim');
  // A process that is started on a copy of the folder takes the member out of the group.
  mkdirSync(dirname(member('copy')), { recursive: true });
  copyFileSync(member('state'), member('copy'));
  const second = start(job, { ...environment, SLUICE_STATE_DIR: join(job, 'copy') });
  assert.equal((await first.ended).code, 3, JSON.stringify(first.log()));
  assert.ok(first.log().some(({ code }) => code === 'application-in-use'));
  assert.equal(await second.end('SIGTERM'), 0, JSON.stringify(second.log()));
});

test('a job starts at its offsets, at a time, at the end or at the beginning', options, async (t) => {
  const { input, output } = await topicsFor('starts');
  const job = await exported(folderOf(t, { 'n.sluice.ts': counting(input, output) }));
  const numbers = new Numbers(input);
  /**
   * Runs until the group `id` has read all, and gives what it has written to a topic of its own.
   */
  const runUntil = async (
    to: string,
    environment: Readonly<Record<string, string>>,
    meanwhile: (life: Life) => Promise<void> = () => Promise.resolve(),
  ): Promise<unknown> => {
    await client.createTopic(to, 1);
    const id = environment['SLUICE_APPLICATION_ID']!;
    const life = start(job, variables({ SLUICE_PARAM_out: to, SLUICE_STATE_DIR: join(job, to), ...environment }));
    await meanwhile(life);
    await life.until(async () => (await offsetsOf(id, input)) === numbers.sent, `offset ${numbers.sent} of "${id}"`);
    assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
    return sorted(await committed(to));
  };
  await numbers.send(60);
  // The notebook says nothing, so its job starts at the end. Another id reprocesses everything.
  assert.deepEqual(await runUntil('starts-anew', { SLUICE_APPLICATION_ID: 'starts-2' }), sorted(expected(0, 60)));
  await sleep(5);
  const time = new Date().toISOString();
  await numbers.send(60);
  const committedStart = { SLUICE_APPLICATION_ID: 'starts-2', SLUICE_START: 'committed' };
  assert.deepEqual(await runUntil('starts-committed', committedStart), sorted(expected(60, 120)));
  const timeStart = { SLUICE_APPLICATION_ID: 'starts-3', SLUICE_START: time };
  assert.deepEqual(await runUntil('starts-time', timeStart), sorted(expected(60, 120)));
  const latestStart = { SLUICE_APPLICATION_ID: 'starts-4', SLUICE_START: 'latest' };
  const fromTheEnd = await runUntil('starts-latest', latestStart, async (life) => {
    await life.until(async () => (await offsetsOf('starts-4', input)) === 120, 'the offsets of the end');
    await numbers.send(60);
  });
  assert.deepEqual(fromTheEnd, sorted(expected(120, 180)));
});

test('a savepoint of the session starts the job, and one of the job opens in the notebook', options, async (t) => {
  const { input, output } = await topicsFor('saved');
  const folder = folderOf(t, {
    'n.sluice.ts': counting(input, output).replace("format: 'json'", "from: 'earliest', format: 'json'"),
  });
  const notebook = join(folder, 'n.sluice.ts');
  const job = await exported(folder);
  const numbers = new Numbers(input);
  await numbers.send(120);

  /** A live session with its sinks armed, until it has committed so many rows. */
  const inSession = async (
    rows: number,
    more: Partial<ControlOptions>,
    then: (control: Control) => Promise<void>,
  ): Promise<void> => {
    const { cells } = readNotebook(notebook);
    const control = new Control({
      // State of a savepoint is for operators that start together.
      settings: { arming: 'all', idleMillis: Infinity, attach: more.upgrade ? 'together' : 'each' },
      compiler: notebookCompiler(() => notebook),
      views: new ViewStore(),
      startExecutor: () => executorThread(notebook),
      ended: () => undefined,
      ...more,
    });
    control.start();
    try {
      control.dispatch({ kind: 'sync', cells });
      for (const result of await control.run(cells.map(({ id }) => id))) assert.ok(result.ok, result.error?.message);
      const found = (): number => control.view().cells.find(({ id }) => id === 'out')?.sink?.committed ?? 0;
      while (found() < rows) await sleep(50);
      await then(control);
    } finally {
      await control.close();
    }
  };
  let savepoint = '';
  const storage = await openCheckpoints(join(folder, 'session'));
  await inSession(120, { storage }, async (control) => {
    ({ path: savepoint } = await control.savepoint(join(folder, 'savepoints')));
  });
  await numbers.send(60);

  const environment = variables({ SLUICE_START: `savepoint:${savepoint}`, SLUICE_APPLICATION_ID: 'saved' });
  const life = start(job, environment);
  await life.until(async () => (await offsetsOf('saved', input)) === 180, 'all offsets');
  assert.equal(await life.end('SIGTERM'), 0, JSON.stringify(life.log()));
  assert.deepEqual(
    life.log().filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
  const state = join(job, 'state', 'saved');

  // In a live session.
  await numbers.send(60);
  const { cells } = readNotebook(notebook);
  const { upgrade } = await openJobState({ directory: undefined, savepoint: state, mayLeaveOut: false }, cells, {});
  await inSession(60, { upgrade }, () => Promise.resolve());
  assert.deepEqual(sorted(await committed(output)), sorted(expected(0, 240)));
});
