// Which broker coordinates a consumer group, or the transactions of a transactional id.
import { type Brokers, TryAgain } from './brokers.ts';
import type { Exchange } from './kafkajs-connection.ts';

export interface Coordinator {
  readonly error: number;
  readonly node: number;
}
export interface CoordinatorQuestion {
  /** The name of the group, or the transactional id. */
  readonly key: string;
  readonly of: 'group' | 'transaction';
}

const keyTypes = { group: 0, transaction: 1 } as const;

/** To any broker. */
export const findCoordinator: Exchange<CoordinatorQuestion, Coordinator> = {
  api: 10,
  version: 2,
  write(writer, { key, of }) {
    writer.string(key).int8(keyTypes[of]);
  },
  read(reader) {
    reader.int32();
    const error = reader.int16();
    reader.string();
    return { error, node: reader.int32() };
  },
};

/** Asks any broker. Error: TryAgain. */
export async function groupCoordinator(brokers: Brokers, group: string): Promise<Coordinator> {
  const { brokers: known } = await brokers.metadata([]);
  const [any] = known;
  if (!any) throw new TryAgain('no broker answers');
  return await brokers.ask(any.node, findCoordinator, { key: group, of: 'group' });
}
