// The error about records from Kafka that cannot be read. Its message is the rest of a sentence:
// the reader puts the partition and the offset before it.

export class RecordsUnreadable extends Error {}

/** A batch is larger than the limit, `most` bytes. */
export function tooLarge(most: number): RecordsUnreadable {
  return new RecordsUnreadable(
    `its batch holds more than ${most.toLocaleString('en-US')} bytes, the limit for one batch. If the topic has such batches, raise the limit: kafka(topic, { maxBatchBytes }).`,
  );
}
