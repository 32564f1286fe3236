// Failures that a restart cannot mend: the next life would meet them again, because what it needs
// is gone, or because somebody has to change something. A restart strategy does not answer them, as
// Flink's SuppressRestartsException tells its strategies not to.
//
// What a function of the user throws or gives is not here: it may ask something outside, and answer
// otherwise the next time. A broker, a registry or a disk that does not answer may come back.

const permanent: ReadonlySet<string> = new Set([
  // The position of a source means nothing any more, or its records cannot be read.
  ...['kafka-offset-gone', 'kafka-topic-made-again', 'kafka-truncated', 'kafka-unknown-topic', 'kafka-unreadable'],
  ...['kafka-bad-offsets', 'no-file', 'file-changed', 'bad-file', 'not-replayable'],
  // The saved state fits no operator, or an operator cannot save it.
  ...['other-state', 'newer-state', 'bad-state', 'lost-key', 'state-not-stored', 'function-gone'],
  // Nobody gets in with these names, secrets, certificates and rights.
  ...['kafka-no-connection', 'kafka-bad-connection', 'kafka-login', 'kafka-tls', 'kafka-not-allowed', 'kafka-version'],
  ...['connection-secret', 'connection-file'],
  ...['registry-no-connection', 'registry-bad-connection', 'registry-refused', 'registry-tls'],
  // The target does not take these rows, or not in this place.
  ...['kafka-not-created', 'kafka-refused', 'kafka-row-too-large', 'kafka-transaction-timeout'],
  ...['registry-refused-schema', 'registry-no-schema', 'bad-schema', 'schema-file'],
  ...['folder-in-use', 'part-gone', 'part-changed', 'part-in-the-way'],
  // The plan itself is wrong.
  ...['not-in-batches', 'not-yet'],
]);

/** `code`: of a `SluiceError`. */
export function isPermanent(code: string): boolean {
  return permanent.has(code);
}
