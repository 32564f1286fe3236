// What a group has committed of a topic, summed over its partitions.
import { setTimeout as sleep } from 'node:timers/promises';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';

/** A coordinator may not be there at first. */
export async function groupOffsets({ admin }: IndependentClient, groupId: string, topic: string): Promise<number> {
  for (;;) {
    try {
      const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
    } catch (error) {
      if (!(error instanceof Error && 'retriable' in error && error.retriable === true)) throw error;
      await sleep(100);
    }
  }
}
