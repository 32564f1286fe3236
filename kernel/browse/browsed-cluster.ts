// What a connection's cluster says of itself: topics, partitions with offsets and leaders, and
// groups with their lag. Everything is read at the time of the question. One thing that cannot be
// read is a line with its problem, and the others are lines as usual.
import type { Connection } from '../../engine/connections/connection.ts';
import { Brokers, mayPass } from '../../engine/connectors/kafka/brokers.ts';
import { mayDescribeCluster } from '../../engine/connectors/kafka/cluster-rights.ts';
import { listGroups, listGroupsWithoutState, offsetsOfGroup } from '../../engine/connectors/kafka/group-requests.ts';
import { leaderOf } from '../../engine/connectors/kafka/leaders.ts';
import type { PartitionMetadata, TopicMetadata } from '../../engine/connectors/kafka/metadata-request.ts';
import { earliestOffset, latestOffset, listOffsets } from '../../engine/connectors/kafka/offset-requests.ts';
import { errorName, kafkaErrors } from '../../engine/connectors/kafka/requests.ts';
import type { GroupLine, GroupList, GroupOffset, PartitionLine, TopicLine, TopicList } from '../protocol/browse.ts';

export interface PartitionEnds {
  readonly begin: number;
  readonly end: number;
}
type EndsByPartition = ReadonlyMap<number, PartitionEnds>;
type EndsByTopic = ReadonlyMap<string, EndsByPartition>;
type Committed = Omit<GroupOffset, 'end'>;

/** Of a list with more topics, the numbers of records are not asked for. */
const mostCountedTopics = 200;
const noLeader = -1;

export class BrowsedCluster {
  readonly #brokers: Brokers;

  constructor(connection: Connection) {
    this.#brokers = new Brokers(connection, 'read');
  }
  close(): void {
    this.#brokers.close();
  }

  async topics(internal: boolean): Promise<TopicList> {
    const { topics, brokers } = await this.#brokers.metadata(null);
    const shown = topics.filter((one) => internal || !isInternal(one));
    const counts = shown.length <= mostCountedTopics ? await this.#counts(shown) : new Map<string, number>();
    return {
      brokers: brokers.map(({ address }) => address),
      topics: shown
        .map((about): TopicLine => {
          const records = counts.get(about.topic);
          const problem = topicProblem(about);
          return {
            topic: about.topic,
            partitions: about.partitions.length,
            internal: isInternal(about),
            ...(records !== undefined && { records }),
            ...(problem !== undefined && { problem }),
          };
        })
        .toSorted((a, b) => Number(a.internal) - Number(b.internal) || compareNames(a.topic, b.topic)),
    };
  }

  /** Throws when the topic is not there or may not be seen. */
  async partitions(topic: string): Promise<readonly PartitionLine[]> {
    const about = await this.#about(topic);
    const { ends, problems } = await this.#ends(about);
    return about.partitions
      .map((one): PartitionLine => {
        const problem = partitionProblem(one) ?? problems.get(one.partition);
        return {
          partition: one.partition,
          ...ends.get(one.partition),
          ...(one.leader !== noLeader && { leader: one.leader }),
          ...(problem !== undefined && { problem }),
        };
      })
      .toSorted((a, b) => a.partition - b.partition);
  }

  /** Groups often read the same topics: the ends of all are asked for together. */
  async groups(): Promise<GroupList> {
    const listed = await this.#listedGroups();
    const asked = this.#mayHideGroups();
    const commits = await Promise.allSettled(listed.map(({ group, node }) => this.#committed(group, node)));
    const known = commits.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const [ends] = await Promise.allSettled([this.#endsOf(known)]);
    const lines = listed.map(({ group, state }, i): GroupLine => {
      const line = { group, ...(state !== undefined && { state }) };
      const committed = commits[i]!;
      if (committed.status === 'rejected') return { ...line, problem: reasonOf(committed.reason) };
      if (committed.value.length === 0) return line;
      if (ends.status === 'rejected') return { ...line, problem: reasonOf(ends.reason) };
      const lag = lagOf(withEnds(committed.value, ends.value));
      return { ...line, ...(lag !== undefined && { lag }) };
    });
    return { groups: lines.toSorted((a, b) => compareNames(a.group, b.group)), mayBePartial: await asked };
  }
  async group(group: string): Promise<readonly GroupOffset[]> {
    const found = (await this.#listedGroups()).find((one) => one.group === group);
    if (!found) return [];
    const committed = await this.#committed(group, found.node);
    return withEnds(committed, await this.#endsOf(committed));
  }

  // -------------------------------------------------------------------------------------- offsets

  async #about(topic: string): Promise<TopicMetadata> {
    const about = (await this.#brokers.metadata([topic])).topics.find((one) => one.topic === topic);
    if (about?.error === kafkaErrors.topicAuthorizationFailed) throw this.#brokers.notAllowed(topic, 'hidden');
    if (!about || about.error === kafkaErrors.unknownTopicOrPartition || about.error === kafkaErrors.invalidTopic)
      throw await this.#brokers.unknownTopic(topic);
    return about;
  }

  /** Asks each leader once for each end. A leader that fails is the problem of its partitions. */
  async #ends(about: TopicMetadata): Promise<{ ends: EndsByPartition; problems: ReadonlyMap<number, string> }> {
    const ends = new Map<number, PartitionEnds>();
    const problems = new Map<number, string>();
    const led = about.partitions.filter(({ leader }) => leader !== noLeader);
    const ask = async (node: number, partitions: readonly PartitionMetadata[]): Promise<void> => {
      const offsets = async (time: number): Promise<ReadonlyMap<number, { error: number; offset: number }>> => {
        const question = {
          topic: about.topic,
          partitions: partitions.map(({ partition, epoch }) => ({ partition, epoch, time })),
        };
        const answers = await this.#brokers.ask(node, listOffsets, question);
        return new Map(answers.map((answer) => [answer.partition, answer]));
      };
      try {
        const [begins, stops] = await Promise.all([offsets(earliestOffset), offsets(latestOffset)]);
        for (const { partition } of partitions) {
          const [begin, end] = [begins.get(partition), stops.get(partition)];
          const error = begin?.error || end?.error;
          if (error === kafkaErrors.topicAuthorizationFailed) problems.set(partition, 'no right to see it (DESCRIBE)');
          else if (error) problems.set(partition, `the broker answers ${errorName(error)}`);
          else if (begin && end) ends.set(partition, { begin: begin.offset, end: end.offset });
        }
      } catch (error) {
        for (const { partition } of partitions) problems.set(partition, reasonOf(error));
      }
    };
    const byLeader = Map.groupBy(led, ({ leader }) => leader);
    await Promise.all([...byLeader].map(([node, partitions]) => ask(node, partitions)));
    return { ends, problems };
  }
  async #counts(topics: readonly TopicMetadata[]): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    await Promise.all(
      topics.map(async (about) => {
        const { ends } = await this.#ends(about);
        // A sum without a partition would be wrong.
        if (ends.size < about.partitions.length) return;
        counts.set(
          about.topic,
          [...ends.values()].reduce((sum, { begin, end }) => sum + end - begin, 0),
        );
      }),
    );
    return counts;
  }

  // --------------------------------------------------------------------------------------- groups

  async #listedGroups(): Promise<readonly { group: string; state: string | undefined; node: number }[]> {
    await this.#brokers.metadata([]);
    const lists = await Promise.allSettled(
      this.#brokers.nodes().map(async (node) => {
        const { error, groups } = await this.#brokers.ask(node, [listGroups, listGroupsWithoutState], null);
        if (error !== kafkaErrors.none && groups.length === 0) throw new Error(groupError(error));
        return groups.map((one) => ({ ...one, node }));
      }),
    );
    const found = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
    const failed = lists.find((list) => list.status === 'rejected');
    if (found.length === 0 && failed) throw failed.reason;
    return found;
  }
  /** Of a cluster before 2.8 it is not known, and nothing is said. */
  async #mayHideGroups(): Promise<boolean> {
    for (const node of this.#brokers.nodes())
      try {
        if (!(await this.#brokers.speaks(node, mayDescribeCluster))) return false;
        return !(await this.#brokers.ask(node, mayDescribeCluster, null));
      } catch {
        // The next broker may answer.
      }
    return false;
  }
  async #committed(group: string, node: number): Promise<readonly Committed[]> {
    const { error, offsets } = await this.#brokers.ask(node, offsetsOfGroup, { group });
    if (error !== kafkaErrors.none) throw new Error(groupError(error));
    return offsets
      .filter((one) => one.offset >= 0 && one.error === kafkaErrors.none)
      .map(({ topic, partition, offset }) => ({ topic, partition, committed: offset }));
  }
  /** Of the topics of what is committed. */
  async #endsOf(committed: readonly Committed[]): Promise<EndsByTopic> {
    const topics = [...new Set(committed.map(({ topic }) => topic))];
    if (topics.length === 0) return new Map();
    const found = (await this.#brokers.metadata(topics)).topics;
    return new Map(
      await Promise.all(found.map(async (about) => [about.topic, (await this.#ends(about)).ends] as const)),
    );
  }
}

/** An end that is not known is left out. */
function withEnds(committed: readonly Committed[], ends: EndsByTopic): readonly GroupOffset[] {
  return committed.map((one) => {
    const end = ends.get(one.topic)?.get(one.partition)?.end;
    return { ...one, ...(end !== undefined && { end }) };
  });
}
/** undefined: no end is known. */
function lagOf(offsets: readonly GroupOffset[]): number | undefined {
  const lags = offsets.flatMap(({ committed, end }) => (end === undefined ? [] : Math.max(0, end - committed)));
  return lags.length === 0 ? undefined : lags.reduce((sum, lag) => sum + lag, 0);
}

/** Brokers mark their own topics. Registries and others follow the convention of the name. */
function isInternal({ topic, internal }: TopicMetadata): boolean {
  return internal || topic.startsWith('_');
}
function topicProblem(about: TopicMetadata): string | undefined {
  if (about.error === kafkaErrors.topicAuthorizationFailed) return 'no right to see it (DESCRIBE)';
  if (about.error !== kafkaErrors.none) return `the broker answers ${errorName(about.error)}`;
  const without = about.partitions.filter(({ partition }) => leaderOf(about, partition) === undefined).length;
  if (without === 0) return undefined;
  const rest = about.partitions.length;
  return without === rest ? 'no leader' : `${without} of ${rest} partitions without leader`;
}
function partitionProblem({ leader, replicas, inSync }: PartitionMetadata): string | undefined {
  if (leader === noLeader) return 'no leader';
  return inSync < replicas ? `${inSync} of ${replicas} replicas in sync` : undefined;
}
function groupError(error: number): string {
  if (error === kafkaErrors.groupAuthorizationFailed) return 'no right to read its offsets (DESCRIBE on the group)';
  if (error === kafkaErrors.clusterAuthorizationFailed) return 'no right to list groups (DESCRIBE on the cluster)';
  return `the broker answers ${errorName(error)}`;
}
/** A reason as the end of a line, without a full stop. */
function reasonOf(error: unknown): string {
  const text = mayPass(error) || error instanceof Error ? error.message : String(error);
  return text.replace(/\.$/, '');
}
const compareNames = new Intl.Collator('en', { numeric: true }).compare;
