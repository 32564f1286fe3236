// What a new executor starts from: the known state of each instance, the instances that took over
// the state of another one, and the rows on screen.
//
//   snapshot (each second, with each mutation) ──► parts: new key groups on top of known ones
//   mutation with a handover                   ──► successors, until a snapshot has their parts
//   executor ended                             ──► the next one restores parts and successors
//
// Parts are shared, never copied: a snapshot replaces only the entries of tasks that wrote
// something.
import { commitsRows } from '../../engine/graph/kinds.ts';
import { mergeSnapshots } from '../../engine/runtime/snapshot.ts';
import type { SnapshotPart } from '../executor/executor-protocol.ts';
import type { KnownParts } from './checkpoint-state.ts';
import { checkpointTaken, isCheckpointDue, withNextCheckpoint } from './checkpoints.ts';
import type { Emit, SnapshotTaken } from './events.ts';
import { upgradeTaken } from './pending-upgrade.ts';
import type { Recovery, Session } from './state.ts';

/**
 * Writing snapshots takes at most a twentieth of the executor's time, so large state is written
 * less often than each second.
 * Sessions in which barriers get stuck ask less often too.
 */
const snapshotPause = 20;

/** Called once a second, and when a checkpoint is wanted. */
export function askForSnapshot(session: Session, now: number, emit: Emit): Session {
  const { recovery } = session;
  if (session.executor !== 'ready' || session.mutation || recovery.isAwaited) return session;
  // Nothing runs before the user has chosen.
  if (session.checkpoints.offered) return session;
  const isCheckpoint = isCheckpointDue(session, now);
  // A sink with transactions ends one at each snapshot, and commits it with the next checkpoint. It
  // has one for each checkpoint, and the next executor goes on from there.
  const isForSinks = session.plan.nodes.some(commitsRows);
  if (!isCheckpoint && (isForSinks || now < recovery.notBefore)) return session;
  const asked = recovery.asked + 1;
  const s = { ...session, recovery: { ...recovery, asked, isAwaited: true } };
  if (!isCheckpoint) {
    emit({ kind: 'snapshot', epoch: asked });
    return s;
  }
  const next = withNextCheckpoint(s, now);
  emit({ kind: 'snapshot', epoch: asked, checkpoint: next.id });
  return next.session;
}

export function snapshotTaken(session: Session, event: SnapshotTaken, now: number, emit: Emit): Session {
  const { recovery } = session;
  // Its failed operators would have a hole. The next executor goes on from the snapshot before.
  if (session.restarts.startsAt !== undefined) return session;
  // The executor was asked before Resume was chosen, when it had no operator. Its graph comes with
  // the mutation that ends the restore, and the snapshot of that is reported after it.
  if (session.executor === 'restoring' || session.executor === 'starting')
    return { ...session, recovery: { ...recovery, isAwaited: false } };
  const { parts, retired = [], clock, views, millis, behindMillis } = event;
  const successors = new Map(recovery.successors);
  for (const { instance } of parts) successors.delete(instance);
  const merged: Session = {
    ...session,
    waitingChange: undefined,
    checkpoints: upgradeTaken(session.checkpoints, event.checkpoint),
    recovery: {
      parts: mergeParts(recovery.parts, [...parts, ...retired]),
      retired: retired.map(({ instance, node }) => ({ instance, node })),
      takenAt: now,
      clock,
      views,
      successors,
      asked: recovery.asked,
      isAwaited: false,
      notBefore: now + Math.max(snapshotPause * millis, behindMillis / snapshotPause),
    },
  };
  return checkpointTaken(merged, event.checkpoint, emit);
}

/**
 * The time from which a restored executor goes on. The wall clock may have been set back since the
 * state was written, so the clock of the executor that wrote it counts too.
 */
export function timeToGoOnFrom({ takenAt, clock = 0 }: Pick<Recovery, 'takenAt'> & Partial<Recovery>): number {
  return Math.max(takenAt, clock);
}

/** A part holds what was written since the last snapshot. An instance without a part is gone. */
export function mergeParts(known: KnownParts, parts: readonly SnapshotPart[]): KnownParts {
  return new Map(parts.map(({ instance, state }) => [instance, mergeSnapshots(known.get(instance), state)]));
}

/**
 * A mutation is done. A successor of a successor takes over from the instance whose state is known.
 */
export function withHandover(recovery: Recovery, handover: Readonly<Record<string, string>>): Recovery {
  const taken = Object.entries(handover).filter(([successor]) => !recovery.parts.has(successor));
  if (taken.length === 0) return recovery;
  const successors = new Map(recovery.successors);
  for (const [successor, from] of taken) successors.set(successor, recovery.successors.get(from) ?? from);
  return { ...recovery, successors };
}
