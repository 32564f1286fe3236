// A measurement, not a test: what becomes of a transaction whose process is killed, and which a new
// process finishes with the stored id and epoch. Prints a table; ARCHITECTURE.md keeps it.
//
//     node engine/test/kafka/transaction-spike.ts         SLUICE_KAFKA=3.9 for the older broker
//
// 200 transactions, four for each killed process. Each process is this file with a role.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Brokers, TryAgain } from '../../connectors/kafka/brokers.ts';
import { BatchBuilder } from '../../connectors/kafka/batch-builder.ts';
import { addPartitions, endTransaction, initTransaction } from '../../connectors/kafka/commit-requests.ts';
import { findCoordinator } from '../../connectors/kafka/coordinator-request.ts';
import type { Exchange } from '../../connectors/kafka/kafkajs-connection.ts';
import { produce, type Producer } from '../../connectors/kafka/sink-requests.ts';
import { type OwnCluster, startOwnCluster } from './broker.ts';
import { independentClient } from './independent-client.ts';
import { committedRecords } from './java-records.ts';

const topic = 'spike';
const perProcess = 4;
const rowsOfEach = 5;
type Point = 'after-precommit' | 'while-committing' | 'after-reuse' | 'after-timeout';
/** A committable, and the number that its rows have. */
interface Stored {
  readonly id: string;
  readonly producer: string;
  readonly epoch: number;
  readonly n: number;
}

// ------------------------------------------------------------------------ the killed process

/** Retries what passes: elections, and the end of the transaction before. */
async function ofCoordinator<Q, A>(
  brokers: Brokers,
  id: string,
  exchange: Exchange<Q, A>,
  question: Q,
  errorOf: (answer: A) => number,
): Promise<{ readonly answer: A; readonly waits: number }> {
  const passing = [14, 15, 16, 51];
  for (let waits = 0; ; waits++) {
    try {
      const { error, node } = await brokers.ask(brokers.nodes()[0]!, findCoordinator, { key: id, of: 'transaction' });
      if (error !== 0) throw new TryAgain('no coordinator');
      const answer = await brokers.ask(node, exchange, question);
      if (!passing.includes(errorOf(answer))) return { answer, waits };
    } catch (error) {
      if (waits > 600) throw error;
      await brokers.metadata([topic]).catch(() => undefined);
    }
    await sleep(50);
  }
}
const begin = async (brokers: Brokers, id: string, timeoutMillis: number): Promise<Producer> =>
  (await ofCoordinator(brokers, id, initTransaction, { transactionalId: id, timeoutMillis }, ({ error }) => error))
    .answer;

async function write(brokers: Brokers, transactionalId: string, producer: Producer, n: number): Promise<void> {
  const question = { transactionalId, producer, topic, partitions: [0] };
  await ofCoordinator(brokers, transactionalId, addPartitions, question, ([answer]) => answer!.error);
  const builder = new BatchBuilder();
  for (let row = 0; row < rowsOfEach; row++) builder.append(undefined, String(n), Date.now());
  const bytes = builder.stamped(producer.id, producer.epoch, 0, 'none', true);
  const leader = (await brokers.metadata([topic])).topics[0]!.partitions[0]!.leader;
  const batches = [{ partition: 0, bytes }];
  const { partitions } = await brokers.ask(leader, produce, {
    ...{ topic, transactionalId, acks: -1, timeoutMillis: 30_000, batches },
  });
  if (partitions[0]!.error !== 0) throw new Error(`produce answers ${partitions[0]!.error}`);
}

async function writer(
  address: string,
  file: string,
  from: number,
  point: Point,
  ids: readonly string[],
): Promise<void> {
  const brokers = new Brokers({ brokers: [address], setIn: 'here' }, 'write');
  await brokers.metadata([topic]);
  const begun: (Stored & { readonly at: Producer })[] = [];
  for (const [place, id] of ids.entries()) {
    const n = from + place;
    const at = await begin(brokers, id, point === 'after-timeout' ? 1_000 : 600_000);
    await write(brokers, id, at, n);
    begun.push({ id, producer: String(at.id), epoch: at.epoch, n, at });
    appendFileSync(file, `${JSON.stringify({ id, producer: String(at.id), epoch: at.epoch, n })}\n`);
  }
  if (point === 'after-precommit' || point === 'after-timeout') process.kill(process.pid, 'SIGKILL');
  const ends = begun.map(({ id, at }) =>
    ofCoordinator(brokers, id, endTransaction, { transactionalId: id, producer: at, commits: true }, (error) => error),
  );
  if (point === 'while-committing') await ends[0];
  if (point === 'after-reuse') {
    await Promise.all(ends);
    for (const { id, n } of begun) await write(brokers, id, await begin(brokers, id, 600_000), -1 - n);
  }
  process.kill(process.pid, 'SIGKILL');
}

// ------------------------------------------------------------------------ the new process

async function finisher(address: string, file: string, ids: readonly string[]): Promise<void> {
  const brokers = new Brokers({ brokers: [address], setIn: 'here' }, 'write');
  await brokers.metadata([topic]);
  const answers: string[] = [];
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const { id, producer, epoch } = JSON.parse(line) as Stored;
    const question = { transactionalId: id, producer: { id: BigInt(producer), epoch }, commits: true };
    const { answer, waits } = await ofCoordinator(brokers, id, endTransaction, question, (error) => error);
    answers.push(`${answer}${waits > 0 ? ' after a wait' : ''}`);
  }
  for (const id of ids) await begin(brokers, id, 600_000);
  process.stdout.write(JSON.stringify(answers));
  brokers.close();
}

// ------------------------------------------------------------------------ the measurement

interface Scene {
  readonly name: string;
  readonly point: Point;
  readonly processes: number;
  /** Default: the name with a number. */
  readonly chooseIds?: (cluster: OwnCluster, name: string) => Promise<readonly string[]>;
  readonly between?: (cluster: OwnCluster, ids: readonly string[]) => Promise<void>;
}

async function measure(): Promise<void> {
  const scenes: readonly Scene[] = [
    { name: 'after preCommit', point: 'after-precommit', processes: 14 },
    { name: 'while committing', point: 'while-committing', processes: 14 },
    { name: 'after the id is reused', point: 'after-reuse', processes: 10 },
    { name: 'after the time-out', point: 'after-timeout', processes: 4, between: () => sleep(4_000) },
    { name: 'broker killed', point: 'after-precommit', processes: 4, between: restartFirst },
  ];
  const folder = mkdtempSync(join(tmpdir(), 'sluice-spike-'));
  const one = await startOwnCluster(1, extras(1));
  let total = 0;
  for (const scene of scenes) total += await play(one, folder, scene, total);
  await one.stop();
  const three = await startOwnCluster(3, extras(3));
  const moved = {
    name: 'coordinator moved',
    point: 'after-precommit',
    processes: 4,
    chooseIds: idsOfOneCoordinator,
    between: killCoordinator,
  } as const;
  total += await play(three, folder, moved, total);
  await three.stop();
  rmSync(folder, { recursive: true });
  console.log(`${total} transactions`);
}
const extras = (replicas: number) => ({
  listeners: [],
  formatArguments: [],
  properties: {
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': '200',
    'transaction.state.log.replication.factor': String(replicas),
    // Several for each broker.
    'transaction.state.log.num.partitions': String(3 * replicas),
    'default.replication.factor': String(replicas),
  },
});
async function restartFirst({ nodes }: OwnCluster): Promise<void> {
  await nodes[0]!.kill();
  await nodes[0]!.start();
}
async function coordinatorsOf(cluster: OwnCluster, ids: readonly string[]): Promise<readonly (number | undefined)[]> {
  const brokers = new Brokers({ brokers: cluster.brokers.split(','), setIn: 'here' }, 'write');
  try {
    await brokers.metadata([topic]);
    const controller = brokers.nodes().find((node) => node === 1) ?? brokers.nodes()[0]!;
    const ask = (key: string) => brokers.ask(controller, findCoordinator, { key, of: 'transaction' });
    const found = await Promise.all(ids.map(ask));
    return found.map(({ error, node }) => (error === 0 ? node : undefined));
  } finally {
    brokers.close();
  }
}
/** All of them have one coordinator, and it is not the controller, which must live. */
async function idsOfOneCoordinator(cluster: OwnCluster, name: string): Promise<readonly string[]> {
  const candidates = Array.from({ length: 20 * perProcess }, (_, i) => `${name}-${i}`);
  for (;;) {
    const nodes = await coordinatorsOf(cluster, candidates);
    const byNode = Map.groupBy(candidates, (_, i) => nodes[i]);
    for (const [node, ids] of byNode)
      if (node !== undefined && node > 1 && ids.length >= perProcess) return ids.slice(0, perProcess);
    // A new topic of transactions is not led by all brokers at once.
    await sleep(200);
  }
}
/** Ends the coordinator of these ids, and starts it again when all of them have another one. */
async function killCoordinator(cluster: OwnCluster, ids: readonly string[]): Promise<void> {
  const before = new Set(await coordinatorsOf(cluster, ids));
  const [victim] = before;
  const node = cluster.nodes.find(({ id }) => id === victim);
  if (before.size !== 1 || !node) throw new Error(`the coordinators are ${[...before].join()}`);
  await node.kill();
  const hasMoved = (one: number | undefined): boolean => one !== undefined && one !== victim;
  while (!(await coordinatorsOf(cluster, ids).catch(() => [undefined])).every(hasMoved)) await sleep(100);
  await node.start();
}

async function play(cluster: OwnCluster, folder: string, scene: Scene, from: number): Promise<number> {
  const client = await independentClient(cluster.brokers);
  await client.createTopic(topic, 1, {}, cluster.nodes.length).catch(() => undefined);
  const address = cluster.brokers.split(',')[0]!;
  const answers = new Map<string, number>();
  const began = performance.now();
  for (let p = 0; p < scene.processes; p++) {
    const file = join(folder, `${scene.name}-${p}`);
    const name = `${scene.name.replaceAll(' ', '-')}-${p}`;
    const ids =
      (await scene.chooseIds?.(cluster, name)) ?? Array.from({ length: perProcess }, (_, i) => `${name}-${i}`);
    const first = String(from + p * perProcess);
    const { signal } = await ended(['writer', address, file, first, scene.point, ids.join()]);
    if (signal !== 'SIGKILL' || !existsSync(file)) throw new Error(`${name} was not killed`);
    await scene.between?.(cluster, ids);
    const { stdout } = spawnSync(process.execPath, [import.meta.filename, 'finisher', address, file, ids.join()], {
      encoding: 'utf8',
    });
    for (const answer of JSON.parse(stdout) as string[]) answers.set(answer, (answers.get(answer) ?? 0) + 1);
  }
  const count = scene.processes * perProcess;
  const expected = scene.point === 'after-timeout' ? 0 : count * rowsOfEach;
  const rows = (await committedRecords(client, cluster.brokers, topic, expected)).map(({ value }) => value);
  const upTo = Array.from({ length: count }, (_, i) => String(from + i));
  const whole = upTo.filter((n) => rows.filter((row) => row === n).length === rowsOfEach).length;
  const millis = Math.round((performance.now() - began) / count);
  const shown = [...answers].map(([answer, times]) => `${answer} × ${times}`).join(', ');
  console.log(
    `${scene.name}: ${count} transactions, EndTxn answers ${shown}; ${whole} committed whole, no other rows; ${millis} ms each`,
  );
  await client.admin.deleteTopics({ topics: [topic] });
  await client.close();
  return count;
}
function ended(args: readonly string[]): Promise<{ readonly signal: NodeJS.Signals | null }> {
  const child = spawn(process.execPath, [import.meta.filename, ...args], { stdio: 'inherit' });
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve({ signal })));
}
const [role, ...given] = process.argv.slice(2);
if (role === 'writer') await writer(given[0]!, given[1]!, Number(given[2]), given[3] as Point, given[4]!.split(','));
else if (role === 'finisher') await finisher(given[0]!, given[1]!, given[2]!.split(','));
else await measure();
