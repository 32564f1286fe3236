// The iterations of the running graph: one loop for each head, and when nothing is on its way
// between head and tail.
import type { Chain } from '../graph/chains.ts';
import { loopsOf, type PlannedLoop } from '../graph/loops.ts';
import type { Plan } from '../graph/plan.ts';
import { Loop } from '../operators/loop.ts';
import type { Task } from './task.ts';

export class RunningLoops {
  /** By the instance of the head. */
  readonly #loops = new Map<string, Loop>();
  #planned: readonly PlannedLoop[] = [];

  plan(plan: Plan): void {
    this.#planned = loopsOf(plan);
  }
  /** A head is made: its loop is a new one. */
  begin(head: string): Loop {
    const loop = new Loop();
    this.#loops.set(head, loop);
    return loop;
  }
  /** The loop of a tail. An edit may take the head away from a body: then nothing comes back. */
  ofTail(tail: string): () => Loop {
    const head = this.#planned.find((loop) => loop.tail === tail)?.head;
    return () => (head === undefined ? undefined : this.#loops.get(head)) ?? new Loop();
  }
  /** The tasks of the planned graph are there: each loop learns which of them are its body. */
  connect(chains: readonly Chain[], tasks: ReadonlyMap<string, Task>): void {
    const heads = new Map(this.#planned.map((loop) => [loop.head, loop]));
    for (const [id, loop] of this.#loops) {
      const planned = heads.get(id);
      if (!planned) {
        this.#loops.delete(id);
        continue;
      }
      const body = chains.filter(({ nodes }) => planned.body.has(nodes[0]!.id)).map((chain) => tasks.get(chain.id)!);
      const head = tasks.get(id)!;
      loop.isQuiet = () => !head.output.hasUnsent && body.every((task) => task.isQuiet);
    }
  }
  /** Tells the heads that wait for a quiet body. True: one of them has something to do. */
  check(): boolean {
    let happened = false;
    for (const loop of this.#loops.values()) happened = loop.check() || happened;
    return happened;
  }
}
