// What the cluster says of the topics of a source or a sink: their ids, and the leader of each
// partition with its epoch.
import { SluiceError } from '../../errors/error.ts';
import type { Brokers } from './brokers.ts';
import type { TopicMetadata } from './metadata-request.ts';
import { errorName, kafkaErrors } from './requests.ts';
import type { Split } from './split.ts';

export interface Leader {
  readonly node: number;
  readonly epoch: number;
}
/** The answer about one topic: it can be read, or the reason why not. */
export type TopicView =
  | { readonly kind: 'there'; readonly about: TopicMetadata }
  /** It does not exist, as far as this broker knows. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'refused'; readonly error: SluiceError };

export class Leaders {
  readonly #brokers: Brokers;

  constructor(brokers: Brokers) {
    this.#brokers = brokers;
  }

  /** One topic's trouble is in its own view. Throws only when no broker answers. */
  async look(topics: readonly string[]): Promise<ReadonlyMap<string, TopicView>> {
    const found = await this.#brokers.metadata(topics);
    const byName = new Map(found.topics.map((about) => [about.topic, about]));
    return new Map(topics.map((topic) => [topic, this.#view(topic, byName.get(topic))]));
  }
  /** All topics whose names the expression finds, except Kafka's own. */
  async matching(pattern: RegExp): Promise<ReadonlyMap<string, TopicView>> {
    const found = await this.#brokers.metadata(null);
    const matching = found.topics.filter(({ topic, internal }) => !internal && pattern.test(topic));
    return new Map(matching.map((about) => [about.topic, this.#view(about.topic, about)]));
  }
  #view(topic: string, about: TopicMetadata | undefined): TopicView {
    if (!about || about.error === kafkaErrors.leaderNotAvailable)
      return { kind: 'wait', reason: `${this.#brokers.description} does not know yet who leads "${topic}"` };
    switch (about.error) {
      case kafkaErrors.none:
        return { kind: 'there', about };
      case kafkaErrors.unknownTopicOrPartition:
      case kafkaErrors.invalidTopic:
        return { kind: 'unknown' };
      case kafkaErrors.topicAuthorizationFailed:
        return { kind: 'refused', error: this.#brokers.notAllowed(topic, 'hidden') };
      default:
        return { kind: 'wait', reason: `topic "${topic}" answers ${errorName(about.error)}` };
    }
  }
}

/** undefined: the partition has no leader at present. */
export function leaderOf(about: TopicMetadata, partition: number): Leader | undefined {
  const found = about.partitions.find((one) => one.partition === partition);
  return found && found.leader >= 0 ? { node: found.leader, epoch: found.epoch } : undefined;
}

/** A topic that was deleted and made again is another topic, with other records. */
export function isSameTopic(split: Split, about: TopicMetadata): boolean {
  return split.topicId === undefined || about.id === undefined || split.topicId === about.id;
}
export function topicMadeAgain(split: Split): SluiceError {
  return new SluiceError(
    'kafka-topic-made-again',
    `Topic "${split.topic}" was deleted and made again. It is another topic now, and the position in the former one means nothing in it. Run the cell again to read the new topic from its start.`,
    { topic: split.topic, partition: split.partition },
  );
}
