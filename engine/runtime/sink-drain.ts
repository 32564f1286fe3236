// Sinks on their way out: they take and write what was sent to them before the change, as long as
// they make progress, and what they could not write is counted.
import { SluiceError } from '../errors/error.ts';
import { isSink } from '../graph/kinds.ts';
import type { TaskFailure } from './task-failure.ts';
import type { Task } from './task.ts';

/** Asked about once a second: after so many times nothing waits for a sink any longer. */
const mostChecks = 30;

export class SinkDrain {
  #before = '';
  #checks = 0;

  /** Some sink has taken or written rows since the last call. */
  goesOn(leaving: Iterable<Task>): boolean {
    const sinks = [...leaving].filter(isSinkTask);
    const now = sinks.map((task) => `${task.id} ${task.recordsIn} ${task.inFlight}`).join();
    const hasMoved = now !== '' && now !== this.#before;
    this.#before = now;
    this.#checks = hasMoved ? this.#checks + 1 : 0;
    return hasMoved && this.#checks < mostChecks;
  }
}

export function isSinkTask({ chain }: Pick<Task, 'chain'>): boolean {
  return chain.nodes.some(isSink);
}
export function rowsNotWritten(task: Task): TaskFailure {
  const node = task.chain.nodes.find(isSink)!;
  const { unfinished } = task;
  const error = new SluiceError(
    'rows-not-written',
    `${node.name} was replaced while its target did not take rows. At least ${unfinished} of its rows were not written.`,
    { rows: unfinished },
  );
  return { node: node.id, error };
}
