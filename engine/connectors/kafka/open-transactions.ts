// Partitions that wait for an open transaction, and since when it is open. The reader reads only
// committed records, so it sees that a transaction is open, and where it begins, and not its time.
// So it asks the brokers once. If they do not tell, the sentence says why, and has the time of the
// transaction's first batch instead, which is asked for too. The records are not used.
import { batchHeaders } from './batch-header.ts';
import type { Brokers } from './brokers.ts';
import { fetch, fetchByName, type FetchedPartition } from './fetch-request.ts';
import { waitsForTransaction } from './fetched-chunk.ts';
import type { AssignedSplit } from './placement.ts';
import { kafkaErrors } from './requests.ts';
import { transactionBegin } from './transaction-begin.ts';
import { dayAndTime, type Troubles } from './troubles.ts';

type Asked = Pick<Brokers, 'ask' | 'nodes' | 'speaks'>;
interface Begin {
  readonly since?: number;
  readonly isAtLeast?: boolean;
}

export class OpenTransactions {
  readonly #brokers: Asked;
  readonly #troubles: Pick<Troubles, 'end' | 'waits'>;
  /** Where the transaction begins that a split waits for. */
  readonly #begins = new Map<AssignedSplit, number>();

  constructor(brokers: Asked, troubles: Pick<Troubles, 'end' | 'waits'>) {
    this.#brokers = brokers;
    this.#troubles = troubles;
  }

  /** The partition's answer to a fetch from its present position. */
  note(answer: FetchedPartition, split: AssignedSplit): void {
    if (!waitsForTransaction(answer, split.next)) return this.forget(split);
    const { lastStable: offset } = answer;
    if (this.#begins.get(split) === offset) return;
    this.forget(split);
    this.#begins.set(split, offset);
    this.#name(split, offset, { isAtLeast: true });
    void this.#lookUp(split, offset);
  }
  /** The split is not read any more, or not known to wait. */
  forget(split: AssignedSplit): void {
    if (this.#begins.delete(split)) this.#troubles.end(keyOf(split));
  }

  #name(split: AssignedSplit, offset: number, begin: Begin, more = '', id?: string): void {
    const of = id === undefined ? '' : ` of ${JSON.stringify(id)}`;
    const sentence = `${split.name} waits for an open transaction${of} that begins at offset ${offset}${more}`;
    this.#troubles.waits(keyOf(split), sentence, begin);
  }
  async #lookUp(split: AssignedSplit, offset: number): Promise<void> {
    const {
      split: { topic, partition },
      leader,
    } = split;
    if (!leader) return;
    const place = { topic, partition, leader: leader.node, offset };
    // Without an answer, the wait is named with the time when it was noticed.
    const begin = await transactionBegin(this.#brokers, place).catch(() => undefined);
    if (this.#begins.get(split) !== offset) return;
    if (begin?.kind === 'known') return this.#name(split, offset, { since: begin.since }, '', begin.id);
    const time = await this.#timeOf(split, offset).catch(() => undefined);
    if (this.#begins.get(split) !== offset) return;
    // The broker's own time is when the transaction wrote first. A producer may give any time.
    if (time?.isOfBroker) return this.#name(split, offset, { since: time.millis });
    const record = time ? `, with a record of ${dayAndTime(time.millis)}` : '';
    const why = begin ? `; its begin is not known: ${begin.why}` : '';
    this.#name(split, offset, { isAtLeast: true }, record + why);
  }
  async #timeOf(
    { split: { topic, topicId, partition }, leader }: AssignedSplit,
    offset: number,
  ): Promise<{ readonly millis: number; readonly isOfBroker: boolean } | undefined> {
    if (!leader) return undefined;
    // A broker gives the first batch as a whole, however few bytes it is asked for.
    const partitions = [{ partition, leaderEpoch: leader.epoch, offset, maxBytes: 1 }];
    const question = {
      maxWaitMillis: 0,
      maxBytes: 1,
      isUncommitted: true,
      topics: [{ topic, id: topicId, partitions }],
    };
    const versions = topicId === undefined ? [fetchByName] : [fetch, fetchByName];
    const [found] = (await this.#brokers.ask(leader.node, versions, question)).partitions;
    if (found?.error !== kafkaErrors.none) return undefined;
    const [batch] = batchHeaders(found.bytes, found.start, found.end);
    if (!batch) return undefined;
    const millis = batch.logAppendTime ? batch.maxTimestamp : batch.firstTimestamp;
    return millis > 0 && millis <= Date.now() ? { millis, isOfBroker: batch.logAppendTime } : undefined;
  }
}

function keyOf({ name }: AssignedSplit): string {
  return `transaction ${name}`;
}
