// How far sources have read, and whether they have read as far as once before.
import type { Progress } from '../contract/source.ts';
import type { Task } from './task.ts';

/** By source instance. */
export type ReadBySource = Readonly<Record<string, Progress>>;

/** A source that has ended, has failed or is gone reads no more, so nobody waits for it. */
export function hasRead(tasks: ReadonlyMap<string, Task>, read: ReadBySource): boolean {
  return Object.entries(read).every(([id, before]) => {
    const task = tasks.get(id);
    if (!task?.source || task.status === 'ended' || task.status === 'failed') return true;
    const now = task.isOpen ? (task.source.progress?.() ?? before) : {};
    return Object.entries(before).every(([partition, number]) => (now[partition] ?? -1) >= number);
  });
}
