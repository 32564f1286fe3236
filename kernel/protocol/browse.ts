// The messages between the extension and the browse service, which looks into Kafka clusters for
// the side bar and for Peek. The service is a process of its own, with JSON-RPC over its standard
// input and output. Connections, secrets included, come in a message and nowhere else. It writes
// nothing to a cluster and joins no group.
//
// A request that fails is answered with an error whose message names the thing and the way out.
import type { ConnectionDefinitions, ConnectionReport } from './connections.ts';
import type { Wire } from './displays.ts';

/** A topic as the cluster lists it. */
export interface TopicLine {
  readonly topic: string;
  readonly partitions: number;
  /** Kafka's own. */
  readonly internal: boolean;
  /** Offsets from the beginning to the end of all partitions. Absent: not asked, or not known. */
  readonly records?: number;
  /** What is wrong, in words. */
  readonly problem?: string;
}
export interface TopicList {
  readonly topics: readonly TopicLine[];
  /** The addresses of the brokers. */
  readonly brokers: readonly string[];
}
export interface PartitionLine {
  readonly partition: number;
  /** The first offset and the offset after the last committed record; absent: not known. */
  readonly begin?: number;
  readonly end?: number;
  /** The broker that leads it; absent: none does. */
  readonly leader?: number;
  readonly problem?: string;
}
export interface TopicDetails {
  readonly partitions: readonly PartitionLine[];
  /** When the offsets were read, epoch milliseconds. */
  readonly at: number;
  /** What the last records show: "JSON", "Avro (orders-value v7)". Absent: there are none. */
  readonly format?: string;
}
export interface GroupLine {
  readonly group: string;
  /** "Stable", "Empty", …; absent: the broker does not say. */
  readonly state?: string;
  /** Records between what is committed and the ends; absent: nothing is committed. */
  readonly lag?: number;
  readonly problem?: string;
}
export interface GroupList {
  readonly groups: readonly GroupLine[];
  /**
   * The brokers leave out the groups for which this user has no DESCRIBE. They do not say whether
   * there are any.
   */
  readonly mayBePartial: boolean;
}
export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly committed: number;
  /** The end of the partition; absent: not known. */
  readonly end?: number;
}
/** The latest schema of a subject. */
export interface LatestSchema {
  readonly subject: string;
  /** 0: the registry does not say. */
  readonly version: number;
  readonly id: number;
  /** "Avro", "Protobuf", "JSON Schema". */
  readonly type: string;
  readonly text: string;
}

// -------------------------------------------------------------------------------------------- peek

/** Where a peek begins. */
export type PeekFrom =
  /** The newest records that are there, then those that come. */
  | { readonly kind: 'newest' }
  | { readonly kind: 'earliest' }
  /** In one partition, or in all. */
  | { readonly kind: 'offset'; readonly offset: number; readonly partition?: number }
  /** Epoch milliseconds. */
  | { readonly kind: 'time'; readonly time: number };

export interface PeekRow {
  /** Grows by one per row of a peek. */
  readonly n: number;
  /** The record's timestamp, epoch milliseconds; −1: it has none. */
  readonly t: number;
  readonly partition: number;
  readonly offset: number;
  /** As in values.ts; absent: the record has no key. */
  readonly key?: Wire;
  /** As in values.ts, cut to the size of a display. null: the record has no value. */
  readonly value: Wire;
  /** Why the value cannot be read: it is shown as text or bytes. */
  readonly problem?: string;
}
/**
 *     reading ◄──► paused      the user pauses and continues
 *        └──────► full         a page of rows is shown; the user continues
 *     any ──────► failed       final, with its reason
 */
export type PeekState = 'reading' | 'paused' | 'full' | 'failed';
export interface PeekNews {
  readonly peek: string;
  readonly state: PeekState;
  /** Since the last news, in order. */
  readonly rows: readonly PeekRow[];
  /** Records that were read, and those that the filter let through. */
  readonly read: number;
  readonly matched: number;
  /** Records that came too fast to be shown, without a filter. */
  readonly skipped: number;
  /** Records a second. */
  readonly rate: number;
  /** All that was there has been read. */
  readonly isAtEnd: boolean;
  readonly format?: string;
  /** What keeps records away, or why the peek failed. */
  readonly trouble?: string;
  /** Why the filter failed on a record. Such a record does not match. */
  readonly filterTrouble?: string;
}
export interface PeekRequest {
  /** Chosen by the client. */
  readonly peek: string;
  readonly connection: string;
  readonly topic: string;
  readonly from: PeekFrom;
  /** A TypeScript expression on `record`, `key` and `meta`; '': all records. */
  readonly filter: string;
}
export interface RecordBytesView {
  readonly bytes: number;
  /** Two digits per byte, of the first bytes only if there are many. */
  readonly hex: string;
  /** The same bytes as text, if they are UTF-8. */
  readonly text?: string;
}
/** One record as it lies in the topic. */
export interface PeekedRecord {
  readonly key?: RecordBytesView;
  readonly value?: RecordBytesView;
  readonly headers: readonly { readonly name: string; readonly value?: RecordBytesView }[];
}

/** Parameters and result by method name. */
export interface BrowseRequests {
  /** All connections by name. They replace the former ones. */
  connections: { params: { readonly connections: ConnectionDefinitions }; result: null };
  test: { params: { readonly connection: string }; result: ConnectionReport };
  topics: { params: { readonly connection: string; readonly internal: boolean }; result: TopicList };
  topic: { params: { readonly connection: string; readonly topic: string }; result: TopicDetails };
  groups: { params: { readonly connection: string }; result: GroupList };
  group: { params: { readonly connection: string; readonly group: string }; result: readonly GroupOffset[] };
  /** null: the connection has no registry. */
  subjects: { params: { readonly connection: string }; result: readonly string[] | null };
  /** Writes the type of the topic's rows to a .d.ts file. `about`: where the type is from. */
  typeTopic: {
    params: { readonly connection: string; readonly topic: string; readonly file: string };
    result: { readonly about: string; readonly hasChanged: boolean };
  };
  schema: { params: { readonly connection: string; readonly subject: string }; result: LatestSchema };
  /** Rejected for a filter that cannot be compiled. */
  openPeek: { params: PeekRequest; result: null };
  /** Pauses it, or continues it. */
  runPeek: { params: { readonly peek: string; readonly run: boolean }; result: null };
  closePeek: { params: { readonly peek: string }; result: null };
  /** null: the row is so old that its bytes are not kept. */
  peekedRecord: { params: { readonly peek: string; readonly n: number }; result: PeekedRecord | null };
}
/** Notifications from the service. */
export interface BrowseEvents {
  peek: PeekNews;
}
