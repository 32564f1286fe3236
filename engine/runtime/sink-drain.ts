// Sinks on their way out: they take and write what was sent to them before the change, as long as
// they make progress.
//
//   leaving ─progress──────────────────────────────► leaving, 30 s at most
//      ├─none, or too slow─────────► waiting: the change goes on without it, and no snapshot is
//      │                             complete until it has written all
//      └─the same, its cell is gone► cut, and what it could not write is counted
//
// Operators above a waiting sink bring rows that it has to write. If it stands still, they wait
// with it. If it is only slow, they do so above a sink with commits of its own, because its rows
// count exactly once. An operator that never ends is stopped by an interrupt, or goes when its cell
// is deleted.
import { SluiceError } from '../errors/error.ts';
import { commitsByUserCode, commitsRows, isSink } from '../graph/kinds.ts';
import type { TaskFailure } from './task-failure.ts';
import type { Task } from './task.ts';

/** Asked about once a second: after so many times nothing waits for a sink any longer. */
const mostChecks = 30;

export class SinkDrain {
  #before = '';
  #checks = 0;

  /** Since the last call some sink has taken or written rows, or none has, or it takes too long. */
  look(leaving: Iterable<Task>): 'goes on' | 'stands still' | 'takes too long' {
    const sinks = [...leaving].filter(isSinkTask);
    const now = sinks.map((task) => `${task.id} ${task.recordsIn} ${task.inFlight}`).join();
    const hasMoved = now !== '' && now !== this.#before;
    this.#before = now;
    this.#checks = hasMoved ? this.#checks + 1 : 0;
    if (!hasMoved) return 'stands still';
    return this.#checks < mostChecks ? 'goes on' : 'takes too long';
  }
}

export function isSinkTask({ chain }: Pick<Task, 'chain'>): boolean {
  return chain.nodes.some(isSink);
}
/**
 * Its target may take them later. Only the user gives them up, by deleting the cell: also those of
 * a function that will never answer.
 */
export function keepsItsRows({ chain }: Task, groups: ReadonlySet<string> | undefined): boolean {
  const sink = chain.nodes.find(isSink);
  return sink !== undefined && (groups?.has(sink.group) ?? true);
}
/** What it writes becomes visible with a checkpoint, by a commit of the engine's own sinks. */
export function commitsItsRows({ chain }: Task): boolean {
  const sink = chain.nodes.find(isSink);
  return sink !== undefined && commitsRows(sink) && !commitsByUserCode(sink);
}
/**
 * Tasks among these that bring rows to one of the sinks, and wait because it has no room. One that
 * has room at this moment counts while a sink takes rows: room comes and goes then.
 */
export function heldBackBy(sinks: Iterable<Task>, leaving: Iterable<Task>, isMoving: boolean): ReadonlySet<Task> {
  const held = new Set<Task>(sinks);
  const candidates = [...leaving].filter(({ waitsForRoom }) => isMoving || waitsForRoom);
  // The set grows while it is walked.
  for (const { gate } of held) {
    const inputs = new Set(gate.slots.flatMap(({ channel }) => channel ?? []));
    for (const task of candidates) if (task.output.channels().some((channel) => inputs.has(channel))) held.add(task);
  }
  return held;
}
export function rowsNotWritten(task: Task): TaskFailure {
  const node = task.chain.nodes.find(isSink)!;
  const { unfinished } = task;
  const error = new SluiceError(
    'rows-not-written',
    `${node.name} was removed while its target did not take rows. At least ${unfinished} of its rows were not written.`,
    { rows: unfinished },
  );
  return { node: node.id, error };
}
