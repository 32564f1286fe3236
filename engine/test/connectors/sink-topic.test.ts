// The creation of a sink's topic: which broker is asked, and which answers are errors.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Cluster } from '../../connectors/kafka/cluster.ts';
import { createMissingTopic, topicSettings } from '../../connectors/kafka/sink-topic.ts';

const notController = 41;
/** A cluster whose nodes give these errors to a creation. */
function clusterOf(errors: Readonly<Record<number, number>>) {
  const asked: number[] = [];
  const ask = (node: number) => {
    asked.push(node);
    return Promise.resolve({ error: errors[node], message: 'The broker says so.', settings: new Map([['a', 'b']]) });
  };
  const cluster = { ask, nodes: () => Object.keys(errors).map(Number), description: 'b:9092' };
  return { cluster: cluster as Pick<Cluster, 'description' | 'nodes'> as Cluster, asked };
}

test('a broker that is not the controller leaves the creation to the next one', async () => {
  const { cluster, asked } = clusterOf({ 1: notController, 2: 0, 3: 0 });
  await createMissingTopic(cluster, 't', {});
  assert.deepEqual(asked, [1, 2]);
});

test('without a controller the creation is tried again', async () => {
  await assert.rejects(
    createMissingTopic(clusterOf({ 1: notController }).cluster, 't', {}),
    /no controller at present/,
  );
});

test('a topic that another sink has just created is there', async () => {
  const alreadyExists = 36;
  await createMissingTopic(clusterOf({ 1: alreadyExists }).cluster, 't', {});
});

test('a creation that is not allowed, or that the broker refuses, is an error with the way out', async () => {
  const [topicNotAllowed, policyViolation] = [29, 44];
  await assert.rejects(createMissingTopic(clusterOf({ 1: topicNotAllowed }).cluster, 't', {}), {
    code: 'kafka-not-created',
    message:
      'Topic "t" cannot be created on b:9092: it is not allowed. Ask for the right CREATE on the topic, or create it with another tool.',
  });
  await assert.rejects(createMissingTopic(clusterOf({ 1: policyViolation }).cluster, 't', {}), {
    code: 'kafka-not-created',
    message: 'Topic "t" cannot be created on b:9092: The broker says so.',
  });
});

test('settings that this client may not read are unknown and known to be denied, and no error', async () => {
  const settings = async (error: number) => {
    const { values, isDenied } = await topicSettings(clusterOf({ 1: error }).cluster, 't');
    return [[...values], isDenied];
  };
  assert.deepEqual(await settings(29), [[], true]);
  assert.deepEqual(await settings(7), [[], false]);
  assert.deepEqual(await settings(0), [[['a', 'b']], false]);
});
