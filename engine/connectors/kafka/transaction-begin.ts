// Asks the brokers since when a transaction is open: the leader for its producer, the coordinators
// for the transaction of that producer.
import type { Brokers } from './brokers.ts';
import { kafkaErrors } from './requests.ts';
import { describeProducers, describeTransaction, listTransactions } from './transaction-requests.ts';

export type TransactionBegin =
  | { readonly kind: 'known'; readonly id: string; readonly since: number }
  /** `why`: the end of a sentence. */
  | { readonly kind: 'unknown'; readonly why: string };

type Asked = Pick<Brokers, 'ask' | 'nodes' | 'speaks'>;
interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  /** Where the transaction begins. */
  readonly offset: number;
}

const tooOld = { kind: 'unknown', why: 'the broker is older than Kafka 3.0' } as const;
/** A broker shows only the transactions whose ids this client may describe. */
const notShown = {
  kind: 'unknown',
  why: 'the brokers show this client no transaction for it (the right DESCRIBE on its transactional id may be missing)',
} as const;

/** Throws when a broker does not answer. */
export async function transactionBegin(brokers: Asked, place: Place): Promise<TransactionBegin> {
  const { topic, partition, leader, offset } = place;
  if (!(await brokers.speaks(leader, describeProducers))) return tooOld;
  const open = await brokers.ask(leader, describeProducers, { topic, partition });
  const found = open.find(({ firstOffset }) => firstOffset === offset);
  if (!found) return notShown;
  for (const node of new Set([leader, ...brokers.nodes()])) {
    const begin = await beginAt(brokers, node, found.producer).catch(() => undefined);
    if (begin) return begin;
  }
  return notShown;
}

async function beginAt(brokers: Asked, node: number, producer: number): Promise<TransactionBegin | undefined> {
  if (!(await brokers.speaks(node, listTransactions))) return undefined;
  for (const id of await brokers.ask(node, listTransactions, { producer })) {
    const state = await brokers.ask(node, describeTransaction, { id });
    if (state?.error === kafkaErrors.none && state.producer === producer && state.since !== undefined)
      return { kind: 'known', id, since: state.since };
  }
  return undefined;
}
