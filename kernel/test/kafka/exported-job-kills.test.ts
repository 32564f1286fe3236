// An exported job with windows and timers that is killed at each point of a transaction, also
// between its end and its commit, and while it works. Its rows are those of a session without
// kills.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { type Failpoint, failpoints } from '../../../engine/contract/failpoints.ts';
import { startOwnBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { exported, type Life, start } from '../cli/job-process.ts';
import type { SetNotebook } from '../same-rows/notebooks.ts';
import { writeRecorded } from '../same-rows/recorded.ts';
import { sameRows } from '../same-rows/same-rows.ts';
import { type Target, targets } from '../same-rows/targets.ts';

const options = { skip: whyNoKafka() !== undefined, timeout: 900_000 };
let broker: Broker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

/**
 * It reads only orders before the number in the file `gate`, so a life has never read all of them.
 */
const notebook: SetNotebook = {
  name: 'windows-and-timers',
  outputs: [
    { name: 'windows', kind: 'rows', least: 200 },
    { name: 'buckets', kind: 'rows', least: 200 },
    { name: 'late', kind: 'rows', least: 100 },
  ],
  text: `// %% id=orders
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { configure, count, kafka, mapState, param, sum, tumbling, valueState } from 'sluice';
configure({ checkpoint: { interval: '400ms' } });
interface Order { n: number; at: number; k: string; v: number }
const out = param('out', 'none');
const gate = param('gate', '');
const byKey = kafka<Order>('latecomers', {
  until: 'latest', format: 'json', timestamp: 'at', watermark: { outOfOrderness: '10s', idleness: '24h' },
}).mapAsync(async (order) => {
  while (gate !== '' && order.n >= Number(readFileSync(gate, 'utf8'))) await sleep(50);
  return order;
}, { capacity: 5 }).keyBy('k');

// %% id=windows
const windows = byKey.window(tumbling('5s')).aggregate({ n: count(), total: sum('v') });
windows.to(\`\${out}-windows\`, { key: 'k', delivery: 'exactly-once', headers: () => ({ topic: \`\${out}-windows\` }) });
windows.late.to(\`\${out}-late\`, { key: 'k', delivery: 'exactly-once', headers: () => ({ topic: \`\${out}-late\` }) });

// %% id=buckets
const size = 5_000;
byKey.process({
  state: { sums: mapState<number, number>(), fired: valueState<number>() },
  onElement({ at, v }, { state, timers }) {
    const bucket = at - (at % size);
    state.sums.set(bucket, (state.sums.get(bucket) ?? 0) + v);
    timers.eventTime(bucket + size);
  },
  *onTimer(at, { key, state }) {
    const fired = (state.fired.get() ?? 0) + 1;
    state.fired.set(fired);
    yield { k: key.k, until: at, fired, sum: state.sums.get(at - size) ?? 0 };
    state.sums.delete(at - size);
  },
}).to(\`\${out}-buckets\`, { key: 'k', delivery: 'exactly-once', headers: () => ({ topic: \`\${out}-buckets\` }) });
`,
};

/** So many orders more may be read. */
const step = 30;

/** Its complete checkpoints; 0 when it is dead. */
async function checkpointsOf(life: Life): Promise<number> {
  const samples = await life.metrics().catch(() => []);
  return samples.find(({ name }) => name === 'kafka_stream_thread_commit_total')?.value ?? 0;
}

test(
  'a job that is killed at each point of a transaction, and at work, has the rows of a session',
  options,
  async () => {
    await writeRecorded(client);
    const [session] = targets;
    const kills: (Failpoint | 'at work')[] = [...failpoints, 'at work', 'at work'];
    const killed: Target = {
      name: 'killed',
      async run({ notebook: path, brokers, params, folder }) {
        const job = await exported(folder, path);
        const gate = join(folder, 'gate');
        const environment = { SLUICE_BROKERS: brokers, SLUICE_PARAM_out: params['out']!, SLUICE_PARAM_gate: gate };
        let open = 0;
        writeFileSync(gate, String(open));
        for (const kill of kills) {
          const life = start(job, { ...environment, ...(kill !== 'at work' && { SLUICE_FAILPOINT: kill }) });
          let isOver = false;
          void life.ended.then(() => (isOver = true));
          // More orders with each checkpoint, so that each one has rows to commit.
          for (let known = -1; !isOver; await sleep(50)) {
            const checkpoints = await checkpointsOf(life);
            if (checkpoints <= known) continue;
            known = checkpoints;
            if (kill === 'at work' && known >= 2) await life.end('SIGKILL');
            else writeFileSync(gate, String((open += step)));
          }
          assert.equal((await life.ended).code, null, `${kill}: ${JSON.stringify(life.log())}`);
        }
        writeFileSync(gate, 'Infinity');
        const last = start(job, environment);
        assert.equal((await last.ended).code, 0, JSON.stringify(last.log()));
        const goesOn = last.log().some(({ message }) => message.startsWith('The job goes on from the checkpoint of '));
        assert.ok(goesOn, JSON.stringify(last.log()));
      },
    };
    const both = { client, brokers: broker.brokers, targets: [session!, killed] as const };
    assert.deepEqual((await sameRows(notebook, both)).faults, []);
  },
);
