// The task whose turn it is, for the console and for the control thread, which finds it in shared
// memory.
import type { Task } from '../../engine/runtime/task.ts';
import type { BufferAccount } from './buffer-account.ts';
import type { SharedPlace } from './whereabouts.ts';

export type PostPlace = (place: number, cell: string, operator: string) => void;

export class Turns {
  readonly #shared: SharedPlace;
  readonly #post: PostPlace;
  readonly #account: BufferAccount | undefined;
  /** Task → its number in shared memory. */
  readonly #places = new Map<string, number>();
  #task: Task | undefined;

  constructor(shared: SharedPlace, post: PostPlace, account?: BufferAccount) {
    this.#shared = shared;
    this.#account = account;
    this.#post = post;
  }

  /** The cell whose operator runs at this moment. */
  get cell(): string | undefined {
    return this.#task?.chain.nodes[0]!.group;
  }

  /** A turn begins, or it is over. */
  turn(task: Task | undefined): void {
    if (this.#account?.isOn) {
      if (task) this.#account.begin();
      else this.#account.end(this.cell);
    }
    this.#task = task;
    if (task) this.#shared.enter(this.#places.get(task.id) ?? 0);
    else this.#shared.leave();
  }

  /** Each new task gets a number, and the control thread its name. */
  name(tasks: Iterable<Task>): void {
    for (const { id, chain } of tasks) {
      if (this.#places.has(id)) continue;
      const place = this.#places.size + 1;
      this.#places.set(id, place);
      this.#post(place, chain.nodes[0]!.group, chain.nodes.map((node) => node.name).join(' → '));
    }
  }
}
