// The head of a task: an operator, a source, or fused stages alone; and the stages that are fused
// behind it.
import type { Operator, OperatorContext, OperatorStatus, Stage, StateReader } from '../contract/operator.ts';
import type { Source } from '../contract/source.ts';
import type { Collector } from './collector.ts';
import { newCounters, StageChain, type StageCounters, stagedEmit } from './fuse.ts';
import type { GateState } from './gate-state.ts';
import { type SnapshotInFlight, SnapshotWriter } from './snapshot.ts';
import { StagedOutput } from './staged-output.ts';
import type { OpenContext } from './task-context.ts';

/** Of what a head is made. */
export type Head =
  { readonly operator: Operator } | { readonly source: Source } | { readonly stages: readonly Stage[] };

export class TaskHead {
  readonly operator: Operator | undefined;
  readonly source: Source | undefined;
  /** Counters of the stages behind the head, or of the head that is made of stages. */
  readonly counters: StageCounters | undefined;
  readonly #behind: readonly Stage[];

  constructor(head: Head, behind: readonly Stage[], output: Collector) {
    if ('stages' in head) {
      const fused = new StageChain([...head.stages, ...behind], output);
      this.operator = fused;
      this.counters = fused.counters;
      this.#behind = [];
      return;
    }
    if ('operator' in head) this.operator = head.operator;
    else this.source = head.source;
    this.#behind = behind;
    this.counters = behind.length > 0 ? newCounters(behind.length) : undefined;
  }

  /** `state` is restored right after open, before anything else. */
  open(context: OpenContext, output: Collector, state: StateReader | undefined): void {
    if (this.source) this.source.open({ ...context, output });
    else this.operator!.open?.({ ...context, output: this.#outputOf(output) });
    if (state) (this.source ?? this.operator!).restore?.(state);
  }
  /** What the operator emits runs through the stages behind it first. */
  #outputOf(output: Collector): OperatorContext['output'] {
    if (this.#behind.length === 0 || !this.counters) return output;
    return new StagedOutput(output, stagedEmit(this.#behind, output, this.counters));
  }
  /** The entries are written by `SnapshotInFlight`. */
  snapshot(isFull: boolean, watermark: number, gate: GateState | undefined): SnapshotInFlight {
    const writer = new SnapshotWriter(isFull);
    (this.source ?? this.operator)?.snapshot?.(writer);
    return writer.begun(watermark, gate);
  }
  passWithoutSnapshot(): void {
    this.operator?.passWithoutSnapshot?.();
  }
  preCommit(checkpoint: number): boolean {
    return (this.source ?? this.operator)?.preCommit?.(checkpoint) ?? true;
  }
  complete(checkpoint: number): void {
    (this.source ?? this.operator)?.complete?.(checkpoint);
  }
  aborted(checkpoint: number): void {
    (this.source ?? this.operator)?.aborted?.(checkpoint);
  }
  status(): OperatorStatus | undefined {
    return this.source?.status() ?? this.operator?.status?.();
  }
  close(): void {
    (this.source ?? this.operator)?.close?.();
  }
  /**
   * Index, among the operators of the task, of the stage that threw; undefined: the head itself
   * threw.
   */
  get failedStage(): number | undefined {
    if (this.operator instanceof StageChain) return this.operator.counters.stage;
    return this.counters?.threw ? this.counters.stage + 1 : undefined;
  }
}
