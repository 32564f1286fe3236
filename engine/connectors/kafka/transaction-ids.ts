// The transactional ids of a sink: which one the next transaction gets, and when an id is free
// again. It reads no clock and asks no broker.
//
//   free ──take──► in use ──committed──► cooling ──complete(n): no checkpoint ≥ n lists it──► free
//                    └──────aborted──────────────────────────────────────────────────────────► free
//
// A process that is restored commits what its checkpoint lists, with the stored epochs. So an id
// that the last complete checkpoint lists must not begin another transaction: to begin raises the
// epoch and aborts what is open.

export class TransactionIds {
  readonly #prefix: string;
  /** The lowest number first: after a crash they are looked for from 0 on. */
  readonly #free: number[] = [];
  readonly #inUse = new Set<string>();
  readonly #cooling = new Set<string>();
  /** By id: the checkpoint of the last barrier at which a snapshot listed it. */
  readonly #listedAt = new Map<string, number>();
  /** Snapshots listed them, and it is not known for which checkpoint. */
  readonly #listedLately = new Set<string>();
  #size = 0;
  /** The checkpoint of the barrier that is passing. */
  #barrier: number | undefined;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }
  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** A free one; a new one if there is none. `isTaken`: somebody else in this process uses it. */
  take(isTaken: (id: string) => boolean = () => false): string {
    for (;;) {
      const known = this.#free.shift();
      const id = this.nameOf(known ?? this.#size++);
      if (this.#inUse.has(id) || this.#cooling.has(id) || isTaken(id)) continue;
      this.#inUse.add(id);
      return id;
    }
  }
  nameOf(number: number): string {
    return `${this.#prefix}-${number}`;
  }
  /** These exist, and nothing of them is open, except what `use` has named. */
  know(size: number): void {
    for (; this.#size < size; this.#size++) this.#release(this.nameOf(this.#size));
  }
  /** A restored transaction has it. */
  use(id: string): void {
    this.#inUse.add(id);
    this.#listedLately.add(id);
  }
  committed(id: string): void {
    if (!this.#inUse.delete(id)) return;
    // In no snapshot: no process that comes later knows of it.
    if (this.#listedAt.has(id) || this.#listedLately.has(id)) this.#cooling.add(id);
    else this.#release(id);
  }
  /** It was never in a snapshot. */
  aborted(id: string): void {
    if (this.#inUse.delete(id)) this.#release(id);
  }

  /** A barrier passes that this checkpoint, or a later one, makes durable. */
  barrier(checkpoint: number): void {
    for (const id of this.#listedLately) this.#listedAt.set(id, checkpoint);
    this.#listedLately.clear();
    this.#barrier = checkpoint;
  }
  /** The snapshot of a barrier lists these ids. */
  listed(ids: readonly string[]): void {
    for (const id of ids)
      if (this.#barrier === undefined) this.#listedLately.add(id);
      else this.#listedAt.set(id, this.#barrier);
    this.#barrier = undefined;
  }
  /** This checkpoint is durable, and no earlier one will be restored. */
  complete(checkpoint: number): void {
    for (const id of this.#cooling) {
      if (this.#listedLately.has(id) || (this.#listedAt.get(id) ?? -Infinity) >= checkpoint) continue;
      this.#cooling.delete(id);
      this.#release(id);
    }
  }
  #release(id: string): void {
    this.#listedAt.delete(id);
    const number = Number(id.slice(this.#prefix.length + 1));
    // An id of a former prefix is not used again.
    if (!id.startsWith(`${this.#prefix}-`) || !Number.isInteger(number)) return;
    if (this.#inUse.has(id) || this.#cooling.has(id) || this.#free.includes(number)) return;
    this.#free.push(number);
    this.#free.sort((a, b) => a - b);
  }
}
