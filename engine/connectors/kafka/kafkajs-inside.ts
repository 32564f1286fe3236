// The parts of kafkajs 2.2.4 that it does not export, as far as Sluice uses them, and the two that
// are put right. See kafkajs-connection.ts.
import { PartitionAssigners, type Cluster, type Kafka } from 'kafkajs';
import { invariant } from '../../errors/invariant.ts';

interface RequestQueue {
  readonly pending: readonly unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}
interface Protocol<Answer> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<{ readonly answer: Answer; readonly clientSideThrottleTime: number }>;
    parse(decoded: { readonly answer: Answer }): Promise<Answer>;
  };
  readonly requestTimeout: number;
}
interface PooledConnection {
  readonly requestQueue: RequestQueue;
  /** Milliseconds; 0: the session has no end. */
  readonly sessionLifetime: { toNumber(): number };
  readonly reauthenticationThreshold: number;
}
export interface ConnectionPool {
  /** The second connection is for Fetch only, so a fetch that waits holds up no other request. */
  readonly pool: readonly PooledConnection[];
  getConnection(index: number): Promise<unknown>;
  send<Answer>(protocol: Protocol<Answer>): Promise<Answer>;
}
export interface KafkajsBroker {
  readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null;
  connect(): Promise<void>;
}
interface ClusterInside {
  readonly rootLogger: unknown;
  readonly connectionPoolBuilder: { build(at: { host: string; port: number }): Promise<ConnectionPool> };
  readonly brokerPool: { createBroker(options: { connectionPool: ConnectionPool; logger: unknown }): KafkajsBroker };
}
function showsInside(cluster: object): cluster is ClusterInside {
  return 'rootLogger' in cluster && 'connectionPoolBuilder' in cluster && 'brokerPool' in cluster;
}

export function clusterOf(kafka: Kafka): ClusterInside {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId: 'never-joined',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      (given) => {
        found = given.cluster;
        return PartitionAssigners.roundRobin(given);
      },
    ],
  });
  invariant(found !== undefined && showsInside(found), 'kafkajs gives its cluster to partition assigners');
  return found;
}

/** Looks at the waiting requests when the broker's throttling is over, and sets no other timer. */
export function calm(queue: RequestQueue): void {
  queue.scheduleCheckPendingRequests = () => {
    if (queue.throttleCheckTimeoutId || queue.pending.length === 0) return;
    queue.throttleCheckTimeoutId = setTimeout(
      () => {
        queue.throttleCheckTimeoutId = null;
        queue.checkPendingRequests();
      },
      Math.max(1, queue.throttledUntil - Date.now()),
    );
  };
}

export function logsInInTime(connection: PooledConnection): void {
  Object.defineProperty(connection, 'reauthenticationThreshold', {
    get: () => Math.min(10_000, Math.floor(connection.sessionLifetime.toNumber() / 5)),
  });
}
