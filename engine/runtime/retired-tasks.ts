// Sinks that were removed, without a successor, before all that they had finished was committed.
// They take no rows, and stay until their last commit. Each snapshot has them too: a process that
// dies before that commit leaves them to the next one, which makes them again and commits.
import type { Chain } from '../graph/chains.ts';
import { forCommit, isSink } from '../graph/kinds.ts';
import type { PlanNode } from '../graph/plan.ts';
import type { TaskSnapshot } from './snapshot.ts';
import type { Task } from './task.ts';

/** What is needed to make such a sink again. */
export interface RetiredSink {
  /**
   * Its name from now on, over all lives. A sink that comes later may have the id that it had in
   * the plan.
   */
  readonly instance: string;
  readonly node: PlanNode;
}
/** A part of a snapshot. */
export interface RetiredPart extends RetiredSink {
  readonly state: TaskSnapshot;
}
interface Retired {
  readonly instance: string;
  /** The epoch of the barrier at which it was removed. 0: in an earlier life. */
  readonly since: number;
}

export class RetiredTasks {
  readonly #retired = new Map<Task, Retired>();

  get size(): number {
    return this.#retired.size;
  }
  get tasks(): readonly Task[] {
    return [...this.#retired.keys()];
  }
  add(task: Task, retired: Retired): void {
    task.retire();
    this.#retired.set(task, retired);
  }
  closeCommitted(): void {
    for (const task of this.#retired.keys())
      if (!task.hasUncommitted) {
        this.#retired.delete(task);
        task.close();
      }
  }
  clear(): void {
    this.#retired.clear();
  }

  /**
   * Their parts of the snapshot of this barrier. `partOf`: of a sink that was removed behind the
   * barrier, and gave its state as a part of the graph. What it has finished since then is not of
   * this snapshot.
   */
  parts(epoch: number, partOf: (task: Task) => TaskSnapshot | undefined): readonly RetiredPart[] {
    return [...this.#retired].flatMap(([task, { instance, since }]): RetiredPart[] => {
      const state = since <= epoch ? task.snapshot() : partOf(task);
      const node = task.chain.nodes.find(isSink);
      return state && node ? [{ instance, node: committing(node), state }] : [];
    });
  }
}

/** `checkpoint`: that of the barrier at which it goes. */
export function retiredSink(id: string, checkpoint: number, node: PlanNode): RetiredSink {
  return { instance: `${id}#${checkpoint}`, node: committing(node) };
}
function committing(node: PlanNode): PlanNode {
  return { ...node, parameters: forCommit(node) } as PlanNode;
}
/** The chain of such a sink: it reads nothing. */
export function retiredChain({ instance, node }: RetiredSink): Chain {
  return { id: node.id, nodes: [node], inputs: [], signature: `retired ${instance}` };
}
