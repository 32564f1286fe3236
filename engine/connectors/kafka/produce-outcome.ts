// The answers to written batches: which batches are sent again, and which answers are errors of the
// sink. The errors that pass are those that Java's producer retries.
import { SluiceError } from '../../errors/error.ts';
import type { BatchBuilder } from './batch-builder.ts';
import type { Outcome } from './partition-queue.ts';
import { kafkaErrors } from './requests.ts';
import type { Produced } from './sink-requests.ts';

/** Java's RetriableException, as far as a broker answers it to a producer. */
const retriable: ReadonlyMap<number, string> = new Map([
  [2, 'CORRUPT_MESSAGE'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION'],
  [5, 'LEADER_NOT_AVAILABLE'],
  [6, 'NOT_LEADER_OR_FOLLOWER'],
  [7, 'REQUEST_TIMED_OUT'],
  [9, 'REPLICA_NOT_AVAILABLE'],
  [13, 'NETWORK_EXCEPTION'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS'],
  [15, 'COORDINATOR_NOT_AVAILABLE'],
  [16, 'NOT_COORDINATOR'],
  [19, 'NOT_ENOUGH_REPLICAS'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  [41, 'NOT_CONTROLLER'],
  [51, 'CONCURRENT_TRANSACTIONS'],
  [56, 'KAFKA_STORAGE_ERROR'],
  [72, 'LISTENER_NOT_FOUND'],
  [74, 'FENCED_LEADER_EPOCH'],
  [75, 'UNKNOWN_LEADER_EPOCH'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE'],
  [89, 'THROTTLING_QUOTA_EXCEEDED'],
  [100, 'UNKNOWN_TOPIC_ID'],
]);
const refusals: ReadonlyMap<number, string> = new Map([
  [-1, 'UNKNOWN_SERVER_ERROR'],
  [10, 'MESSAGE_TOO_LARGE'],
  [17, 'INVALID_TOPIC_EXCEPTION'],
  [18, 'RECORD_LIST_TOO_LARGE'],
  [21, 'INVALID_REQUIRED_ACKS'],
  [29, 'TOPIC_AUTHORIZATION_FAILED'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED'],
  [32, 'INVALID_TIMESTAMP'],
  [36, 'TOPIC_ALREADY_EXISTS'],
  [37, 'INVALID_PARTITIONS'],
  [38, 'INVALID_REPLICATION_FACTOR'],
  [40, 'INVALID_CONFIG'],
  [44, 'POLICY_VIOLATION'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER'],
  [47, 'INVALID_PRODUCER_EPOCH'],
  [48, 'INVALID_TXN_STATE'],
  [49, 'INVALID_PRODUCER_ID_MAPPING'],
  [50, 'INVALID_TRANSACTION_TIMEOUT'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
  [59, 'UNKNOWN_PRODUCER_ID'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE'],
  [87, 'INVALID_RECORD'],
  [90, 'PRODUCER_FENCED'],
  [120, 'TRANSACTION_ABORTABLE'],
]);
export function isRetriable(error: number): boolean {
  return retriable.has(error);
}
/** An error as Kafka's documentation lists it. */
export function producerErrorName(error: number): string {
  return retriable.get(error) ?? refusals.get(error) ?? `error ${error}`;
}

/** An answer that ends the sink. */
export type Refusal = 'refused' | 'topicNotAllowed' | 'clusterNotAllowed';

/** Somebody else has ended the transaction. The error comes when the queue asks for a producer. */
const transactionIsOver: readonly number[] = [48, 49, 90, 120];

export function outcomeOf(error: number, rows: number, isOfTransaction = false): Outcome | Refusal {
  if (isOfTransaction && transactionIsOver.includes(error)) return 'forgotten';
  switch (error) {
    case kafkaErrors.none:
    // The batch was written before, and its first answer was lost.
    case kafkaErrors.duplicateSequence:
      return 'written';
    case kafkaErrors.messageTooLarge:
    case kafkaErrors.recordListTooLarge:
      return rows > 1 ? 'halves' : 'refused';
    case kafkaErrors.outOfOrderSequence:
      return 'outOfSequence';
    case kafkaErrors.invalidProducerEpoch:
    case kafkaErrors.unknownProducer:
      return 'forgotten';
    case kafkaErrors.topicAuthorizationFailed:
      return 'topicNotAllowed';
    case kafkaErrors.clusterAuthorizationFailed:
      return 'clusterNotAllowed';
    default:
      return isRetriable(error) ? 'again' : 'refused';
  }
}

/** Why an error that may pass does not pass, if the user can change it. */
export function hintOf(error: number): string {
  switch (error) {
    case 19:
    case 20:
      return "fewer replicas are in sync than the topic's min.insync.replicas. Start the other brokers, or lower min.insync.replicas";
    case 2:
      return 'the batch arrived damaged';
    default:
      return '';
  }
}

export function refusal(topic: string, answer: Produced, batch: BatchBuilder): SluiceError {
  const { partition, error, message } = answer;
  const place = `${topic}[${partition}]`;
  const details = { topic, partition, error };
  const row = rowOf(batch, answer.row);
  if (error === kafkaErrors.messageTooLarge || error === kafkaErrors.recordListTooLarge)
    return new SluiceError(
      'kafka-row-too-large',
      `A row of ${batch.size.toLocaleString('en-US')} bytes is more than topic "${topic}" takes. Make it smaller, or raise the topic's max.message.bytes. It is for ${place}: ${row}`,
      { ...details, bytes: batch.size },
    );
  const unknown = (): string =>
    `${(message ?? producerErrorName(error)).replace(/\.$/, '')}. Change these rows or the settings of the topic; the broker's log may say more`;
  const why = reasonOf(answer) ?? unknown();
  return new SluiceError('kafka-refused', `Topic ${place} refuses rows: ${why}. Row: ${row}`, details);
}

function reasonOf({ error, message = '' }: Produced): string | undefined {
  switch (error) {
    case kafkaErrors.invalidTimestamp:
      return 'the timestamp of a row is outside of what the topic allows (message.timestamp.before.max.ms and after.max.ms). Give to() another `timestamp`';
    case kafkaErrors.invalidRecord:
      if (!/without key|compact/i.test(message)) return undefined;
      return 'it is compacted, so each row needs a key. Give to() a `key`';
    case 21:
      return 'it does not know the acknowledgement that was asked for. Leave out the `acks` of to()';
    case 76:
      return 'it does not take this compression. Give to() another `compression`';
    default:
      return undefined;
  }
}

const shownCharacters = 120;
function rowOf(batch: BatchBuilder, index: number | undefined): string {
  const row = batch.row(index ?? 0);
  if (!row) return 'the broker names none.';
  const text = row.value.toString('utf8', 0, 4 * shownCharacters);
  const value = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
  const key = row.key === undefined ? '' : `key ${JSON.stringify(row.key.toString('utf8', 0, shownCharacters))}, `;
  const which = index === undefined && batch.count > 1 ? `one of ${batch.count}, the first is ` : '';
  return `${which}${key}${value}`;
}
