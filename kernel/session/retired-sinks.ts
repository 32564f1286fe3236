// Sinks that were removed before all that they had finished was committed: what a restored executor
// gets of them.
import { commitsByUserCode, commitsRows } from '../../engine/graph/kinds.ts';
import type { PlanNode } from '../../engine/graph/plan.ts';
import type { RetiredPart, RetiredSink } from '../../engine/runtime/retired-tasks.ts';
import { partsToRestore } from './recovery-parts.ts';
import type { Mutation, Recovery, Session } from './state.ts';

export interface RetiredToRestore {
  readonly retired: readonly RetiredPart[];
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/**
 * `plan` is the first one of the executor, and `declared` has the nodes of all cells. A sink of the
 * saved plan that this one does not have is removed now. Its rows are in a checkpoint, so it
 * commits them like one that was removed before.
 */
export function retiredToRestore(
  session: Session,
  { plan, handover }: Pick<Mutation, 'plan' | 'handover'>,
  declared: readonly PlanNode[],
): RetiredToRestore {
  const { recovery } = session;
  const states = partsToRestore(recovery);
  const removedNow = removedSinks(session, { plan, handover });
  const all: readonly (RetiredSink & { readonly part: string })[] = [
    ...recovery.retired.map((one) => ({ ...one, part: one.instance })),
    ...removedNow.map((node) => ({ instance: nameOf(session, node), node, part: node.id })),
  ];
  const retired: RetiredPart[] = [];
  const warnings: string[] = [];
  for (const { instance, node, part } of all) {
    const state = states.get(part);
    if (!state) continue;
    const committing = withFunctions(node, declared);
    if (committing) retired.push({ instance, node: committing, state });
    else if (state.list)
      warnings.push(
        `"${node.name}" of cell "${node.group}" had rows to commit when it was removed, and the code of its commit is ` +
          'gone with the cell. If they are not committed, they are in no other state: run the cell again from an earlier checkpoint.',
      );
  }
  return { retired, warnings };
}

/**
 * A mutation has removed sinks. Until a snapshot has them, they are known with the state of the
 * last one.
 */
export function withRetired(
  session: Session,
  { plan, handover }: Pick<Mutation, 'plan' | 'handover'>,
  recovery: Recovery,
): Recovery {
  const removed = removedSinks(session, { plan, handover });
  if (removed.length === 0) return recovery;
  const states = partsToRestore(session.recovery);
  const parts = new Map(recovery.parts);
  const retired = [...recovery.retired];
  for (const node of removed) {
    const state = states.get(node.id);
    if (!state) continue;
    const instance = nameOf(session, node);
    parts.set(instance, state);
    retired.push({ instance, node });
  }
  return { ...recovery, parts, retired };
}

function removedSinks(session: Session, { plan, handover }: Pick<Mutation, 'plan' | 'handover'>): readonly PlanNode[] {
  const goesOn = new Set([...plan.nodes.map(({ id }) => id), ...Object.values(handover)]);
  return session.plan.nodes.filter((node) => commitsRows(node) && !goesOn.has(node.id));
}
/**
 * With the number of the next checkpoint: a sink that gets the same id and is removed later has
 * another name. The executor takes the number of the checkpoint that the sink commits with, which
 * may be smaller. Its name is the one that counts from the next snapshot on.
 */
function nameOf({ checkpoints }: Session, { id }: PlanNode): string {
  return `${id}#${checkpoints.nextId}`;
}

/** A user's sink commits with the functions that its cell has now. undefined: there are none. */
function withFunctions(node: PlanNode, declared: readonly PlanNode[]): PlanNode | undefined {
  if (!commitsByUserCode(node)) return node;
  const present = declared.find(({ kind, uid }) => kind === node.kind && uid === node.uid);
  return present && ({ ...node, parameters: { ...present.parameters, armed: true } } as PlanNode);
}
