// The topic of a sink: it is created when the user asked for it, and its settings are read.
import { SluiceError } from '../../errors/error.ts';
import { TryAgain } from './brokers.ts';
import type { Cluster } from './cluster.ts';
import { isRetriable, producerErrorName } from './produce-outcome.ts';
import { kafkaErrors } from './requests.ts';
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

const notAllowed: readonly number[] = [kafkaErrors.topicAuthorizationFailed, kafkaErrors.clusterAuthorizationFailed];
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
/** The settings of a topic that matter to a sink. */
export interface KnownSettings {
  /** By name. Empty: they are not known. */
  readonly values: ReadonlyMap<string, string>;
  /** The right DESCRIBE_CONFIGS is missing. */
  readonly isDenied: boolean;
}
export const unknownSettings: KnownSettings = { values: new Map(), isDenied: false };

/**
 * They are not known when this client may not read them, or gets no answer: a sink works without
 * them, and only does not warn of what the topic deletes.
 */
export async function topicSettings(cluster: Asked, topic: string): Promise<KnownSettings> {
  const [node] = cluster.nodes();
  if (node === undefined) return unknownSettings;
  try {
    const { error, settings } = await cluster.ask(node, describeSettings, { topic, names: settingNames });
    if (error === 0) return { values: settings, isDenied: false };
    return { ...unknownSettings, isDenied: error === kafkaErrors.topicAuthorizationFailed };
  } catch {
    return unknownSettings;
  }
}
