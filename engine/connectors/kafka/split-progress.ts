// How far a topic's source has read: as a text for people, and as numbers.
import type { Progress } from '../../contract/source.ts';
import type { KafkaParameters } from '../../graph/parameters.ts';
import { nameOf, type SplitPosition } from './split.ts';

/** Without positions it has not started. */
export function positionText(
  { topic, from, pattern }: Pick<KafkaParameters<unknown>, 'topic' | 'from' | 'pattern'>,
  positions: readonly SplitPosition[] | undefined,
): string {
  if (!positions) return `${topic} ${typeof from === 'string' ? from : JSON.stringify(from)}`;
  return [topic, ...positions.map((split) => `${pattern ? nameOf(split) : split.partition}:${split.offset}`)].join(' ');
}
export function progressOf(positions: readonly SplitPosition[]): Progress {
  return Object.fromEntries(positions.map((split) => [nameOf(split), split.offset]));
}
