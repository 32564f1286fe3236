// Why a statement stays in the notebook, for people.
import type { DropReason } from './prune.ts';

export const dropReasons: Readonly<Record<DropReason, string>> = {
  display: 'a display',
  pull: 'it reads rows into the cell',
  value: 'it shows a value',
  definition: 'no sink reaches it',
  effect: 'an effect that no sink needs',
};
