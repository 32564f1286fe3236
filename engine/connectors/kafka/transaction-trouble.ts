// What can be wrong with a transaction: each error names the transactional id, and says what helps.
import { SluiceError } from '../../errors/error.ts';
import type { Committable } from './committable.ts';
import { producerErrorName } from './produce-outcome.ts';

/** The epoch is not the present one, the id is unknown, or no such transaction is open. */
const gone: readonly number[] = [47, 48, 49, 90, 120];
/** The coordinator knows this transaction no more: somebody else has ended it. */
export function isGone(error: number): boolean {
  return gone.includes(error);
}

/** Passing errors are not for this. */
export function refusedTransaction(id: string, prefix: string, cluster: string, error: number): SluiceError {
  const details = { transactionalId: id, error };
  switch (error) {
    case 53:
      return new SluiceError(
        'kafka-not-allowed',
        `Transactions with the transactional id "${id}" on ${cluster} are not allowed: the right WRITE on the transactional id is missing. Ask for the rights WRITE and DESCRIBE on all transactional ids that begin with "${prefix}", or give to() a \`transactionalIdPrefix\` that is allowed.`,
        { ...details, missing: 'WRITE' },
      );
    case 50:
      return new SluiceError(
        'kafka-transaction-timeout',
        `The transactionTimeout of to() is longer than ${cluster} allows (transaction.max.timeout.ms of the broker). Make it shorter, or raise the broker's setting.`,
        details,
      );
    default:
      return new SluiceError(
        'kafka-refused',
        `${cluster} refuses a transaction with the transactional id "${id}": ${producerErrorName(error)}. The broker's log may say more.`,
        details,
      );
  }
}

/** What was open is in no checkpoint. */
const rowsOfIt = 'A restart from the last checkpoint writes its rows again; without one they are lost.';

export function fenced(topic: string, id: string, prefix: string): SluiceError {
  return new SluiceError(
    'transaction-fenced',
    `The transaction "${id}" for topic "${topic}" was taken over: another job uses the transactional id prefix "${prefix}". ${rowsOfIt} Stop the other job, or give one of the two another \`transactionalIdPrefix\`.`,
    { topic, transactionalId: id, prefix },
  );
}
export function timedOut(topic: string, id: string, timeoutMillis: number): SluiceError {
  return new SluiceError(
    'transaction-timed-out',
    `The transaction "${id}" for topic "${topic}" was open for longer than ${seconds(timeoutMillis)}, and the broker has aborted it. No checkpoint was completed for so long. ${rowsOfIt} Take checkpoints more often, or give to() a longer \`transactionTimeout\`.`,
    { topic, transactionalId: id, timeoutMillis },
  );
}
/** A topic that was deleted and made again is another topic. Its coordinator notices nothing. */
export function madeAgain(topic: string, id: string, rows: number): SluiceError {
  return new SluiceError(
    'transaction-topic-gone',
    `Topic "${topic}" was deleted and made again while the transaction "${id}" was open. ${rowsIn(rows)} not in the new topic. ${rowsOfIt}`,
    { topic, transactionalId: id, rows },
  );
}
function rowsIn(rows: number): string {
  return rows === 1 ? 'The row of it is' : `The ${rows.toLocaleString('en-US')} rows of it are`;
}
/** A transaction that a checkpoint lists: who has ended it instead of a commit. */
export interface EndedBy {
  readonly prefix: string;
  readonly timeoutMillis: number;
  readonly now: number;
}
/**
 * A checkpoint lists it, and its rows cannot be committed any more. The broker ends what is older
 * than its time-out. Only a producer that begins with the same id ends what is younger.
 */
export function expired(
  topic: string,
  { transactionalId, partitions, begunAt }: Committable,
  by: EndedBy,
): SluiceError {
  const places = partitions.map(([partition, first, last]) => `${topic}[${partition}] ${first} to ${last}`);
  const { prefix, timeoutMillis, now } = by;
  const [why, wayOut] =
    now - begunAt < timeoutMillis
      ? [
          `another job has begun with this transactional id: it uses the prefix "${prefix}", too.`,
          'Stop the other job, or give one of the two another `transactionalIdPrefix`.',
        ]
      : [
          `its time-out of ${seconds(timeoutMillis)} was over.`,
          'Start a job again before that time, or give to() a longer `transactionTimeout`.',
        ];
  return new SluiceError(
    'transaction-expired',
    `The transaction "${transactionalId}" of a complete checkpoint was aborted before it was committed: ${why} Its rows were at the offsets ${places.join(', ')}. Only an earlier checkpoint can write them again. ${wayOut}`,
    { topic, transactionalId, offsets: partitions.map(([partition, first, last]) => ({ partition, first, last })) },
  );
}
function seconds(millis: number): string {
  return `${millis / 1000} s`;
}
