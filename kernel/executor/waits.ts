// What waits in an executor: a snapshot for an operator, and a removed sink for its target.
import type { Runtime } from '../../engine/runtime/runtime.ts';

export interface SnapshotWaits {
  readonly cell: string;
  readonly operator: string;
  readonly millis: number;
}
/** It was replaced, and its target does not take its rows. They are in no snapshot until then. */
export interface LeavingSink {
  readonly cell: string;
  readonly name: string;
  readonly rows: number;
  /** Why, as of `OperatorStatus`. */
  readonly waiting?: string;
  readonly waitingSince?: number;
}

export function snapshotWaits(runtime: Runtime): SnapshotWaits | undefined {
  const held = runtime.waitsFor();
  const nodes = held?.tasks[0]?.chain.nodes;
  if (!held || !nodes) return undefined;
  return { cell: nodes[0]!.group, operator: nodes.map(({ name }) => name).join(' → '), millis: held.millis };
}

export function leavingSinks(runtime: Runtime): readonly LeavingSink[] {
  return runtime.waitingSinks.map((task): LeavingSink => {
    const { group: cell, name } = task.chain.nodes[0]!;
    const { waiting, waitingSince } = task.operatorStatus() ?? {};
    return {
      ...{ cell, name, rows: task.unfinished },
      ...(waiting !== undefined && { waiting }),
      ...(waitingSince !== undefined && { waitingSince }),
    };
  });
}
