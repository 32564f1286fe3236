// What the side bar knows: the answers of the browse service, each asked for when its item is
// opened, and again while it is open. An answer that fails is a line in its place. Nothing here
// needs VS Code.
import type { BrowseRequests, GroupList, TopicList } from '../../kernel/protocol/browse.ts';
import type { ConnectionDefinitions } from '../../kernel/protocol/connections.ts';
import {
  connectionItems,
  connectionLine,
  groupItems,
  groupLine,
  groupsLine,
  idOf,
  moreLine,
  noteLine,
  offsetLine,
  partitionLine,
  schemasLine,
  subjectLine,
  topicLine,
  type ConnectionState,
  type SeenTopic,
  type TreeLine,
  type TreeNode,
} from './tree-nodes.ts';

export type Ask = <M extends keyof BrowseRequests>(
  method: M,
  params: BrowseRequests[M]['params'],
) => Promise<BrowseRequests[M]['result']>;

interface Options {
  readonly ask: Ask;
  readonly definitions: () => ConnectionDefinitions;
  /** The line or the items of a node have changed; of all nodes: undefined. */
  readonly onChange: (node: TreeNode | undefined) => void;
  readonly now: () => number;
}

export class TreeModel {
  readonly #options: Options;
  readonly #states = new Map<string, ConnectionState>();
  readonly #filters = new Map<string, string>();
  /** Connections of which all topics are shown. */
  readonly #complete = new Set<string>();
  readonly #groups = new Map<string, GroupList>();
  /** By the id of the node. */
  readonly #topics = new Map<string, SeenTopic>();
  readonly #items = new Map<string, readonly TreeNode[]>();
  readonly #asking = new Map<string, Promise<readonly TreeNode[]>>();
  readonly #since = new Map<string, number>();
  readonly #open = new Map<string, TreeNode>();
  #showsInternal = false;
  /** Raised when everything is forgotten, so that a late answer is not kept. */
  #epoch = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get showsInternal(): boolean {
    return this.#showsInternal;
  }
  showInternal(show: boolean): void {
    this.#showsInternal = show;
    // Lists that are not open are asked for anew when they open.
    for (const id of this.#items.keys()) if (!this.#open.has(id)) this.#items.delete(id);
    void this.refresh();
  }
  filterOf(connection: string): string {
    return this.#filters.get(connection) ?? '';
  }
  setFilter(connection: string, filter: string): void {
    this.#filters.set(connection, filter.trim());
    this.#drawConnection(connection);
  }
  showAll(connection: string): void {
    this.#complete.add(connection);
    this.#drawConnection(connection);
  }
  /** The topics that were listed last; undefined: they were not. */
  topicsOf(connection: string): TopicList | undefined {
    const state = this.#states.get(connection);
    return state?.kind === 'there' ? state.list : undefined;
  }

  // ------------------------------------------------------------------------------------ the items

  /** Asks for what is not known. It never rejects. */
  async children(node: TreeNode | undefined): Promise<readonly TreeNode[]> {
    if (!node)
      return Object.keys(this.#options.definitions()).map((connection) => ({ kind: 'connection', connection }));
    const known = this.#items.get(idOf(node));
    if (known) return known;
    // Two that ask at the same time get one answer.
    const asking = this.#asking.get(idOf(node)) ?? this.#load(node).finally(() => this.#asking.delete(idOf(node)));
    this.#asking.set(idOf(node), asking);
    return await asking;
  }
  line(node: TreeNode): TreeLine {
    switch (node.kind) {
      case 'connection': {
        const definition = this.#options.definitions()[node.connection] ?? { brokers: '' };
        const line = connectionLine(node.connection, definition, this.#stateOf(node.connection));
        const filter = this.filterOf(node.connection);
        return filter === '' ? line : { ...line, description: `${line.description} · topics with "${filter}"` };
      }
      case 'topic':
        return topicLine(node.topic, this.#topics.get(idOf(node)));
      case 'more':
        return moreLine(node.hidden);
      case 'partition':
        return partitionLine(node.partition, node.since, this.#options.now());
      case 'groups':
        return groupsLine(this.#groups.get(node.connection));
      case 'group':
        return groupLine(node.group);
      case 'offset':
        return offsetLine(node.offset);
      case 'schemas':
        return schemasLine();
      case 'subject':
        return subjectLine(node.subject);
      case 'note':
        return noteLine(node);
    }
  }

  // --------------------------------------------------------------------------------- staying fresh

  opened(node: TreeNode): void {
    this.#open.set(idOf(node), node);
  }
  closed(node: TreeNode): void {
    this.#open.delete(idOf(node));
    // It is asked anew when it opens again.
    this.#items.delete(idOf(node));
  }
  /** Asks again for all that is open. What has not changed is not drawn again. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#open.values()].map((node) => this.#reload(node)));
  }
  /** The connections have changed. */
  forgetAll(): void {
    this.#epoch++;
    for (const known of [this.#states, this.#groups, this.#topics, this.#items, this.#asking, this.#since])
      known.clear();
    this.#options.onChange(undefined);
  }
  /** Asks each connection that has not answered, or not well. It holds up nothing. */
  probe(): void {
    for (const connection of Object.keys(this.#options.definitions()))
      if (['unknown', 'failed'].includes(this.#stateOf(connection).kind)) void this.retry(connection);
  }
  async retry(connection: string): Promise<void> {
    await this.#reload({ kind: 'connection', connection });
  }

  async #reload(node: TreeNode): Promise<void> {
    const before = this.#picture(node);
    await this.#load(node);
    if (this.#picture(node) !== before) this.#options.onChange(node);
  }
  #picture(node: TreeNode): string {
    const items = this.#items.get(idOf(node)) ?? [];
    return JSON.stringify([this.line(node), items.map((item) => [idOf(item), this.line(item)])]);
  }
  #drawConnection(connection: string): void {
    const node: TreeNode = { kind: 'connection', connection };
    const list = this.topicsOf(connection);
    if (list) this.#items.set(idOf(node), this.#itemsOf(connection, list));
    this.#options.onChange(node);
  }

  // ----------------------------------------------------------------------------------- the answers

  async #load(node: TreeNode): Promise<readonly TreeNode[]> {
    const epoch = this.#epoch;
    const before = JSON.stringify(this.line(node));
    let items: readonly TreeNode[];
    try {
      items = await this.#ask(node);
    } catch (error) {
      items = [{ kind: 'note', connection: node.connection, text: (error as Error).message, isProblem: true }];
    }
    if (epoch !== this.#epoch) return items;
    this.#items.set(idOf(node), items);
    // The answer about the items below may change the line above them.
    if (JSON.stringify(this.line(node)) !== before) this.#options.onChange(node);
    return items;
  }
  #ask(node: TreeNode): Promise<readonly TreeNode[]> {
    switch (node.kind) {
      case 'connection':
        return this.#topicsAndMore(node);
      case 'topic':
        return this.#partitions(node);
      case 'groups':
        return this.#groupItems(node);
      case 'group':
        return this.#offsets(node);
      case 'schemas':
        return this.#subjects(node);
      default:
        return Promise.resolve([]);
    }
  }

  async #topicsAndMore({ connection }: TreeNode & { kind: 'connection' }): Promise<readonly TreeNode[]> {
    const epoch = this.#epoch;
    const set = (state: ConnectionState): void => {
      if (epoch === this.#epoch) this.#states.set(connection, state);
    };
    if (this.#stateOf(connection).kind !== 'there') {
      set({ kind: 'asking' });
      this.#options.onChange({ kind: 'connection', connection });
    }
    try {
      const list = await this.#options.ask('topics', { connection, internal: this.#showsInternal });
      set({ kind: 'there', list });
      return this.#itemsOf(connection, list);
    } catch (error) {
      set({ kind: 'failed', reason: (error as Error).message });
      throw error;
    }
  }
  async #partitions(node: TreeNode & { kind: 'topic' }): Promise<readonly TreeNode[]> {
    const { connection } = node;
    const { topic } = node.topic;
    const details = await this.#options.ask('topic', { connection, topic });
    const former = this.#topics.get(idOf(node))?.details;
    this.#topics.set(idOf(node), { details, ...(former && { former }) });
    return details.partitions.map((partition): TreeNode => {
      const item = { kind: 'partition', connection, topic, partition } as const;
      const since = this.#sinceOf(idOf(item), partition.problem);
      return since === undefined ? item : { ...item, since };
    });
  }
  #sinceOf(id: string, problem: string | undefined): number | undefined {
    const key = `${id} ${problem}`;
    if (problem === undefined) {
      for (const known of this.#since.keys()) if (known.startsWith(`${id} `)) this.#since.delete(known);
      return undefined;
    }
    if (!this.#since.has(key)) this.#since.set(key, this.#options.now());
    return this.#since.get(key);
  }
  async #groupItems({ connection }: TreeNode & { kind: 'groups' }): Promise<readonly TreeNode[]> {
    const list = await this.#options.ask('groups', { connection });
    this.#groups.set(connection, list);
    return groupItems(connection, list);
  }
  async #offsets({ connection, group: { group } }: TreeNode & { kind: 'group' }): Promise<readonly TreeNode[]> {
    const offsets = await this.#options.ask('group', { connection, group });
    if (offsets.length === 0) {
      const detail = 'Nothing is committed for topics that this user may see.';
      return [{ kind: 'note', connection, text: 'no offsets of visible topics', detail, isProblem: false }];
    }
    return offsets.map((offset) => ({ kind: 'offset', connection, group, offset }));
  }
  async #subjects({ connection }: TreeNode & { kind: 'schemas' }): Promise<readonly TreeNode[]> {
    const subjects = await this.#options.ask('subjects', { connection });
    const none = subjects === null ? 'no schema registry' : 'no schemas';
    if (!subjects?.length) return [{ kind: 'note', connection, text: none, isProblem: false }];
    return subjects.map((subject) => ({ kind: 'subject', connection, subject }));
  }

  #stateOf(connection: string): ConnectionState {
    return this.#states.get(connection) ?? { kind: 'unknown' };
  }
  #itemsOf(connection: string, list: TopicList): readonly TreeNode[] {
    return connectionItems(connection, list, {
      filter: this.filterOf(connection),
      all: this.#complete.has(connection),
    });
  }
}
