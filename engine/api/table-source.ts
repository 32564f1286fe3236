// table(): a compacted topic as a table. A record is the row of the key in its field `key`. A
// record without a value is a tombstone: it deletes the row.
import { SluiceError } from '../errors/error.ts';
import type { Builder } from './builder.ts';
import { declareTopic, kafkaOptionNames } from './kafka.ts';
import { readOptions, text } from './options.ts';
import { describe } from './parameters.ts';
import { declareToTable, type PlannedTable } from './table.ts';

/**
 * `from` is 'earliest' by default, unlike that of kafka(), because a table needs all records of the
 * topic. engine/connectors/kafka/table-decoder.ts describes how the key of a tombstone is read. A
 * record that is not a row (not JSON, or without the field) counts as an error of the source.
 */
export function declareTable<T, K>(builder: Builder, topic: unknown, given: unknown): PlannedTable<T, K> {
  if (topic instanceof RegExp)
    throw new SluiceError('bad-option', `table() reads one topic by its name, not all that match ${describe(topic)}.`);
  const known = kafkaOptionNames.filter((name) => name !== 'meta');
  const { key, ...options } = readOptions('table()', given, [...known, 'key']);
  const field = text('The key of table()', key);
  const source = declareTopic<T>(builder, topic, { from: 'earliest', ...options }, field);
  const draft = builder.declare({
    verb: 'byKey',
    kind: 'keyBy',
    about: field,
    parameters: { key: { fields: ['key'] }, of: field },
    inputs: [{ from: source.place.origin }],
  });
  return declareToTable<T, K>(
    { origin: { draft, port: 'out' }, builder, keyFields: [field] },
    'table',
    topic as string,
  );
}
