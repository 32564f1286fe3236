// The items of the side bar as data, and the line that each is: what it is, and what is wrong in
// words. Nothing here needs VS Code.
import type {
  GroupLine,
  GroupList,
  GroupOffset,
  PartitionLine,
  TopicDetails,
  TopicLine,
  TopicList,
} from '../../kernel/protocol/browse.ts';
import type { ConnectionDefinition } from '../../kernel/protocol/connections.ts';
import { duration, rate } from '../../kernel/protocol/figures.ts';
import { count } from '../renderer/format.ts';
import { brokersOf, securityOf } from './connection-settings.ts';

export type TreeNode =
  | { readonly kind: 'connection'; readonly connection: string }
  | { readonly kind: 'topic'; readonly connection: string; readonly topic: TopicLine }
  | { readonly kind: 'more'; readonly connection: string; readonly hidden: number }
  | {
      readonly kind: 'partition';
      readonly connection: string;
      readonly topic: string;
      readonly partition: PartitionLine;
      /** Since when its problem is seen, epoch milliseconds. */
      readonly since?: number;
    }
  | { readonly kind: 'groups'; readonly connection: string }
  | { readonly kind: 'group'; readonly connection: string; readonly group: GroupLine }
  | { readonly kind: 'offset'; readonly connection: string; readonly group: string; readonly offset: GroupOffset }
  | { readonly kind: 'schemas'; readonly connection: string }
  | { readonly kind: 'subject'; readonly connection: string; readonly subject: string }
  /** What is wrong with the item above, or that it has nothing. */
  | {
      readonly kind: 'note';
      readonly connection: string;
      /** Short: a side bar shows some 34 characters. */
      readonly text: string;
      /** The whole sentence, for the tooltip. Default: the text. */
      readonly detail?: string;
      readonly isProblem: boolean;
    };

/**
 * An item as it is drawn. `icon` is a name of VS Code's icons, `colour` one of its theme colours.
 */
export interface TreeLine {
  readonly label: string;
  readonly description: string;
  readonly tooltip: string;
  readonly icon?: string;
  readonly colour?: string;
  readonly opens: boolean;
}

/** One name for one item, as long as it is the same thing. */
export function idOf(node: TreeNode): string {
  switch (node.kind) {
    case 'connection':
    case 'groups':
    case 'schemas':
    case 'more':
      return path(node.kind, node.connection);
    case 'topic':
      return path(node.kind, node.connection, node.topic.topic);
    case 'partition':
      return path(node.kind, node.connection, node.topic, node.partition.partition);
    case 'group':
      return path(node.kind, node.connection, node.group.group);
    case 'offset':
      return path(node.kind, node.connection, node.group, node.offset.topic, node.offset.partition);
    case 'subject':
      return path(node.kind, node.connection, node.subject);
    case 'note':
      return path(node.kind, node.connection, node.text);
  }
}
function path(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts);
}

const plural = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`;

// ------------------------------------------------------------------------------------- connections

/** What was heard of a connection last. */
export type ConnectionState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'there'; readonly list: TopicList }
  | { readonly kind: 'failed'; readonly reason: string };

export function connectionLine(name: string, definition: ConnectionDefinition, state: ConnectionState): TreeLine {
  const brokers = brokersOf(definition);
  const security = securityOf(definition);
  const about = security === '' ? brokers : security;
  const base = { label: name, opens: true };
  switch (state.kind) {
    case 'unknown':
    case 'asking': {
      const description = state.kind === 'asking' ? `${about} · connecting` : about;
      return { ...base, description, tooltip: `${name}: ${brokers}`, icon: 'circle-outline' };
    }
    case 'there': {
      const tooltip = `${name}: ${state.list.brokers.join(', ')}`;
      return { ...base, description: about, tooltip, icon: 'circle-filled', colour: 'charts.green' };
    }
    case 'failed':
      return {
        ...base,
        // What is wrong comes first, because a narrow side bar cuts the end.
        description: `${shortReason(state.reason, brokers)} · ${brokers}`,
        tooltip: state.reason,
        icon: 'circle-slash',
        colour: 'charts.red',
      };
  }
}

/** The first clause of a reason, without the address that stands before it. */
export function shortReason(reason: string, brokers: string): string {
  const first = reason.split(/\.\s|; /)[0]!.replace(/\.$/, '');
  const address = brokers.split(',').find((one) => first.startsWith(`${one.trim()} `));
  const rest = address === undefined ? first : first.slice(address.trim().length + 1);
  return rest.length > 80 ? `${rest.slice(0, 79)}…` : rest;
}

// ------------------------------------------------------------------------------------------ topics

/** Topics that are shown before the rest is asked for. */
export const shownTopics = 100;

/**
 * The items below a connection: topics that match the filter, then groups and schemas. Of many
 * topics the first are shown, and an item says how many more there are.
 */
export function connectionItems(
  connection: string,
  { topics }: TopicList,
  { filter, all }: { readonly filter: string; readonly all: boolean },
): readonly TreeNode[] {
  const wanted = topics.filter(({ topic }) => topic.toLowerCase().includes(filter.toLowerCase()));
  const shown = all ? wanted : wanted.slice(0, shownTopics);
  const hidden = wanted.length - shown.length;
  const none =
    filter === ''
      ? 'no topics that this user may see'
      : `none of ${plural(topics.length, 'topic')} contains "${filter}"`;
  return [
    ...(wanted.length === 0 ? [{ kind: 'note', connection, text: none, isProblem: false } as const] : []),
    ...shown.map((topic) => ({ kind: 'topic', connection, topic }) as const),
    ...(hidden === 0 ? [] : [{ kind: 'more', connection, hidden } as const]),
    { kind: 'groups', connection },
    { kind: 'schemas', connection },
  ];
}
export function moreLine(hidden: number): TreeLine {
  return {
    ...{ label: `${count(hidden)} more`, description: 'show all, or filter', icon: 'ellipsis', opens: false },
    tooltip: 'Shows all topics. The filter of the connection shows those whose names contain a text.',
  };
}

/** A topic that was looked at, and the look before. */
export interface SeenTopic {
  readonly details: TopicDetails;
  readonly former?: TopicDetails;
}

export function topicLine({ topic, partitions, records, problem }: TopicLine, seen?: SeenTopic): TreeLine {
  const known = seen ? recordsOf(seen.details) : records;
  const perSecond = seen?.former && ratePerSecond(seen.details, seen.former);
  const parts = [
    ...(problem === undefined ? [] : [problem]),
    plural(partitions, 'partition'),
    ...(perSecond ? [rate(perSecond)] : []),
    ...(seen?.details.format === undefined ? [] : [seen.details.format]),
    ...(known === undefined ? [] : [known === 0 ? 'empty' : plural(known, 'record')]),
  ];
  return {
    ...{ label: topic, description: parts.join(' · '), tooltip: `${topic}\n${parts.join('\n')}`, opens: true },
    ...(problem === undefined ? { icon: 'list-flat' } : { icon: 'warning', colour: 'charts.yellow' }),
  };
}
function recordsOf({ partitions }: TopicDetails): number | undefined {
  let sum = 0;
  for (const { begin, end } of partitions) {
    // A sum without a partition would be wrong.
    if (begin === undefined || end === undefined) return undefined;
    sum += end - begin;
  }
  return sum;
}
/** Records a second between two looks; undefined: the ends are not known. */
function ratePerSecond(now: TopicDetails, before: TopicDetails): number | undefined {
  const millis = now.at - before.at;
  if (millis <= 0) return undefined;
  const former = new Map(before.partitions.map(({ partition, end }) => [partition, end]));
  const added = now.partitions.reduce((sum, { partition, end }) => {
    const start = former.get(partition);
    return sum + (end === undefined || start === undefined ? 0 : Math.max(0, end - start));
  }, 0);
  return (added * 1000) / millis;
}

export function partitionLine(
  { partition, begin, end, leader, problem }: PartitionLine,
  since: number | undefined,
  now: number,
): TreeLine {
  const millis = since === undefined ? 0 : now - since;
  const wrong = problem === undefined ? [] : [millis >= 1000 ? `${problem} for ${duration(millis)}` : problem];
  const parts = [
    ...(begin === undefined || end === undefined
      ? []
      : [begin === end ? `empty at ${count(end)}` : `${count(begin)} … ${count(end)}`]),
    `leader ${leader ?? '—'}`,
    ...wrong,
  ];
  return {
    ...{ label: String(partition), description: parts.join(' · '), opens: false },
    tooltip: `partition ${partition}\n${parts.join('\n')}`,
    ...(problem !== undefined && { icon: 'warning', colour: 'charts.yellow' }),
  };
}

// ------------------------------------------------------------------------------ groups and schemas

export function groupsLine(list: GroupList | undefined): TreeLine {
  return {
    label: 'Groups',
    description: list === undefined ? '' : groupsText(list),
    tooltip: list?.mayBePartial ? `Consumer groups\n${hiddenGroups}` : 'Consumer groups',
    icon: 'organization',
    opens: true,
  };
}
/** The group that is furthest behind, or how many there are. */
function groupsText({ groups, mayBePartial }: GroupList): string {
  const furthest = groups.toSorted((a, b) => (b.lag ?? 0) - (a.lag ?? 0))[0];
  if (furthest?.lag) return `${furthest.group}: ${count(furthest.lag)} behind`;
  return plural(groups.length, mayBePartial ? 'visible group' : 'group');
}
/** A sentence. */
const hiddenGroups = 'Kafka lists only the groups for which this user has the right DESCRIBE.';

/** The items below "Groups". The last one says that Kafka may have left out some. */
export function groupItems(connection: string, { groups, mayBePartial }: GroupList): readonly TreeNode[] {
  const note = (text: string, detail = text): TreeNode => ({
    kind: 'note',
    connection,
    text,
    detail,
    isProblem: false,
  });
  if (groups.length === 0) return [mayBePartial ? note('none visible (no DESCRIBE)', hiddenGroups) : note('no groups')];
  return [
    ...groups.map((group) => ({ kind: 'group', connection, group }) as const),
    ...(mayBePartial ? [note('others may be hidden (no DESCRIBE)', hiddenGroups)] : []),
  ];
}
export function groupLine({ group, state, lag, problem }: GroupLine): TreeLine {
  const parts = [
    ...(lag === undefined ? [] : [lag === 0 ? 'up to date' : `${count(lag)} behind`]),
    ...(state === undefined ? [] : [state.toLowerCase()]),
    ...(problem === undefined ? [] : [problem]),
  ];
  return {
    ...{ label: group, description: parts.join(' · '), tooltip: `${group}\n${parts.join('\n')}`, opens: true },
    ...(problem === undefined ? { icon: 'person' } : { icon: 'warning', colour: 'charts.yellow' }),
  };
}
export function offsetLine({ topic, partition, committed, end }: GroupOffset): TreeLine {
  const behind = end === undefined ? undefined : Math.max(0, end - committed);
  const lag = behind === undefined ? 'end not known' : behind === 0 ? 'up to date' : `${count(behind)} behind`;
  const place = end === undefined ? count(committed) : `${count(committed)} of ${count(end)}`;
  const description = `${lag} · ${place}`;
  return { label: `${topic}[${partition}]`, description, tooltip: `committed offset ${place}`, opens: false };
}
export function schemasLine(): TreeLine {
  return {
    label: 'Schemas',
    description: '',
    tooltip: 'Subjects of the schema registry',
    icon: 'library',
    opens: true,
  };
}
export function subjectLine(subject: string): TreeLine {
  return {
    label: subject,
    description: '',
    tooltip: `Opens the latest schema of ${subject}`,
    icon: 'file-code',
    opens: false,
  };
}
export function noteLine({ text, detail = text, isProblem }: TreeNode & { readonly kind: 'note' }): TreeLine {
  return {
    ...{ label: '', description: text, tooltip: detail, opens: false },
    ...(isProblem && { icon: 'warning', colour: 'charts.yellow' }),
  };
}
