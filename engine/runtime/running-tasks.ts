// The tasks of the running graph: those of the plan, those on their way out, and the order of their
// turns.
import type { Plan } from '../graph/plan.ts';
import type { Task } from './task.ts';

export class RunningTasks {
  /** The graph as of the last mutation asked for. */
  plan: Plan = { version: 1, nodes: [], edges: [] };
  /** By instance id of the head: the target of the last mutation. */
  byId: ReadonlyMap<string, Task> = new Map();
  /** Removed tasks that have not passed their last barrier. */
  readonly leaving = new Set<Task>();
  /** Readers before writers, so that records on their way are taken before more are let in. */
  order: readonly Task[] = [];

  /** `order` names the tasks of the plan. Tasks on their way out come first: they only drain. */
  become(plan: Plan, byId: ReadonlyMap<string, Task>, order: readonly string[]): void {
    this.plan = plan;
    this.byId = byId;
    this.order = [...this.leaving, ...order.map((id) => byId.get(id)!)];
  }
  /** Closes a task that has gone. */
  drop(task: Task): void {
    this.leaving.delete(task);
    this.order = this.order.filter((other) => other !== task);
    task.close();
  }
  close(): void {
    for (const task of [...this.byId.values(), ...this.leaving]) task.close();
    this.order = [];
    this.byId = new Map();
  }
}
