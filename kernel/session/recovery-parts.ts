// The state with which the instances of the next executor start.
import type { KnownParts } from './checkpoint-state.ts';
import type { Recovery } from './state.ts';

/** Every known state, and for each successor that of its predecessor. */
export function partsToRestore({ parts, successors }: Recovery): KnownParts {
  const restored = new Map(parts);
  for (const [successor, from] of successors) {
    const state = parts.get(from);
    if (state && !parts.has(successor)) restored.set(successor, state);
  }
  return restored;
}
