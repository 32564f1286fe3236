// What a snapshot waits for: the tasks that are part of it, and those of them that hold its barrier
// back.
import { kinds } from '../graph/kinds.ts';
import type { Plan } from '../graph/plan.ts';
import { above } from '../graph/walk.ts';
import type { Task } from './task.ts';

/**
 * Tasks that a snapshot waits for. A task that only pulls read is none of them: a pull does not
 * outlive its executor, and its reader may take its time. Tasks outside the plan are on their way
 * out and count.
 */
export function awaitedTasks(plan: Plan, tasks: ReadonlyMap<string, Task>, passing: ReadonlySet<Task>): Set<Task> {
  const read = new Set(plan.edges.map((edge) => edge.from));
  const leaves = plan.nodes.filter(({ id, kind }) => !kinds[kind].isReadByCell && !read.has(id));
  const awaited = above(
    plan.edges,
    leaves.map(({ id }) => id),
  );
  const isInPlan = (task: Task): boolean => tasks.get(task.id) === task;
  return new Set([...passing].filter((task) => !isInPlan(task) || task.chain.nodes.some(({ id }) => awaited.has(id))));
}

/**
 * Of the tasks that have not passed a barrier, those that hold it back: the first ones that it has
 * reached, or, where these have no room, the slow readers behind them.
 */
export function blockingTasks(awaited: ReadonlySet<Task>, all: readonly Task[]): readonly Task[] {
  const ahead = new Set([...awaited].flatMap((task) => task.output.channels()));
  const reached = [...awaited].filter((task) =>
    task.gate.slots.every(({ channel }) => !channel || !ahead.has(channel)),
  );
  const culprits = (task: Task): readonly Task[] => {
    if (!task.waitsForRoom) return [task];
    const full = new Set(task.output.channels().filter(({ room }) => room <= 0));
    const slow = all.filter((reader) => reader.gate.slots.some(({ channel }) => channel && full.has(channel)));
    return slow.flatMap(culprits);
  };
  return [...new Set(reached.flatMap(culprits))];
}
