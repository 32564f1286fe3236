// The state of a savepoint stays in the session until a snapshot of the executor has it. If the
// executor ends before, the next one starts with it again.
//
//   pending ──mutation──► under way ──snapshot──► taken: the parts of the session have it
//      ▲                      │
//      └─the mutation fails, or the executor ends
//
// A plan may take a part only: cells that wait for rows come with a later plan. Until all is taken
// no checkpoint is kept, because the next process would not have the rest.
import type { SnapshotPart } from '../executor/executor-protocol.ts';
import type { Checkpoints } from './checkpoint-state.ts';
import { partsToRestore } from './recovery-parts.ts';
import type { Session } from './state.ts';
import type { UpgradedState } from './upgrade.ts';

/**
 * A mutation carries the state to the executor. `taken` has what no plan has taken yet.
 */
export function upgradeUnderWay(session: Session, taken: UpgradedState | undefined): Session {
  const { upgrade, ...checkpoints } = session.checkpoints;
  if (!upgrade || !taken) return session;
  const { epoch } = session;
  const upgrading = [...(checkpoints.upgrading ?? []), { epoch, checkpoint: checkpoints.nextId, upgrade }];
  return { ...session, checkpoints: { ...checkpoints, upgrading, ...(taken.left && { upgrade: taken.left }) } };
}

/** A snapshot has what was restored up to its barrier. */
export function upgradeTaken(checkpoints: Checkpoints, checkpoint: number | undefined): Checkpoints {
  const { upgrading, ...others } = checkpoints;
  if (!upgrading || checkpoint === undefined) return checkpoints;
  return withUpgrading(
    others,
    upgrading.filter((one) => one.checkpoint > checkpoint),
  );
}

/** The executor has ended, or could not make the change of this epoch. */
export function upgradePending(session: Session, failedEpoch?: number): Session {
  const { upgrading = [], ...checkpoints } = session.checkpoints;
  const at = upgrading.findIndex(({ epoch }) => failedEpoch === undefined || epoch === failedEpoch);
  if (at < 0) return session;
  const { upgrade } = upgrading[at]!;
  return { ...session, checkpoints: withUpgrading({ ...checkpoints, upgrade }, upgrading.slice(0, at)) };
}

function withUpgrading(checkpoints: Checkpoints, upgrading: Checkpoints['upgrading'] & object): Checkpoints {
  return upgrading.length === 0 ? checkpoints : { ...checkpoints, upgrading };
}

/** Why a checkpoint is not kept: a sentence. undefined: all state of the savepoint is taken. */
export function upgradeWaits({ checkpoints }: Session): string | undefined {
  if (!checkpoints.upgrade) return undefined;
  return 'Some state of the savepoint waits for cells that have not run yet, and a checkpoint would not have it.';
}

/**
 * What the next executor starts with: its snapshots, and what it takes of the savepoint. It has no
 * task that could hand its state over, so a successor starts with the known state.
 */
export function partsWithUpgrade(
  { recovery, checkpoints }: Session,
  handover: Readonly<Record<string, string>>,
  upgraded: UpgradedState | undefined,
): readonly SnapshotPart[] {
  const known = partsToRestore(recovery);
  const successors = Object.entries(handover).flatMap(([instance, from]): SnapshotPart[] => {
    const state = known.get(from);
    return state && !known.has(instance) ? [{ instance, state }] : [];
  });
  const parts = [...[...known].map(([instance, state]) => ({ instance, state })), ...successors];
  if (!checkpoints.upgrade || !upgraded) return parts;
  const ofSavepoint = new Set(checkpoints.upgrade.plan.nodes.map(({ id }) => id));
  return [...parts.filter(({ instance }) => !ofSavepoint.has(instance)), ...upgraded.parts];
}
