// A bounded job of `sluice run` commits the offsets of its end to the group that its source names.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { Folder, sluice } from '../cli/sluice.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

test('with a folder for its state, and without one', { skip }, async (t) => {
  const topic = `grouped-${process.pid}`;
  await client.createTopic(topic, 2);
  for (const [partition, length] of [30, 12].entries())
    await client.send(
      topic,
      Array.from({ length }, (_, n) => ({ partition, value: { n } })),
    );
  const folder = new Folder(t);
  for (const name of ['stored', 'unstored']) {
    const group = `${topic}-${name}`;
    const notebook = folder.write(
      `${name}.sluice.ts`,
      `// %% id=rows\nimport { kafka } from 'sluice';\nconst rows = kafka('${topic}', { from: 'earliest', until: 'latest', group: '${group}' });\nrows;\nexport {};\n`,
    );
    const state = name === 'stored' ? ['--state', folder.write(`${name}-state`, '').replace(/$/, '.d')] : [];
    const { code, err } = await sluice('run', notebook, '--json', ...state);
    assert.equal(code, 0, err);
    assert.deepEqual(await offsetsOf(group, topic), ['30', '12'], err);
  }
});

async function offsetsOf(groupId: string, topic: string): Promise<string[]> {
  for (;;) {
    try {
      const [found] = await client.admin.fetchOffsets({ groupId, topics: [topic] });
      return found!.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => offset);
    } catch (error) {
      if (!/coordinator/i.test(String(error))) throw error;
      await sleep(100);
    }
  }
}
