// A sink is edited while its broker is away. Its rows wait for the broker, behind the edit: none is
// lost, and none is there twice. Only a user who deletes the cell gives them up, and their number
// is said.
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'vitest';
import { type OwnBroker, startOwnBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { committedRecords } from '../../../engine/test/kafka/java-records.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { LiveSession } from '../session-live/live-session.ts';

let broker: OwnBroker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
/** It cannot be read again, so an edit of its reader hands the state over. */
const sourceOf = (path: string): string => `import { from } from 'sluice';
import { readFileSync } from 'node:fs';
async function* lines() {
  for (let at = 0; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const known = readFileSync(${JSON.stringify(path)}, 'utf8').split('\\n').slice(0, -1);
    while (at < known.length) yield JSON.parse(known[at++]!) as { n: number };
  }
}
const rows = from(lines());
rows;`;
const to = (topic: string, more = ''): string => `rows.to('${topic}', { delivery: 'exactly-once'${more} });`;
const atLeastOnce = (topic: string, more = ''): string => `rows.to('${topic}', { key: 'n'${more} });`;

/** A sink with rows that a checkpoint has, and rows of after it; its broker is away. */
class Outage implements AsyncDisposable {
  readonly warnings: string[] = [];
  readonly session: LiveSession;
  readonly topic: string;
  rows = 0;
  /** So many of them are in a checkpoint. */
  finished = 0;
  #isAway = false;

  readonly #to: typeof to;

  constructor(topic: string, text = to) {
    this.topic = topic;
    this.#to = text;
    const observer = { warned: (text: string) => void this.warnings.push(text) };
    this.session = new LiveSession({ files: { 'rows.jsonl': '' }, graceMillis: 1, observer });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.comeBack();
    await this.session[Symbol.asyncDispose]();
  }
  async begin(): Promise<void> {
    const { session, topic } = this;
    for (const name of [topic, `${topic}-2`]) await client.createTopic(name, 1);
    session.edit('in', sourceOf(join(session.folder, 'rows.jsonl')));
    session.edit('out', this.#to(topic));
    await session.ran('in', 'out');
    session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
    this.append(10);
    await session.until(
      () => this.out?.sink,
      (sink) => (this.#to === to ? sink?.committed : sink?.written) === 10,
      'the first rows to be committed',
    );
    this.append(10);
    await session.until(
      () => this.out?.sink?.written,
      (written) => written === this.rows,
      'the next rows to be written',
    );
    await broker.kill();
    this.#isAway = true;
    // Their transaction is finished. Its commit waits, unless it was made before.
    if (this.#to === to)
      await session.until(
        () => this.out,
        (cell) => cell?.trouble !== undefined || cell?.sink?.committed === this.rows,
        'the commit, or its wait',
      );
    this.finished = this.rows;
    this.append(5);
    await this.isRead();
  }
  get out() {
    return this.session.state('out');
  }
  append(count: number): void {
    const lines = upTo(this.rows, (this.rows += count)).map((n) => `{"n":${n}}\n`);
    appendFileSync(join(this.session.folder, 'rows.jsonl'), lines.join(''));
  }
  async isRead(): Promise<void> {
    await this.session.until(
      () => this.session.state('in')?.rows,
      (read) => read === this.rows,
      'rows that cannot be written',
    );
  }
  async edits(out: string): Promise<void> {
    this.session.edit('out', out);
    await this.session.ran('out');
  }
  async waits(): Promise<void> {
    await this.session.until(
      () => this.out,
      (cell) =>
        cell?.notes.some((note) => /has still to write \d+ rows?, and no checkpoint is complete/.test(note)) === true &&
        cell.trouble?.includes(broker.brokers) === true,
      'the cell to say what the edit waits for',
    );
  }
  /**
   * The rows of before the edit are written, and all that the present sink has taken is committed.
   */
  async isOver(rowsOfPresentSink: number): Promise<void> {
    await this.session.until(
      () => this.out,
      (cell) =>
        cell?.notes.every((note) => !note.includes('has still to write')) === true &&
        cell.trouble === undefined &&
        (rowsOfPresentSink === 0 ||
          (cell.sink?.written === rowsOfPresentSink && cell.sink.uncommittedSince === undefined)),
      'the end of the wait',
      180_000,
    );
  }
  async comeBack(): Promise<void> {
    if (this.#isAway) await broker.start();
    this.#isAway = false;
  }
  /** The numbers in the topic. A record behind them is seen too, so nothing is open. */
  async in(topic: string, expected: number): Promise<number[]> {
    const records = await committedRecords(client, broker.brokers, topic, expected);
    return records.map(({ value }) => (JSON.parse(value) as { n: number }).n);
  }
}

/** The former sink writes its rows to its topic, and the next one those of after the edit. */
async function getsAnotherTopic(name: string, text = to): Promise<void> {
  await using outage = new Outage(name, text);
  const { session, topic } = outage;
  await outage.begin();
  const before = outage.rows;
  await outage.edits(text(`${topic}-2`));
  session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
  await session.until(
    () => outage.out?.sink?.armed,
    (armed) => armed === true,
    'the second sink to be armed',
  );
  await outage.waits();
  outage.append(5);
  await outage.isRead();
  await outage.comeBack();
  await outage.isOver(5);
  assert.deepEqual(await outage.in(topic, before), upTo(0, before));
  assert.deepEqual(await outage.in(`${topic}-2`, 5), upTo(before, before + 5));
  assert.deepEqual(outage.out?.errors, []);
}

describe.skipIf(whyNoKafka() !== undefined)('an exactly-once sink, in an outage,', () => {
  test('is run again with other options, twice: each row is there once, and other cells run', async () => {
    await using outage = new Outage('options');
    const { session, topic } = outage;
    await outage.begin();
    await outage.edits(to(topic, `, linger: '7ms'`));
    outage.append(5);
    await outage.isRead();
    await outage.edits(to(topic, `, linger: '8ms'`));
    const before = outage.rows;
    await outage.waits();
    outage.append(5);
    await outage.isRead();
    session.edit('other', 'rows.show();');
    await session.ran('other');
    outage.append(5);
    await session.until(
      () => session.state('other')?.rows,
      (rows) => rows === outage.rows,
      'the rows of another cell',
    );
    await outage.comeBack();
    await outage.isOver(outage.rows - before);
    assert.deepEqual(await outage.in(topic, outage.rows), upTo(0, outage.rows));
    assert.deepEqual(outage.out?.errors, []);
  });

  test('is replaced by one to another topic: the rows of before are in the first one', () =>
    getsAnotherTopic('topics'));

  test('is disarmed: what it had taken is written', async () => {
    await using outage = new Outage('disarmed');
    await outage.begin();
    const before = outage.rows;
    outage.session.control.dispatch({ kind: 'arm', cell: 'out', armed: false });
    await outage.waits();
    outage.append(5);
    await outage.isRead();
    await outage.comeBack();
    await outage.isOver(0);
    assert.deepEqual(await outage.in(outage.topic, before), upTo(0, before));
  });

  test('is edited, and a savepoint says that it waits for its rows: one is given up, and the next one comes', async () => {
    await using outage = new Outage('savepoint');
    const { control, folder } = outage.session;
    await outage.begin();
    await outage.edits(to(outage.topic, `, linger: '7ms'`));
    await outage.waits();
    const givenUp = control.savepoint(folder, 'a client');
    const refused = assert.rejects(givenUp, { code: 'savepoint-given-up' });
    const next = control.savepoint(folder, 'another one');
    await outage.session.until(
      () => control.view().savepoint,
      (text = '') =>
        /^the savepoint waits since .+ cell "out", which has still to write \d+ rows?: /.test(text) &&
        text.includes(broker.brokers),
      'the savepoint to say what it waits for',
    );
    control.giveUpSavepoints('a client');
    await refused;
    await outage.comeBack();
    const { path } = await next;
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('savepoint')),
      [basename(path)],
    );
  });

  test('is edited and then deleted: what no checkpoint has is given up and counted', async () => {
    await using outage = new Outage('deleted');
    const { session, topic, warnings } = outage;
    await outage.begin();
    await outage.edits(to(topic, `, linger: '7ms'`));
    await outage.waits();
    session.delete('out');
    await session.until(
      () => warnings.join(),
      (text) => /At least 5 of its rows were not written/.test(text),
      'the number of rows that are given up',
    );
    await outage.comeBack();
    assert.deepEqual(await outage.in(topic, outage.finished), upTo(0, outage.finished));
  });
});

describe.skipIf(whyNoKafka() !== undefined)('an at-least-once sink, in an outage,', () => {
  test('is run again with other options, twice: each row is there, in order', async () => {
    await using outage = new Outage('least', atLeastOnce);
    const { topic } = outage;
    await outage.begin();
    await outage.edits(atLeastOnce(topic, `, linger: '7ms'`));
    outage.append(5);
    await outage.isRead();
    await outage.edits(atLeastOnce(topic, `, linger: '8ms'`));
    const before = outage.rows;
    await outage.waits();
    outage.append(5);
    await outage.isRead();
    await outage.comeBack();
    await outage.isOver(outage.rows - before);
    assert.deepEqual(await outage.in(topic, outage.rows), upTo(0, outage.rows));
    assert.deepEqual(outage.out?.errors, []);
  });

  test('is replaced by one to another topic: the rows of before are in the first one', () =>
    getsAnotherTopic('least-topics', atLeastOnce));

  test('is edited and then deleted: its rows are given up and counted', async () => {
    await using outage = new Outage('least-deleted', atLeastOnce);
    const { session, topic, warnings } = outage;
    await outage.begin();
    await outage.edits(atLeastOnce(topic, `, linger: '7ms'`));
    await outage.waits();
    session.delete('out');
    await session.until(
      () => warnings.join(),
      (text) => /At least 5 of its rows were not written/.test(text),
      'the number of rows that are given up',
    );
  });
});
