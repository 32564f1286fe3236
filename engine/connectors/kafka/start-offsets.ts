// The offsets where reading starts and stops. `from` and `until` become an offset for each
// partition, once, when the source first starts.
import { SluiceError } from '../../errors/error.ts';
import type { Cluster } from './cluster.ts';
import type { Offsets, ReadRequest } from './reader-messages.ts';
import { earliestOffset, latestOffset } from './requests.ts';

export async function startOffsets(
  cluster: Cluster,
  { topic, from, until }: ReadRequest,
  partitions: readonly number[],
): Promise<{ next: Offsets; ends?: Offsets }> {
  // The end is that of the committed records: an open transaction is beyond it.
  const [earliest, latest] = await Promise.all([
    cluster.offsets(topic, partitions, earliestOffset),
    cluster.offsets(topic, partitions, latestOffset),
  ]);
  const firstAt = async (time: number): Promise<Map<number, number>> => {
    const found = await cluster.offsets(topic, partitions, time);
    const none = -1;
    return new Map(partitions.map((p) => [p, found.get(p) === none ? latest.get(p)! : found.get(p)!]));
  };
  let next: ReadonlyMap<number, number>;
  if (from === 'earliest') next = earliest;
  else if (from === 'latest') next = latest;
  else if ('timestamp' in from) next = await firstAt(from.timestamp);
  else next = givenOffsets(topic, from.offsets, earliest, latest);
  if (until === undefined) return { next: Object.fromEntries(next) };
  const ends = until === 'latest' ? latest : await firstAt(until.timestamp);
  return { next: Object.fromEntries(next), ends: Object.fromEntries(ends) };
}

/** Partitions that are not named are read from their earliest offset. */
function givenOffsets(
  topic: string,
  given: Readonly<Record<string, string>>,
  earliest: ReadonlyMap<number, number>,
  latest: ReadonlyMap<number, number>,
): Map<number, number> {
  const next = new Map(earliest);
  for (const [name, text] of Object.entries(given)) {
    const partition = Number(name);
    const first = earliest.get(partition);
    const last = latest.get(partition);
    if (first === undefined || last === undefined)
      throw refused(topic, `${topic} has the partitions 0 to ${earliest.size - 1}; \`from.offsets\` names ${name}.`);
    const offset = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(offset))
      throw refused(topic, `"${text}" in \`from.offsets\` is not an offset of ${topic}[${name}].`);
    if (offset < first || offset > last)
      throw refused(
        topic,
        `${topic}[${name}] holds the offsets ${first} to ${last}; \`from.offsets\` asks for ${text}.`,
      );
    next.set(partition, offset);
  }
  return next;
}

function refused(topic: string, message: string): SluiceError {
  return new SluiceError('kafka-bad-offsets', message, { topic });
}
