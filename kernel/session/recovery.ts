// What a new executor starts from: the known state of each instance, the instances that took over
// the state of another one, and the rows on screen.
//
//   snapshot (each second, with each mutation) ──► parts: new key groups on top of known ones
//   mutation with a handover                   ──► successors, until a snapshot has their parts
//   executor ended                             ──► the next one restores parts and successors
//
// Parts are shared, never copied: a snapshot replaces only the entries of tasks that wrote
// something.
import { mergeSnapshots } from '../../engine/runtime/snapshot.ts';
import type { SnapshotPart } from '../executor/executor-protocol.ts';
import type { Emit, SnapshotTaken } from './events.ts';
import type { KnownParts, Recovery, Session } from './state.ts';

/**
 * Writing snapshots takes at most a twentieth of the executor's time, so large state is written
 * less often than each second.
 * Sessions in which barriers get stuck ask less often too.
 */
const snapshotPause = 20;

/** Called once a second. */
export function askForSnapshot(session: Session, now: number, emit: Emit): Session {
  const { recovery } = session;
  const isDue = !recovery.isAwaited && now >= recovery.notBefore;
  if (session.executor !== 'ready' || session.mutation || !isDue) return session;
  const asked = recovery.asked + 1;
  emit({ kind: 'snapshot', epoch: asked });
  return { ...session, recovery: { ...recovery, asked, isAwaited: true } };
}

export function snapshotTaken(session: Session, event: SnapshotTaken, now: number): Session {
  const { recovery } = session;
  const { parts, views, millis, behindMillis } = event;
  const successors = new Map(recovery.successors);
  for (const { instance } of parts) successors.delete(instance);
  return {
    ...session,
    recovery: {
      parts: mergeParts(recovery.parts, parts),
      views,
      successors,
      asked: recovery.asked,
      isAwaited: false,
      notBefore: now + Math.max(snapshotPause * millis, behindMillis / snapshotPause),
    },
  };
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

/** Every known state, and for each successor that of its predecessor. */
export function partsToRestore({ parts, successors }: Recovery): readonly SnapshotPart[] {
  const known = [...parts].map(([instance, state]): SnapshotPart => ({ instance, state }));
  const takenOver = [...successors].flatMap(([successor, from]): SnapshotPart[] => {
    const state = parts.get(from);
    return state && !parts.has(successor) ? [{ instance: successor, state }] : [];
  });
  return [...known, ...takenOver];
}
