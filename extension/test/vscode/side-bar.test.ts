// The side bar on a secured broker and a registry with a password, in a real VS Code: a connection
// by the form, topics, schemas, peeks, and a cell with a chart. The passwords are nowhere but where
// they belong.
import assert from 'node:assert/strict';
import avsc from 'avsc';
import { afterAll, beforeAll, test } from 'vitest';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient, type IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import {
  startProxy,
  startRegistry,
  type RegistryProxy,
  type TestRegistry,
} from '../../../engine/test/kafka/registry.ts';
import { allow, startSecuredBroker, type SecuredBroker } from '../../../engine/test/kafka/secured-broker.ts';
import { violations } from '../renderer/axe.ts';
import { startEditor, whyNoEditor, type Editor } from './editor.ts';
import { until, type NotebookWindow } from './notebook-window.ts';
import { SideBar } from './side-bar.ts';

const skip = (whyNoEditor() ?? whyNoKafka()) !== undefined;
const registryPassword = 'schema-5ecret';
let broker: SecuredBroker;
let registry: TestRegistry;
let proxy: RegistryProxy;
let client: IndependentClient;
let editor: Editor;
let window: NotebookWindow;
let sideBar: SideBar;
beforeAll(async () => {
  if (skip) return;
  [broker, registry] = await Promise.all([startSecuredBroker(), startRegistry()]);
  proxy = await startProxy(registry.url, `ann:${registryPassword}`);
  client = await independentClient(broker.brokers);
  await client.createTopic('orders', 4);
  await client.createTopic('secret-salaries', 1);
  await sendOrders(0, 400);
  await sendPayments(20);
  await allow(client, 'ann', [
    { topic: 'orders', rights: ['READ', 'DESCRIBE'] },
    { topic: 'payments', rights: ['READ', 'DESCRIBE'] },
    { group: 'billing', rights: ['DESCRIBE'] },
  ]);
  for (const groupId of ['billing', 'payroll'])
    await client.admin.setOffsets({ groupId, topic: 'orders', partitions: [{ partition: 0, offset: '88' }] });
  editor = await startEditor();
  editor.write('work.sluice.ts', '// %% [markdown]\n// # Work\n\n// %% id=one\nconst one = 1;\nexport {};\n');
  window = await editor.open('work.sluice.ts', { height: 1_000 });
  sideBar = new SideBar(window);
});
afterAll(async () => {
  await editor?.close();
  await client?.close();
  await proxy?.goAway();
  await Promise.all([registry?.stop(), broker?.stop()]);
});

async function sendOrders(from: number, count: number): Promise<void> {
  await client.producer.send({
    topic: 'orders',
    messages: Array.from({ length: count }, (_, i) => {
      const n = from + i;
      const customer = ['ann', 'bob', 'zoe'][n % 3]!;
      const value = JSON.stringify({ id: `o-${n}`, customer, amount: n % 50, createdAt: new Date().toISOString() });
      return { key: customer, value, partition: n % 4, headers: { source: 'shop', trace: `t-${n}` } };
    }),
  });
}
const payment = avsc.Type.forSchema({
  type: 'record',
  name: 'Payment',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'cents', type: 'long' },
    { name: 'card', type: ['null', 'string'], default: null },
  ],
});
/** Avro, with the schema in the registry. */
async function sendPayments(count: number): Promise<void> {
  const id = await registry.register('payments-value', { schema: JSON.stringify(payment.schema()) });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  await client.createTopic('payments', 2);
  const messages = Array.from({ length: count }, (_, n) => {
    const value = payment.toBuffer({ id: `p-${n}`, cents: 100 * n, card: n % 2 === 0 ? null : 'visa' });
    return { key: `p-${n}`, value: Buffer.concat([head, value]), partition: n % 2 };
  });
  await client.producer.send({ topic: 'payments', messages });
}
const password = (): string => broker.passwords.ann;

test('without a connection the side bar says how to get one', { skip }, async () => {
  await sideBar.open();
  await sideBar.pane.getByText('No Kafka connection yet.').waitFor();
  await window.screenshot('side-bar-welcome');
});

test('the form asks for a secured connection, tests it, and stores the password apart', { skip }, async () => {
  await sideBar.pane.getByRole('button', { name: 'Add Connection' }).first().click();
  await sideBar.answer('prod');
  await sideBar.answer(broker.at.sasl);
  await window.screenshot('side-bar-form');
  await sideBar.pick('TLS with your own authority');
  await sideBar.answer(broker.files.ca);
  await sideBar.pick('User and password (SCRAM-SHA-512)');
  await sideBar.answer('ann');
  await sideBar.answer('not the password');
  await sideBar.answer(proxy.url);
  await sideBar.answer('ann');
  await sideBar.answer(registryPassword);
  const failed = await sideBar.notification(/prod: the step "login" failed/);
  assert.match(failed, /password|user/i);
  await window.screenshot('side-bar-wrong-password');
  await sideBar.row(/prod/).filter({ hasText: broker.at.sasl }).waitFor();

  await sideBar.clearNotifications();
  await sideBar.act(/prod/, 'Edit Connection');
  for (const same of ['prod', broker.at.sasl]) await sideBar.confirm(same);
  await sideBar.pick('TLS with your own authority');
  await sideBar.confirm(broker.files.ca);
  await sideBar.pick('User and password (SCRAM-SHA-512)');
  await sideBar.confirm('ann');
  await sideBar.answer(password());
  await sideBar.confirm(proxy.url);
  await sideBar.confirm('ann');
  // Empty: the present one is kept.
  await sideBar.answer('');
  await sideBar.notification(/prod: the connection works/);
  await sideBar.row(/prod/).filter({ hasText: 'SASL_SSL · ann' }).waitFor();
  await window.screenshot('side-bar-works');
  await sideBar.clearNotifications();
  const settings = JSON.parse(editor.settings) as Record<string, unknown>;
  assert.deepEqual(settings['sluice.connections'], {
    prod: {
      brokers: broker.at.sasl,
      tls: { ca: broker.files.ca },
      sasl: { mechanism: 'scram-sha-512', username: 'ann', password: { stored: true } },
      registry: { url: proxy.url, username: 'ann', password: { stored: true } },
    },
  });
});

test('a connection shows topics, partitions and groups that its user may see', { skip }, async () => {
  await sideBar.unfold(/^prod/);
  await sideBar
    .row(/^orders/)
    .filter({ hasText: '400 records' })
    .waitFor();
  assert.equal(await sideBar.row(/salaries/).count(), 0);
  await sideBar.unfold(/^orders/);
  await sideBar
    .row(/^orders/)
    .filter({ hasText: 'JSON' })
    .waitFor();
  await sideBar.row(/^0/).filter({ hasText: '0 … 100 · leader 1' }).waitFor();
  await sideBar.unfold(/^Groups/);
  await sideBar
    .row(/^billing/)
    .filter({ hasText: '12 behind · empty' })
    .waitFor();
  await sideBar.unfold(/^billing/);
  await sideBar
    .row(/^orders\[0\]/)
    .filter({ hasText: '12 behind · 88 of 100' })
    .waitFor();
  assert.equal(await sideBar.row(/payroll/).count(), 0);
  await sideBar.row(/others may be hidden \(no DESCRIBE\)/).waitFor();
  await window.screenshot('side-bar-tree');
});

test('the schemas of the registry are in the tree, and Open Schema shows the latest one', { skip }, async () => {
  await sideBar.fold(/^Groups/);
  await sideBar.unfold(/^Schemas/);
  await sideBar.act(/^payments-value/, 'Open Schema');
  await window.page.locator('.tab.active', { hasText: 'payments-value v1.json' }).waitFor();
  await window.page
    .locator('.editor-instance .view-line', { hasText: /"name":.+"Payment"/ })
    .first()
    .waitFor();
  await window.screenshot('side-bar-schema');
  await sideBar.fold(/^Schemas/);
  await sideBar.unfold(/^payments/);
  await sideBar
    .row(/^payments/)
    .filter({ hasText: '2 partitions · Avro (schema registry) · 20 records' })
    .waitFor();
  await sideBar.act(/^payments/, 'Peek');
  const rows = sideBar.peek.locator('tbody tr');
  await sideBar.peek.getByText(/Avro \(schema registry\) · 20 records · live/).waitFor();
  await rows.getByText('visa').first().waitFor();
  await window.screenshot('peek-avro');
  await sideBar.fold(/^payments/);
});

test('a peek shows records as they come, and one with its key, its headers and its bytes', { skip }, async () => {
  await sideBar.act(/^orders/, 'Peek');
  const peek = sideBar.peek;
  await peek.getByText('100 records · live').waitFor();
  await sendOrders(400, 1);
  await peek.locator('tbody tr').first().getByText('o-400').waitFor();
  await peek.locator('tbody tr').first().click();
  const details = peek.locator('.sl-peek-details');
  await details.getByText('t-400').waitFor();
  await details.getByText('orders[0]@100').waitFor();
  await details.locator('pre').filter({ hasText: '0000  7b 22 69 64 22 3a 22 6f' }).waitFor();
  await window.screenshot('peek-live');
  assert.deepEqual(await violations(peek.locator('main')), []);

  await peek.getByRole('button', { name: 'Pause' }).click();
  await peek.getByText('paused: continue to see more').waitFor();
  const paused = Date.now();
  await sendOrders(401, 3);
  await peek.getByRole('button', { name: 'Continue' }).click();
  await peek.locator('tbody tr').getByText('o-403').waitFor();

  await peek.getByLabel('Where to begin').selectOption('earliest');
  await peek.getByLabel(/^Filter/).fill('record.customer === "zoe" && meta.partition === 1');
  await peek.getByLabel(/^Filter/).press('Enter');
  await peek.getByText(/^JSON · 34 of 404 records match · at the end/).waitFor();
  await window.screenshot('peek-filter');
  await peek.getByLabel(/^Filter/).fill('record.customer ===');
  await peek.getByLabel(/^Filter/).press('Enter');
  await peek.getByText(/The filter is no TypeScript expression/).waitFor();
  assert.deepEqual(await violations(peek.locator('main')), []);
  await peek.getByLabel(/^Filter/).fill('');
  await peek.getByLabel('Where to begin').selectOption('offset');
  await peek.getByLabel('Offset', { exact: true }).fill('2:98');
  await peek.getByLabel('Offset', { exact: true }).press('Enter');
  await peek.getByText(/3 records · at the end/).waitFor();
  await window.screenshot('peek-offset');

  const place = peek.getByLabel('Time', { exact: true });
  await peek.getByLabel('Where to begin').selectOption('time');
  await place.fill('yesterday or so');
  await place.press('Enter');
  await peek.getByText('Give a time such as 2026-01-31 12:00, or 15 min ago.').waitFor();
  await place.fill(new Date(paused).toISOString());
  await place.press('Enter');
  await peek.getByText(/JSON · 3 records · at the end/).waitFor();
  await window.screenshot('peek-time');
  await place.fill('1 h ago');
  await place.press('Enter');
  await peek.getByText(/JSON · 404 records · at the end/).waitFor();
});

test('Type This Topic writes the type of its rows', { skip }, async () => {
  await sideBar.act(/^orders/, 'Type This Topic');
  await sideBar.notification(/Wrote the type of orders to .*topics\.d\.ts/);
  assert.match(editor.read('.sluice/topics.d.ts'), /amount: number/);
  await sideBar.clearNotifications();
});

test('Open as Cell writes the cell, and it runs over the secured connection into a chart', { skip }, async () => {
  await sideBar.act(/^orders/, 'Open as Cell');
  await until(
    'the cell',
    () => window.codeTexts(),
    (texts) => texts.length === 2,
  );
  assert.match(
    (await window.codeTexts())[1]!,
    /^import { kafka } from 'sluice';\nconst orders = kafka\('orders', { connection: 'prod' }\);\norders;/,
  );
  await window.runCell(1);
  await window.finished(1);
  await window.command('Notebook: Insert Code Cell Below');
  await window.writeAtEnd(2, "orders.chart({ x: 'createdAt', y: 'amount', color: 'customer' });");
  await window.runCell(2);
  await window.finished(2);
  await sendOrders(404, 60);
  const chart = await window.cellId(2);
  await until(
    'points in the chart',
    async () => {
      await sendOrders(500, 5);
      return (await window.chartRows(chart)).length;
    },
    (rows) => rows > 20,
  );
  // The type of the topic is that of the rows.
  await until(
    'no advice about types',
    () => window.notebook.locator('.squiggly-warning, .squiggly-error').count(),
    (marks) => marks === 0,
  );
  await window.screenshot('side-bar-chart');
});

test(
  'the password is in no setting, no log and no list of processes, and looking left no trace',
  { skip },
  async () => {
    const texts = [...editor.writtenTexts(), ...editor.processTexts()];
    assert.ok(texts.some((text) => text.includes(broker.at.sasl)));
    for (const secret of [password(), 'not the password', registryPassword])
      assert.equal(texts.filter((text) => text.includes(secret)).length, 0);
    const { groups } = await client.admin.listGroups();
    assert.deepEqual(groups.map(({ groupId }) => groupId).toSorted(), ['billing', 'payroll']);
    const topics = (await client.admin.listTopics()).filter((topic) => !topic.startsWith('__'));
    assert.deepEqual(topics.toSorted(), ['orders', 'payments', 'secret-salaries']);
  },
);

test('a connection is tested again, and removed after a question', { skip }, async () => {
  await sideBar.act(/^prod/, 'Test Connection');
  await sideBar.notification(/prod: the connection works/);
  await sideBar.clearNotifications();
  await sideBar.choose(/^prod/, 'Remove Connection');
  const dialog = window.page.locator('.monaco-dialog-box');
  await dialog.getByText('Remove the connection "prod"?').waitFor();
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await sideBar.pane.getByText('No Kafka connection yet.').waitFor();
  await until(
    'the settings',
    () => Promise.resolve(editor.settings),
    (settings) => !settings.includes(broker.at.sasl),
  );
});
