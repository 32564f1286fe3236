// Counts by kind what the schedule of the chaos planned, and what happened: each way to kill
// something, each change of the notebook or the topic. A kind that was planned and never happened
// is a fault: the run shows nothing about it.
import { type Failpoint, failpoints } from '../../../engine/contract/failpoints.ts';
import type { Life, Move } from './schedule.ts';

export type Kind = 'kernel' | Failpoint | Move['kind'];

export class Happened {
  readonly #planned = new Set<Kind>();
  readonly #counts = new Map<Kind, number>();

  plan({ moves, end }: Life): void {
    for (const { kind } of moves) this.#planned.add(kind);
    this.#planned.add(end.kind === 'failpoint' ? end.name : end.kind);
  }
  /** It has had its effect. */
  count(kind: Kind): void {
    this.#counts.set(kind, this.of(kind) + 1);
  }
  of(kind: Kind): number {
    return this.#counts.get(kind) ?? 0;
  }
  get missing(): readonly Kind[] {
    return [...this.#planned].filter((kind) => this.of(kind) === 0).sort();
  }
  /** A line for people. */
  get text(): string {
    const atFailpoints = failpoints.map((name) => `${name} ${this.of(name)}`).join(', ');
    const ended = `${this.of('broker')} of the broker, ${this.of('executor')} of the executor, ${this.of('kernel')} of the kernel`;
    const changed = `${this.of('add-partition')} partitions were added, ${this.of('run-again')} cells ran again`;
    return `${ended}; at failpoints: ${atFailpoints}; ${changed}`;
  }
}
