// What became of the parts of snapshots that were given up: the next snapshot has them too.
import { joinedSnapshots, type TaskSnapshot } from './snapshot.ts';
import type { Task } from './task.ts';

/** Parts of snapshots that were given up, until they are reported with a later snapshot. */
export class UnreportedParts {
  #snapshots: { readonly epoch: number; readonly parts: ReadonlyMap<Task, TaskSnapshot> }[] = [];

  add(epoch: number, parts: ReadonlyMap<Task, TaskSnapshot>): void {
    this.#snapshots.push({ epoch, parts });
    this.#snapshots.sort((a, b) => a.epoch - b.epoch);
  }
  /** The parts of a snapshot by task id, with all that was given up before it. */
  reported(epoch: number, parts: ReadonlyMap<Task, TaskSnapshot>): Map<string, TaskSnapshot> {
    const before = this.#snapshots.filter((one) => one.epoch < epoch);
    this.#snapshots = this.#snapshots.filter((one) => one.epoch > epoch);
    const whole = (task: Task, part: TaskSnapshot): TaskSnapshot =>
      joinedSnapshots([...before.flatMap((one) => one.parts.get(task) ?? []), part]);
    return new Map([...parts].map(([task, part]) => [task.id, whole(task, part)]));
  }
}
