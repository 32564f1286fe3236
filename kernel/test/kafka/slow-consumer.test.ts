// `sluice run` reads a topic that grows a hundred times faster than its sink takes records. The
// memory of the process stays flat, and its metrics have the lag.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { inCI } from '../../../.ci/in-ci.ts';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { Folder, start } from '../cli/sluice.ts';

/** When the memory is measured, in seconds after the start. */
const looks = inCI ? [8, 16] : [10, 50];
const perSecond = { written: 10_000, read: 100 };
/** A sink has so many calls in flight. */
const pendingRows = 100;
/** A broker takes batches of 1 MB. */
const mostAtOnce = 800;

const notebook = `import { kafka } from 'sluice';
// %% id=slow
kafka('flood', { from: 'earliest', format: 'json' }).sink(async () => {
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
    const former = process.env['SLUICE_BROKERS'];
    process.env['SLUICE_BROKERS'] = broker.brokers;
    t.onTestFinished(async () => {
      if (former === undefined) delete process.env['SLUICE_BROKERS'];
      else process.env['SLUICE_BROKERS'] = former;
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
    const { child, ended } = start(['run', path, '--json', '--for', `${looks[1]! + 2}s`]);
    const begin = Date.now();
    const megabytes: number[] = [];
    for (const seconds of looks) {
      await sleep(begin + seconds * 1000 - Date.now());
      megabytes.push(
        Math.round(Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) / 1024),
      );
    }
    const { lines, out, err } = await ended;
    isOver = true;
    await flood;
    const source = lines.at(-1)?.metrics?.operators.find(({ lag }) => lag !== undefined);
    assert.ok(source, out + err);
    const [{ records, seconds }] = source['lag'] as [{ records: number; seconds: number }];
    const read = Number(source['recordsOut']);
    process.stdout.write(
      `${written} records written, ${read} read, lag ${records} (${seconds} s), ` +
        `${megabytes.join(' and ')} MB resident after ${looks.join(' and ')} s\n`,
    );
    assert.ok(read > 0 && written > 50 * read, 'the consumer is not slow enough');
    // The end of the topic is asked once a second.
    assert.ok(records > 0.8 * (written - read) - 3 * perSecond.written && records <= written, `lag ${records}`);
    // The first records are as old as the flood, or a little younger.
    const age = (Date.now() - floodBegan) / 1000;
    assert.ok(seconds > looks[1]! / 2 && seconds <= age, `${seconds} s of ${age} s`);
    assert.ok(Math.abs(megabytes[1]! / megabytes[0]! - 1) <= 0.2, `${megabytes.join(' and ')} MB`);
  },
);
