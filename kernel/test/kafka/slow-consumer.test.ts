// `sluice run` reads a topic that grows a hundred times faster than its sink takes records. The
// memory of the process stays flat, and its metrics have the lag.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, vi } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { Folder, start } from '../cli/sluice.ts';
import { until } from '../server/kernels.ts';

/** When the memory is measured: records of 1 kB that are written since the first one was read. */
const looks = [50_000, 350_000];
/** The records between the two looks have 300 MB, and more as rows. */
const mostGrowth = 100;
const perSecond = { written: 10_000, read: 100 };
/** A sink has so many calls in flight. */
const pendingRows = 100;
/** A broker takes batches of 1 MB. */
const mostAtOnce = 800;

const firstWords = 'the first record has come';
const notebook = `import { kafka } from 'sluice';
// %% id=slow
let isFirst = true;
kafka('flood', { from: 'earliest', format: 'json' }).sink(async () => {
  if (isFirst) console.log('${firstWords}');
  isFirst = false;
  await new Promise((resolve) => setTimeout(resolve, ${(1000 * pendingRows) / perSecond.read}));
});
`;

test(
  'a consumer that is 100 times slower than its topic holds the memory flat',
  { skip: whyNoKafka() !== undefined },
  async (t) => {
    let isOver = false;
    const broker = await startBroker();
    const client = await independentClient(broker.brokers);
    vi.stubEnv('SLUICE_BROKERS', broker.brokers);
    t.onTestFinished(async () => {
      vi.unstubAllEnvs();
      isOver = true;
      await client.close();
      await broker.stop();
    });
    await client.createTopic('flood');
    let written = 0;
    const floodBegan = Date.now();
    const flood = (async () => {
      const value = { text: 'x'.repeat(1000) };
      while (!isOver) {
        const due = Math.floor(((Date.now() - floodBegan) / 1000) * perSecond.written);
        const count = Math.min(mostAtOnce, due - written);
        if (count > 0)
          await client.send(
            'flood',
            Array.from({ length: count }, () => ({ partition: 0, value })),
          );
        written += Math.max(0, count);
        await sleep(20);
      }
    })();
    // A failure is that of the test, at its end.
    flood.catch(() => undefined);
    const path = new Folder(t).write('slow.sluice.ts', notebook);
    const { child, ended } = start(['run', path, '--json']);
    let said = '';
    child.stderr.on('data', (text: string) => (said += text));
    await until(() => said.includes(firstWords), 'the first record');
    const begin = written;
    const megabytes: number[] = [];
    for (const records of looks) {
      await until(() => written >= begin + records, `${records} records more`, 400_000);
      megabytes.push(
        Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) / 1024),
      );
    }
    isOver = true;
    await flood;
    // The end of the topic is asked once a second.
    await sleep(5_000);
    const age = (Date.now() - floodBegan) / 1000;
    child.kill('SIGINT');
    const { lines, out, err } = await ended;
    const source = lines.at(-1)?.metrics?.operators.find(({ lag }) => lag !== undefined);
    assert.ok(source, out + err);
    const [{ records, seconds }] = source['lag'] as [{ records: number; seconds: number }];
    const read = Number(source['recordsOut']);
    process.stdout.write(
      `${written} records written, ${read} read, lag ${records} (${seconds} s), ` +
        `${megabytes.join(' and ')} MB resident after ${looks.join(' and ')} records\n`,
    );
    // On a busy machine the topic grows more slowly.
    assert.ok(read > 0 && written > 5 * read, 'the consumer is not slow enough');
    assert.ok(records > 0.8 * (written - read) && records <= written, `lag ${records}`);
    // The first records are as old as the flood, or a little younger.
    assert.ok(seconds > age / 4 && seconds <= (Date.now() - floodBegan) / 1000, `${seconds} s of ${age} s`);
    assert.ok(megabytes[1]! - megabytes[0]! < mostGrowth, `${megabytes.join(' and ')} MB`);
  },
);
