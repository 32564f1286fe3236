// Answers the questions of the side bar and of Peek. Each connection has its own cluster, so one
// that cannot be reached holds up no other. Requests to it fail with the reason, and the next one
// tries again.
import type { Connection } from '../../engine/connections/connection.ts';
import { connectionNamed, handOverConnections } from '../../engine/connections/connection-named.ts';
import { testConnection } from '../../engine/connectors/kafka/test-connection.ts';
import type { BrowseEvents, BrowseRequests, PeekNews, PeekRequest } from '../protocol/browse.ts';
import { typeOfTopic } from '../topics/topic-type.ts';
import { writeTopics } from '../topics/topics-file.ts';
import { BrowsedCluster } from './browsed-cluster.ts';
import { browsedSchema, browsedSubjects } from './browsed-registry.ts';
import { openPeek } from './open-peek.ts';
import type { Peek } from './peek.ts';

type Handlers = {
  readonly [M in keyof BrowseRequests]: (
    params: BrowseRequests[M]['params'],
  ) => BrowseRequests[M]['result'] | Promise<BrowseRequests[M]['result']>;
};
type Notify = <E extends keyof BrowseEvents>(event: E, params: BrowseEvents[E]) => void;

/** A format is looked for this long, and then it is not shown. */
const formatMillis = 4_000;

export class BrowseService {
  readonly #notify: Notify;
  readonly #clusters = new Map<string, BrowsedCluster>();
  readonly #peeks = new Map<string, Peek>();
  /** By connection and topic. A topic keeps its format. */
  readonly #formats = new Map<string, string>();
  readonly handlers: Handlers;

  constructor(notify: Notify) {
    this.#notify = notify;
    this.handlers = {
      connections: ({ connections }) => this.#connections(connections),
      test: ({ connection }) => testConnection({ name: connection }),
      topics: ({ connection, internal }) => this.#cluster(connection).topics(internal),
      topic: (params) => this.#topic(params),
      groups: ({ connection }) => this.#cluster(connection).groups(),
      group: ({ connection, group }) => this.#cluster(connection).group(group),
      subjects: ({ connection }) => browsedSubjects(connection),
      schema: ({ connection, subject }) => browsedSchema(connection, subject),
      typeTopic: async ({ connection, topic, file }) => {
        const found = await typeOfTopic(topic, { connection });
        return { about: found.about, hasChanged: writeTopics(file, new Map([[topic, found]])) };
      },
      openPeek: (request) => this.#openPeek(request),
      runPeek: ({ peek, run }) => {
        this.#peeks.get(peek)?.run(run);
        return null;
      },
      closePeek: ({ peek }) => this.#closePeek(peek),
      peekedRecord: ({ peek, n }) => this.#peeks.get(peek)?.record(n) ?? null,
    };
  }

  #connections(connections: BrowseRequests['connections']['params']['connections']): null {
    handOverConnections(connections);
    for (const cluster of this.#clusters.values()) cluster.close();
    this.#clusters.clear();
    this.#formats.clear();
    return null;
  }
  #cluster(name: string): BrowsedCluster {
    const known = this.#clusters.get(name);
    if (known) return known;
    const cluster = new BrowsedCluster(this.#connection(name));
    this.#clusters.set(name, cluster);
    return cluster;
  }
  #connection(name: string): Connection {
    return connectionNamed(name);
  }

  async #topic({ connection, topic }: BrowseRequests['topic']['params']): Promise<BrowseRequests['topic']['result']> {
    const cluster = this.#cluster(connection);
    const at = Date.now();
    const partitions = await cluster.partitions(topic);
    const hasRecords = partitions.some(({ begin, end }) => begin !== undefined && end !== undefined && end > begin);
    const format = hasRecords ? await this.#format(connection, topic, cluster) : undefined;
    return { partitions, at, ...(format !== undefined && { format }) };
  }
  async #format(connection: string, topic: string, cluster: BrowsedCluster): Promise<string | undefined> {
    const key = JSON.stringify([connection, topic]);
    const known = this.#formats.get(key);
    if (known !== undefined) return known;
    const found = Promise.withResolvers<string | undefined>();
    const look = ({ format, state, isAtEnd }: PeekNews): void => {
      if (format !== undefined || state === 'failed' || isAtEnd) found.resolve(format);
    };
    const request: PeekRequest = { peek: '', connection, topic, from: { kind: 'newest' }, filter: '' };
    const peek = await openPeek(request, this.#connection(connection), cluster, look);
    const timer = setTimeout(() => found.resolve(undefined), formatMillis);
    const format = await found.promise;
    clearTimeout(timer);
    peek.close();
    if (format !== undefined) this.#formats.set(key, format);
    return format;
  }

  async #openPeek(request: PeekRequest): Promise<null> {
    const { peek: id, connection } = request;
    this.#closePeek(id);
    const peek = await openPeek(request, this.#connection(connection), this.#cluster(connection), (news) =>
      this.#notify('peek', news),
    );
    this.#closePeek(id);
    this.#peeks.set(id, peek);
    return null;
  }
  #closePeek(id: string): null {
    this.#peeks.get(id)?.close();
    this.#peeks.delete(id);
    return null;
  }
}
