// An error that is final: what it ends. One broken partition or topic holds no other back.
//
//   about a partition (unreadable records, lost records)       ─► that split
//   about a topic (deleted, made again, not allowed), by name  ─► the source: it has no other topic
//   about a topic, one of a pattern                            ─► the splits of that topic
import { SluiceError } from '../../errors/error.ts';
import type { ReaderError } from './reader-messages.ts';
import { nameOf, type Split } from './split.ts';

const aboutTopic: ReadonlySet<string> = new Set(['kafka-not-allowed', 'kafka-topic-made-again', 'kafka-unknown-topic']);

/**
 * The splits that the error ends, of those that are read. undefined: all, the source has failed.
 */
export function splitsEndedBy(
  error: SluiceError,
  split: Split,
  read: Iterable<Split>,
  isPattern: boolean,
): readonly string[] | undefined {
  if (!aboutTopic.has(error.code)) return [nameOf(split)];
  if (!isPattern) return undefined;
  return Array.from(read)
    .filter(({ topic }) => topic === split.topic)
    .map(nameOf);
}

export function readerError(error: unknown): ReaderError {
  const { code, message, details } = asKafkaError(error);
  return { code, message, details: details as ReaderError['details'] };
}
export function asKafkaError(error: unknown): SluiceError {
  return error instanceof SluiceError ? error : new SluiceError('kafka-failure', String(error));
}

const shownPlaces = 3;
/** For a status; `places` name partitions. undefined: there is none. */
export function stoppedText(places: readonly string[]): string | undefined {
  if (places.length === 0) return undefined;
  const rest = places.length > shownPlaces ? ` and ${places.length - shownPlaces} more` : '';
  const verb = places.length === 1 ? 'has' : 'have';
  return `${places.slice(0, shownPlaces).join(', ')}${rest} ${verb} stopped with an error; the others go on`;
}
