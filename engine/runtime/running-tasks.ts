// The tasks of the running graph: those of the plan, those on their way out, and the order of their
// turns.
import type { Plan } from '../graph/plan.ts';
import type { Barrier } from './channel.ts';
import { RetiredTasks } from './retired-tasks.ts';
import { isSinkTask } from './sink-drain.ts';
import type { Task } from './task.ts';

export class RunningTasks {
  /** The graph as of the last mutation asked for. */
  plan: Plan = { version: 1, nodes: [], edges: [] };
  /** By instance id of the head: the target of the last mutation. */
  byId: ReadonlyMap<string, Task> = new Map();
  /** As of the last mutation (`MutateOptions.groups`). */
  groups: ReadonlySet<string> | undefined;
  /** Removed tasks that have not passed their last barrier. */
  readonly leaving = new Set<Task>();
  /** Removed tasks that have passed their last barrier and have rows to commit. */
  readonly retired = new RetiredTasks();
  /** Readers before writers, so that records on their way are taken before more are let in. */
  order: readonly Task[] = [];

  /** `order` names the tasks of the plan. Tasks on their way out come first: they only drain. */
  become(plan: Plan, byId: ReadonlyMap<string, Task>, order: readonly string[]): void {
    this.plan = plan;
    this.byId = byId;
    this.order = [...this.leaving, ...order.map((id) => byId.get(id)!)];
  }
  /**
   * Sinks of these groups take no row from now on, if the rows can wait. Not those that change: the
   * rows before the change belong to it.
   */
  hold(groups: ReadonlySet<string> | undefined, changing: ReadonlyMap<Task, unknown>): void {
    for (const task of this.byId.values()) {
      if (!isSinkTask(task)) continue;
      const isHeld = groups?.has(task.chain.nodes[0]!.group) === true && !changing.has(task);
      task.intake = isHeld ? 'holds' : 'takes';
    }
  }
  /** A sink that leaves writes what has waited, but not if its cell is gone. */
  release(task: Task): void {
    if (task.intake !== 'holds') return;
    if (this.groups?.has(task.chain.nodes[0]!.group)) task.intake = 'takes';
    else task.discardRows();
  }
  /** All that know something of a checkpoint. */
  get all(): readonly Task[] {
    return [...this.byId.values(), ...this.leaving, ...this.retired.tasks];
  }
  /**
   * A removed task has passed its last barrier. A successor has what is to be committed; without
   * one, the task waits for its commit.
   */
  leave(task: Task, hasSuccessor: boolean, { epoch, commitsWith }: Barrier): void {
    if (hasSuccessor || !isSinkTask(task) || !task.hasUncommitted) return this.drop(task);
    this.leaving.delete(task);
    this.order = this.order.filter((other) => other !== task);
    this.retired.add(task, { instance: `${task.id}#${commitsWith}`, since: epoch });
  }
  /** Some task that has ended or was removed has rows to commit. Removed ones that have none go. */
  awaitCommits(): boolean {
    this.retired.closeCommitted();
    return this.retired.size > 0 || [...this.byId.values()].some((task) => task.awaitsCommit());
  }
  /** Closes a task that has gone. */
  drop(task: Task): void {
    this.leaving.delete(task);
    this.order = this.order.filter((other) => other !== task);
    task.close();
  }
  close(): void {
    for (const task of this.all) task.close();
    this.retired.clear();
    this.order = [];
    this.byId = new Map();
  }
}
