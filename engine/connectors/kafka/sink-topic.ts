// The topic of a sink: it is created when the user asked for it, and its settings are read.
import { SluiceError } from '../../errors/error.ts';
import { TryAgain } from './brokers.ts';
import type { Cluster } from './cluster.ts';
import { isRetriable, producerErrorName } from './produce-outcome.ts';
import { createTopic, describeSettings } from './sink-requests.ts';

export interface TopicToCreate {
  /** Absent: the broker's default. */
  readonly partitions?: number;
  /** Absent: the broker's default. */
  readonly replication?: number;
  readonly config?: Readonly<Record<string, string>>;
}
type Asked = Pick<Cluster, 'ask' | 'nodes' | 'description'>;

const createMillis = 30_000;
const alreadyExists = 36;
const notController = 41;

/** A broker with ZooKeeper creates topics only if it is the controller, so each is asked. */
export async function createMissingTopic(cluster: Asked, topic: string, create: TopicToCreate): Promise<void> {
  const { partitions = -1, replication = -1, config = {} } = create;
  const question = { topic, partitions, replication, config: Object.entries(config), timeoutMillis: createMillis };
  for (const node of cluster.nodes()) {
    const { error, message } = await cluster.ask(node, createTopic, question, createMillis);
    if (error === 0 || error === alreadyExists) return;
    if (error === notController) continue;
    const name = producerErrorName(error);
    if (isRetriable(error)) throw new TryAgain(`broker ${node} answers ${name} to the creation of "${topic}"`);
    throw notCreated(topic, cluster.description, error, message ?? name);
  }
  throw new TryAgain(`${cluster.description} has no controller at present, which creates topics`);
}

const notAllowed: readonly number[] = [29, 31];
function notCreated(topic: string, cluster: string, error: number, message: string): SluiceError {
  const why = notAllowed.includes(error)
    ? 'it is not allowed. Ask for the right CREATE on the topic, or create it with another tool'
    : message.replace(/\.$/, '');
  return new SluiceError('kafka-not-created', `Topic "${topic}" cannot be created on ${cluster}: ${why}.`, {
    topic,
    error,
  });
}

const settingNames = ['retention.ms', 'cleanup.policy', 'message.timestamp.type'];
/**
 * The settings by name. It is empty when this client may not read them, or gets no answer: a sink
 * works without them, and only does not warn.
 */
export async function topicSettings(cluster: Asked, topic: string): Promise<ReadonlyMap<string, string>> {
  const [node] = cluster.nodes();
  if (node === undefined) return new Map();
  try {
    const { error, settings } = await cluster.ask(node, describeSettings, { topic, names: settingNames });
    return error === 0 ? settings : new Map<string, string>();
  } catch {
    return new Map();
  }
}
