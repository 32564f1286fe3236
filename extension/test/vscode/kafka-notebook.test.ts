// Sample 02 in a real VS Code on a real broker, cell by cell: records, a chart, a sink that writes
// nothing before it is armed, and no trace.
import assert from 'node:assert/strict';
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { startBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import { independentClient, type IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';
import { SideBar } from './side-bar.ts';

const skip = (whyNoEditor() ?? whyNoKafka()) !== undefined;
const minute = 60_000;
/** Charts keep the last hour of event time. */
const begin = Math.floor(Date.now() / minute) * minute - 30 * minute;
const minutes = 5;

/**
 * Forty orders a minute over four partitions. Then one far ahead in each, so that all minutes
 * close, and one that cannot be decoded.
 */
const orders = [
  ...Array.from({ length: minutes * 40 }, (_, n) => ({
    partition: n % 4,
    value: {
      id: `o-${n}`,
      country: n % 3 === 0 ? 'DE' : 'CH',
      amount: 10,
      createdAt: new Date(begin + n * 1500).toISOString(),
    },
  })),
  ...Array.from({ length: 4 }, (_, partition) => ({
    partition,
    value: {
      id: `end-${partition}`,
      country: 'CH',
      amount: 0,
      createdAt: new Date(begin + (minutes + 5) * minute).toISOString(),
    },
  })),
  { partition: 2, value: 'not JSON' },
];

let broker: Broker;
let client: IndependentClient;
let editor: Editor;
let window: NotebookWindow;
beforeAll(async () => {
  if (skip) return;
  broker = await startBroker();
  client = await independentClient(broker.brokers);
  await client.createTopic('orders', 4);
  await client.createTopic('order-totals', 1);
  await client.send('orders', orders);
  editor = await startEditor({ settings: { 'sluice.brokers': broker.brokers } });
  cpSync(join(import.meta.dirname, '../../../samples'), editor.folder, { recursive: true });
  window = await editor.open('02-kafka.sluice.ts', { height: 3_000 });
});
afterAll(async () => {
  await editor?.close();
  await client?.close();
  await broker?.stop();
});

test('the first cell shows records of the topic, with partition and offset', { skip }, async () => {
  await window.runCell(0);
  await window.finished(0);
  const table = window.view('orders');
  await table.waitFor();
  await until(
    'records under the first cell',
    () => table.innerText(),
    (text) => /\d:\d+/.test(text) && text.includes('CH'),
  );
});

test('a window over the topic becomes a chart with the totals of every minute', { skip }, async () => {
  await window.runCell(1);
  await window.finished(1);
  const rows = await until(
    'totals by country and minute',
    () => window.chartRows('totals'),
    (seen) => seen.length >= minutes * 2,
  );
  const ofMinutes = rows.filter((row) => Number(row['windowStart']) < begin + minutes * minute);
  assert.equal(ofMinutes.length, minutes * 2);
  assert.equal(
    ofMinutes.reduce((sum, row) => sum + Number(row['orders']), 0),
    minutes * 40,
  );
});

test(
  'a sink writes nothing before it is armed, and what cannot be read is shown with its offset',
  { skip },
  async () => {
    await window.runCell(2);
    await window.finished(2);
    await window.runCell(3);
    await window.finished(3);
    await until(
      'the record that is not JSON',
      () => window.view('errors').innerText(),
      (text) => text.includes('not JSON'),
    );
    const [offsets] = await client.admin.fetchTopicOffsets('order-totals');
    assert.equal(offsets?.high, '0');
    await window.screenshot('kafka-notebook');
  },
);

test('looking has left no trace: no group, no topic', { skip }, async () => {
  const { groups } = await client.admin.listGroups();
  assert.deepEqual(groups, []);
  const topics = (await client.admin.listTopics()).filter((topic) => !topic.startsWith('__'));
  assert.deepEqual(topics.toSorted(), ['order-totals', 'orders']);
  assert.equal(await window.isDirty(), false);
});

test('armed from the cell, after a question, the sink writes', { skip }, async () => {
  const written = async (): Promise<number> =>
    (await client.admin.fetchTopicOffsets('order-totals')).reduce((sum, { high }) => sum + Number(high), 0);
  await window.status(2).getByText('Arm', { exact: true }).click();
  await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Arm', exact: true }).click();
  await until(
    'the sink is armed',
    () => window.statusText(2),
    (status) => /Armed · Disarm/.test(status),
  );
  const at = (minutes + 20) * minute;
  await client.send(
    'orders',
    Array.from({ length: 4 }, (_, partition) => ({
      partition,
      value: { id: `more-${partition}`, country: 'DE', amount: 1, createdAt: new Date(begin + at).toISOString() },
    })),
  );
  await until('rows in the topic', written, (n) => n > 0);
  await until(
    'the last acknowledgement',
    () => window.statusText(2),
    (status) => /[1-9]\d* rows? written to topic order-totals · last acknowledged \d/.test(status),
  );
  await window.screenshot('kafka-armed');
  await window.status(2).getByText('Armed · Disarm', { exact: true }).click();
  await until(
    'the sink is a preview again',
    () => window.statusText(2),
    (status) => /\bArm\b/.test(status) && /nothing is written to topic order-totals/.test(status),
  );
});

test('a topic gets a type, and its fields and the names of topics complete', { skip }, async () => {
  const text = `// %% id=typed
import { kafka } from 'sluice';
const found = kafka('orders');

// %% id=next
export {};
`;
  editor.write('typed.sluice.ts', text);
  const typed = await editor.open('typed.sluice.ts', { height: 1_000 });
  const suggested = (name: string) =>
    typed.page.locator('.suggest-widget .monaco-list-row', { hasText: name }).first().waitFor();
  await typed.writeAtEnd(0, '\n');
  await typed.command('Sluice: Type This Topic');
  const written = await until(
    'the file with the type',
    () =>
      Promise.resolve(existsSync(join(editor.folder, '.sluice/topics.d.ts')) ? editor.read('.sluice/topics.d.ts') : ''),
    (content) => content.includes('orders'),
  );
  assert.match(
    written,
    /country: string;\n\s+amount: number;\n\s+\/\*\* A date and time in ISO 8601. \*\/\n\s+createdAt: string;/,
  );
  await typed.writeAtEnd(1, '\nfound.map((record) => record.');
  await suggested('createdAt');
  await typed.screenshot('kafka-typed-topic');
  await typed.page.keyboard.press('Escape');
  await typed.writeAtEnd(0, "kafka('order");
  await suggested('order-totals');
  const names = await typed.page.locator('.suggest-widget .monaco-list-row .label-name').allInnerTexts();
  assert.deepEqual(names.toSorted(), ['order-totals', 'orders'], 'a typed topic is there once');
  await typed.screenshot('kafka-topic-names');
});

test(
  'the topics of a connection are filtered, refreshed and named, and all of them can be shown',
  { skip },
  async () => {
    const sideBar = new SideBar(window);
    const filterBy = async (text: string): Promise<void> => {
      await sideBar.act(/^default/, 'Filter Topics');
      const input = window.page.locator('.quick-input-widget input').first();
      await input.waitFor();
      await input.fill(text);
      await input.press('Enter');
    };
    await sideBar.open();
    await sideBar.unfold(/^default/);
    await sideBar.row(/^orders/).waitFor();
    await filterBy('totals');
    await sideBar.row(/^default.*topics with "totals"/).waitFor();
    await sideBar.row(/^orders/).waitFor({ state: 'detached' });
    await sideBar.choose(/^order-totals/, 'Copy Name');
    await sideBar.act(/^default/, 'Filter Topics');
    await window.page.locator('.quick-input-widget input').first().press('Control+A');
    await window.page.keyboard.press('Control+V');
    await window.page.keyboard.press('Enter');
    await sideBar.row(/^default.*topics with "order-totals"/).waitFor();
    await filterBy('');

    // A group makes the topic of Kafka's own offsets.
    await client.admin.setOffsets({ groupId: 'billing', topic: 'orders', partitions: [{ partition: 0, offset: '1' }] });
    await sideBar.chooseOfView('Connections', 'Show Internal Topics');
    await sideBar.row(/^__consumer_offsets/).waitFor();
    await sideBar.chooseOfView('Connections', 'Hide Internal Topics');
    await sideBar.row(/^__consumer_offsets/).waitFor({ state: 'detached' });

    const topics = Array.from({ length: 101 }, (_, n) => ({ topic: `many-${String(n)}`, numPartitions: 1 }));
    await client.admin.createTopics({ topics, waitForLeaders: false });
    await sideBar.actOfView('Connections', 'Refresh Connections');
    // Two topics of before are among those that are not shown. Rows below the fold are not drawn.
    const rest = sideBar.row(/^3 more/);
    await until(
      'the item for the rest',
      async () => {
        await sideBar
          .row(/^many-/)
          .last()
          .hover();
        await window.page.mouse.wheel(0, 100_000);
        return rest.count();
      },
      (n) => n === 1,
    );
    await rest.click();
    await rest.waitFor({ state: 'detached' });
    await filterBy('orders');
    await sideBar.row(/^orders/).waitFor();
    await window.screenshot('kafka-side-bar');
  },
);
