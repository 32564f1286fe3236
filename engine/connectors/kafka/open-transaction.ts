// The transaction that takes rows: which partitions it has, and what it has written to them.
import type { Committable } from './committable.ts';
import type { Producer } from './sink-requests.ts';

interface Written {
  first: number;
  last: number;
}

export class OpenTransaction {
  readonly transactionalId: string;
  readonly producer: Producer;
  /** Of the topic that gets its rows. undefined: the broker gives none. */
  readonly topicId: string | undefined;
  /** Epoch milliseconds. */
  readonly begunAt = Date.now();
  readonly #partitions = new Set<number>();
  readonly #written = new Map<number, Written>();
  #rows = 0;

  constructor(
    { transactionalId, producer }: { readonly transactionalId: string; readonly producer: Producer },
    topicId: string | undefined,
  ) {
    this.transactionalId = transactionalId;
    this.producer = producer;
    this.topicId = topicId;
  }

  get rows(): number {
    return this.#rows;
  }

  /** One of these partitions is part of it. */
  has(partitions: readonly number[]): boolean {
    return partitions.some((partition) => this.#partitions.has(partition));
  }
  add(partitions: readonly number[]): void {
    for (const partition of partitions) this.#partitions.add(partition);
  }
  /** `offset`: of the first row; −1: not known. */
  wrote(partition: number, offset: number, rows: number): void {
    this.#rows += rows;
    if (offset < 0) return;
    const last = offset + rows - 1;
    const known = this.#written.get(partition);
    if (!known) this.#written.set(partition, { first: offset, last });
    else {
      known.first = Math.min(known.first, offset);
      known.last = Math.max(known.last, last);
    }
  }
  committable(): Committable {
    const { transactionalId, producer, topicId, begunAt } = this;
    const partitions = [...this.#written].map(([partition, { first, last }]) => [partition, first, last] as const);
    const { id, epoch } = producer;
    return { transactionalId, producer: id, epoch, topicId, begunAt, rows: this.#rows, partitions };
  }
}
