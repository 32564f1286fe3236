// Holds the application id of an exported job in the cluster of its first connection, so that a
// second instance with another state folder is refused. A job without Kafka has only its folder.
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connectionNamed } from '../../engine/connections/connection-named.ts';
import { ApplicationClaim } from '../../engine/connectors/kafka/application-claim.ts';
import type { JobFailure } from './job-failure.ts';

export interface InstanceClaim {
  /** The state folder belongs to this process. Error: `application-in-use`. */
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** Resolves when another instance has the id. */
  readonly lost: Promise<JobFailure>;
}
export interface Claimed {
  readonly application: string;
  readonly stateDirectory: string;
  /** Names; '' is the default one. */
  readonly connections: readonly string[];
  readonly warn: (text: string) => void;
}

export function claimInstance({ application, stateDirectory, connections, warn }: Claimed): InstanceClaim | undefined {
  const [name] = connections;
  if (name === undefined) return undefined;
  const { promise: lost, resolve: lose } = Promise.withResolvers<JobFailure>();
  // The next process on this folder takes this one out of the group, so it need not wait for it.
  const file = join(stateDirectory, 'instance');
  let claim: ApplicationClaim | undefined;
  return {
    lost,
    async start() {
      claim = new ApplicationClaim({
        application,
        connection: connectionNamed(name === '' ? undefined : name),
        identity: `process ${process.pid} on ${hostname()}`,
        former: readIfThere(file),
        onMember: (member) => writeFileSync(file, member),
        onLost: ({ code, message }) => lose({ code, message }),
        onUnknown: (why) =>
          warn(
            `It is not known whether another instance with the id "${application}" runs: ${why.replace(/\.?$/, '.')}`,
          ),
      });
      await claim.start();
    },
    async close() {
      await claim?.close();
    },
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}
