// A session with two running cells, and what it does about checkpoints.
import type { SavedCheckpoint } from '../../session/checkpoint-state.ts';
import type { SessionEffect } from '../../session/events.ts';
import { createSession, type Settings } from '../../session/state.ts';
import { planInstances } from './instance-planner.ts';
import { Stage } from './stage.ts';

export const stored = { isStored: true, nextId: 5 };

export function running(settings: Partial<Settings> = {}, checkpoints = {}): Stage {
  const s = new Stage(settings);
  s.state = createSession(settings, checkpoints);
  s.planner = planInstances;
  s.document({ a: 'ax = ', b: 'bx = ' });
  s.ready();
  s.runs('a');
  s.runs('b');
  return s;
}
export const ofKind = <K extends SessionEffect['kind']>(s: Stage, kind: K): Extract<SessionEffect, { kind: K }>[] =>
  s.effects.filter((effect): effect is Extract<SessionEffect, { kind: K }> => effect.kind === kind);
export const lastStored = (s: Stage): SavedCheckpoint => ofKind(s, 'store-checkpoint').at(-1)!.content;
export const completed = (s: Stage): number[] => ofKind(s, 'checkpoint-complete').map(({ checkpoint }) => checkpoint);
export const aborted = (s: Stage): number[] => ofKind(s, 'checkpoint-aborted').map(({ checkpoint }) => checkpoint);
/** The executor answers the barrier that was entered last. */
export function taken(s: Stage, states: Readonly<Record<string, number>> = { 'a~1': 1, 'b~2': 1 }): string[] {
  const id = s.state.checkpoints.asked.at(-1)?.id;
  return s.snapshot(states, { ...(id !== undefined && { checkpoint: id }) });
}
