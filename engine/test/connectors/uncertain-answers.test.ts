// Answers that say nothing certain: something else at a broker's address in a later look, an error
// that this client does not know, settings that it may not read.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { BrokerUnreachable } from '../../connectors/kafka/broker-unreachable.ts';
import { type Brokers, TryAgain } from '../../connectors/kafka/brokers.ts';
import type { Leaders, TopicView } from '../../connectors/kafka/leaders.ts';
import type { ReadRequest } from '../../connectors/kafka/reader-messages.ts';
import { RetentionWatch } from '../../connectors/kafka/retention-watch.ts';
import { SplitFinder } from '../../connectors/kafka/split-finder.ts';
import { contact, Troubles } from '../../connectors/kafka/troubles.ts';
import { checkPositions } from '../../connectors/kafka/truncation.ts';

const notKafka = new BrokerUnreachable('b:1', 'not-kafka', "b:1 does not speak Kafka's protocol.");
const about = { error: 0, topic: 't', id: undefined, internal: false, partitions: [] };

/** A finder whose looks at the topic give these answers, one after the other. */
function finder(hasLooked: boolean, answers: (Error | TopicView)[]) {
  const told: string[] = [];
  const troubles = new Troubles((all) => void told.push(all.map(({ reason }) => reason).join()));
  const request: ReadRequest = {
    ...{ connection: { brokers: ['b:1'], setIn: 'SLUICE_BROKERS' }, topic: 't', discoveryMillis: 1 },
    ...{ from: 'earliest', until: 'latest', known: [], unresolved: [], hasLooked },
  };
  const look = async (): Promise<ReadonlyMap<string, TopicView>> => {
    const answer = await Promise.resolve(answers.shift()!);
    if (answer instanceof Error) throw answer;
    return new Map([['t', answer]]);
  };
  const events = { onFound: () => {}, onGone: () => {}, onSplitFailure: () => {} };
  const leaders: Pick<Leaders, 'look'> = { look };
  return { told, found: new SplitFinder(request, {} as Brokers, leaders as Leaders, troubles, events) };
}

test('an address that does not speak Kafka is final at the start, and tried again in a later look', async () => {
  await assert.rejects(finder(false, [notKafka]).found.run(), { code: 'kafka-unreachable' });
  const later = finder(true, [notKafka, notKafka, { kind: 'there', about }]);
  await later.found.run();
  assert.match(later.told[0]!, /Kafka cannot be reached: b:1 does not speak Kafka's protocol/);
  assert.equal(later.told.at(-1), '', `${contact} is over`);
});

test('a pattern without a topic is looked for again soon, and so is a topic that is being made', async () => {
  const waits: TopicView = { kind: 'wait', reason: 'no leader' };
  const answers = [[], [], [waits], [waits]];
  const request: ReadRequest = {
    ...{ connection: { brokers: ['b:1'], setIn: 'SLUICE_BROKERS' }, topic: '/^t/', discoveryMillis: 2 ** 30 },
    ...{ pattern: { source: '^t', flags: '' }, from: 'earliest', known: [], unresolved: [], hasLooked: false },
  };
  const matching = (): Promise<ReadonlyMap<string, TopicView>> => {
    const views = answers.shift()!;
    if (answers.length === 0) finder.close();
    return Promise.resolve(new Map(views.map((view) => ['t', view])));
  };
  const events = { onFound: () => {}, onGone: () => {}, onSplitFailure: () => {} };
  const leaders: Pick<Leaders, 'matching'> = { matching };
  const finder = new SplitFinder(request, {} as Brokers, leaders as Leaders, new Troubles(() => {}), events);
  await finder.run();
  assert.equal(answers.length, 0);
});

test('an unknown error about the end of an epoch is asked again: nobody knows whether something is lost', async () => {
  const position = { topic: 't', partition: 0, offset: 10, epoch: 1, leader: { node: 1, epoch: 2 } };
  const answering = (error: number): Brokers =>
    ({ ask: () => Promise.resolve([{ partition: 0, error, epoch: 1, endOffset: 10 }]) }) as unknown as Brokers;
  for (const error of [-1, 35, 56]) {
    const [problem] = (await checkPositions(answering(error), 1, [position])).values();
    assert.ok(problem instanceof TryAgain, String(error));
    assert.match(problem.message, /^t\[0\] answers /);
  }
  assert.equal((await checkPositions(answering(0), 1, [position])).size, 0);
});

test('a sink that may not read the retention says which right is missing, if a row is not of the present', () => {
  const now = 1_700_000_000_000;
  const denied = { values: new Map<string, string>(), isDenied: true };
  const watch = new RetentionWatch('t', denied);
  watch.look(now - 1000, now);
  assert.equal(watch.readNote(), undefined);
  assert.equal(watch.warningOf(now - 1000, now), undefined);
  watch.look(now - 3_600_000, now);
  assert.match(watch.readNote()!, /^topic "t" may delete old rows .* the right DESCRIBE_CONFIGS on it is missing$/);
  assert.equal(watch.warningOf(now - 3_600_000, now), watch.readNote());
  assert.equal(watch.isOld(0, now), false, 'no row waits');
  const unanswered = new RetentionWatch('t', { ...denied, isDenied: false });
  unanswered.look(0, now);
  assert.equal(unanswered.readNote(), undefined);
});
