// A topic that is read from its end shows its first window as a part: its older records are not
// read. A topic without older records has a whole first window.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { type Broker, startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { type IndependentClient, independentClient } from '../../../engine/test/kafka/independent-client.ts';
import type { TablePart } from '../../protocol/displays.ts';
import { LiveSession } from '../session-live/live-session.ts';

const minute = 60_000;
const begin = Date.UTC(2024, 0, 1);
const record = (at: number) => ({ partition: 0, value: { at: begin + at } });
const notebook = (topic: string) => `import { count, kafka, tumbling } from 'sluice';
const orders = kafka<{ at: number }>('${topic}', { from: 'latest', timestamp: 'at', watermark: { outOfOrderness: '0ms' } });
orders.windowAll(tumbling('1m')).aggregate({ n: count() }).show();`;

describe('the first window of a topic', { skip: whyNoKafka() !== undefined }, () => {
  let broker: Broker;
  let client: IndependentClient;
  beforeAll(async () => {
    broker = await startBroker();
    client = await independentClient(broker.brokers);
    vi.stubEnv('SLUICE_BROKERS', broker.brokers);
  }, 300_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    await client.close();
    await broker.stop();
  });

  for (const [topic, older] of [
    ['older', 3],
    ['empty', 0],
  ] as const)
    test(`is ${older > 0 ? 'partial' : 'whole'} with ${older} older records`, { timeout: 300_000 }, async () => {
      await client.createTopic(topic);
      if (older > 0)
        await client.send(
          topic,
          Array.from({ length: older }, (_, n) => record(n)),
        );
      await using session = new LiveSession();
      session.edit('orders', notebook(topic));
      await session.ran('orders');
      const table = () => session.parts('orders').find((part): part is TablePart => part.kind === 'table');
      // The source is at its end once it says that it waits for records.
      await session.until(
        () => session.phase('orders'),
        (phase) => phase === 'waiting',
        'contact with the topic',
      );
      await client.send(topic, [record(30_000), record(50_000)]);
      const open = await session.until(
        () => table()?.open,
        (rows) => (rows?.length ?? 0) > 0,
        'the first window',
      );
      assert.equal(open![0]!.partial === true, older > 0);
      await client.send(topic, [record(minute), record(2 * minute)]);
      const rows = await session.until(
        () => table()!.rows,
        (seen) => seen.length === 2,
        'two closed windows',
      );
      assert.deepEqual(
        rows.map(({ partial }) => partial === true),
        [older > 0, false],
      );
    });
});
