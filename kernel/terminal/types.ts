// `sluice types`: writes the types of topics, so that editors complete their fields and
// `sluice check` uses them. A topic that fails loses nothing: its former type stays in the file.
import { relative, resolve } from 'node:path';
import { SluiceError } from '../../engine/errors/error.ts';
import { listTopics } from '../../engine/connectors/kafka/topic-look.ts';
import { type TopicNames, typeOfTopic, type TopicType } from '../topics/topic-type.ts';
import { topicsIn, writeTopics } from '../topics/topics-file.ts';
import { CommandError } from './command-error.ts';
import { lineText } from './terminal-text.ts';

export interface TypesOptions extends TopicNames {
  readonly out: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream;
  /** The file; absent: .sluice/topics.d.ts in the current folder. */
  readonly file?: string | undefined;
  /** All topics of the cluster, except Kafka's own. */
  readonly all: boolean;
  /** Only prints the names of the topics. */
  readonly list: boolean;
}

/** Every other topic would fail alike. */
const forAll = new Set(['kafka-no-connection', 'kafka-bad-connection', 'kafka-unreachable']);

/** Without topics, those that the file has. Returns the exit code: 1 if a topic failed. */
export async function types(topics: readonly string[], options: TypesOptions): Promise<number> {
  const { connection, registry, out, errors, all, list } = options;
  const file = resolve(options.file ?? '.sluice/topics.d.ts');
  if (list || all) {
    const found = (await listTopics(connection)).filter(({ isInternal }) => !isInternal).map(({ topic }) => topic);
    if (list) {
      for (const topic of found) out.write(`${lineText(topic)}\n`);
      return 0;
    }
    topics = [...new Set([...topics, ...found])];
  }
  const wanted = topics.length > 0 ? [...new Set(topics)] : topicsIn(file);
  if (wanted.length === 0)
    throw new CommandError('no-topic', `${shown(file)} has no topics yet. Name topics to type, or give --all.`);
  // Before the cluster is asked: a file that cannot be changed is an error at once.
  topicsIn(file);
  const found = new Map<string, TopicType>();
  for (const topic of wanted) {
    try {
      found.set(topic, await typeOfTopic(topic, { connection, registry }));
      out.write(`${lineText(topic)}  ${found.get(topic)!.about}\n`);
    } catch (error) {
      if (!(error instanceof SluiceError) || forAll.has(error.code)) throw error;
      errors.write(`${lineText(error.message)}\n`);
    }
  }
  const failed = wanted.length - found.size;
  if (found.size > 0) {
    const hasChanged = writeTopics(file, found);
    const count = `${found.size} ${found.size === 1 ? 'topic' : 'topics'}`;
    out.write(`${hasChanged ? `Wrote ${count} to` : `Nothing has changed in`} ${shown(file)}\n`);
  }
  if (failed > 0) errors.write(`${failed} of ${wanted.length} topics could not be typed; their former types stay.\n`);
  return failed > 0 ? 1 : 0;
}

function shown(file: string): string {
  const near = relative(process.cwd(), file);
  return lineText(near.startsWith('..') ? file : near);
}
