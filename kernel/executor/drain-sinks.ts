// The last wait of an executor: its sinks get the acknowledgements of the rows that they took.
import type { Runtime } from '../../engine/runtime/runtime.ts';
import { isSinkTask } from '../../engine/runtime/sink-drain.ts';

const lookMillis = 10;
/** Control is told this often that the executor lives. */
const reportMillis = 200;
/** A sink without progress for so long is given up. */
const silentMillis = 2_000;
const longestMillis = 10_000;

/**
 * Resolves when no sink waits for an acknowledgement, or when waiting does not help. No task has a
 * turn meanwhile.
 */
export async function drainSinks(runtime: Runtime, report: () => void): Promise<void> {
  const tasks = [...runtime.tasks.values()];
  const sinks = [...tasks.filter(isSinkTask), ...runtime.waitingSinks, ...runtime.retired];
  // The offsets of the last checkpoint, on their way to a consumer group.
  const commitsOffsets = (): boolean =>
    tasks.some(({ source, isOpen }) => isOpen && (source?.status().inFlight ?? 0) > 0);
  const start = performance.now();
  let [progressAt, reportedAt, before] = [start, start, Infinity];
  for (;;) {
    // A sink without a guarantee lets barriers pass, and has rows to write nevertheless.
    const waiting = sinks.filter(
      // Its last checkpoint is complete, and it commits.
      (task) => !task.isDrained() || task.inFlight > 0 || (task.status === 'ended' && task.hasUncommitted),
    );
    if (waiting.length === 0 && !commitsOffsets()) return;
    const now = performance.now();
    const rows = waiting.reduce((sum, { inFlight }) => sum + inFlight, 0);
    if (rows < before) progressAt = now;
    before = rows;
    if (now - progressAt > silentMillis || now - start > longestMillis) return;
    if (now - reportedAt > reportMillis) {
      reportedAt = now;
      report();
    }
    await new Promise((resolve) => setTimeout(resolve, lookMillis));
  }
}
