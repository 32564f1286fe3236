// Which cell fails when the thread of the cells held too much memory, and what its error says.
//
//  the engine keeps at least half of it for one cell ─► that cell
//  else a cell holds at least half of what came near the limit ─► that cell (executor/memory-holders.ts)
//  else an operator was at work, and one cell has by far the largest state ─► that cell
//  else ─► the cell at work, and the error says that it may be another one
//
// State is memory that the engine keeps for a cell, so no code of the cell is on the stack when it
// grows: the operator at work may be any other one, and so may be the code that made what it keeps.
// The thread tells its entries, and rows of `toArray`, at its end (executor/kept-by-cells.ts).
// Bytes of an entry are known from the last snapshot.
import { sizeOf } from '../../engine/runtime/snapshot.ts';
import type { LocatedError, Whereabouts } from '../executor/executor-protocol.ts';
import { collecting, type KeptByCell } from '../executor/kept-by-cells.ts';
import type { MemoryEnd } from '../executor/memory-limit.ts';
import type { Session } from './state.ts';

/** The saved state of a cell. */
export interface CellState {
  readonly cell: string;
  /** The operator with the most of it. */
  readonly operator: string;
  readonly entries: number;
  /** As it is saved. */
  readonly bytes: number;
}
export interface JudgedMemory extends MemoryEnd {
  /** Of all cells, the largest first. */
  readonly states: readonly CellState[];
  /** By far the largest one, if its cell is the one that fails. */
  readonly largest?: CellState;
}
interface End {
  readonly whereabouts?: Whereabouts | undefined;
  readonly memory?: MemoryEnd | undefined;
}

/** What an entry takes in memory beyond its saved bytes: its object, key and place in a Map. */
const bytesOfEntry = 150;
const inMemory = ({ entries, bytes }: CellState): number => bytes + entries * bytesOfEntry;
/** Shares of all states together, and of what the thread held. */
const byFar = 2 / 3;
const leastOfHeld = 1 / 8;
/** Whoever made the objects, and whoever was at work. */
const halfOfHeld = 1 / 2;
const megabyte = 2 ** 20;

/** The end of an executor, with the cell that is to fail. */
export function judged<E extends End>(session: Session, end: E): E & { readonly memory?: JudgedMemory | undefined } {
  const { memory, whereabouts } = end;
  if (!memory) return { ...end, memory };
  const states = statesByCell(session, memory.kept ?? []);
  // A cell that was being evaluated, or a timer, was at work itself: no state grew then.
  const isOperator = whereabouts === undefined || whereabouts.operator !== undefined;
  const isSaid = memory.holder === undefined && isOperator;
  const largest = isSaid ? largestOf(states, memory, leastOfHeld) : largestOf(states, memory, halfOfHeld);
  if (!largest) return { ...end, memory: { ...memory, states } };
  const { cell, operator } = largest;
  // Rows are collected by an evaluation, and not by an operator.
  const place = operator === collecting ? { cell, millis: 0 } : { cell, operator, millis: 0 };
  return { ...end, whereabouts: place, memory: { ...memory, states, largest } };
}

function largestOf(states: readonly CellState[], { heldMegabytes }: MemoryEnd, least: number): CellState | undefined {
  const [first] = states;
  const all = states.reduce((sum, state) => sum + inMemory(state), 0);
  const isByFar = first !== undefined && inMemory(first) >= Math.max(all * byFar, heldMegabytes * megabyte * least);
  return isByFar ? first : undefined;
}

function statesByCell({ plan, recovery }: Session, kept: readonly KeptByCell[]): readonly CellState[] {
  const saved = plan.nodes.flatMap(({ id, name, group }): CellState[] => {
    const part = recovery.parts.get(id);
    return part ? [{ cell: group, operator: name, ...sizeOf(part) }] : [];
  });
  const states = [...Map.groupBy(saved, ({ cell }) => cell).values()].map(together);
  const now = [...Map.groupBy(kept, ({ cell }) => cell).values()].map((all) => asItIs(all, states));
  const others = states.filter(({ cell }) => !now.some((one) => one.cell === cell));
  return [...now, ...others].sort((a, b) => inMemory(b) - inMemory(a));
}
/** What is kept for a cell now, with the bytes that an entry of it had in the last snapshot. */
function asItIs(kept: readonly KeptByCell[], states: readonly CellState[]): CellState {
  const { cell, operator } = kept.reduce((most, one) => (one.entries >= most.entries ? one : most));
  const last = states.find((state) => state.cell === cell);
  const ofStates = kept.reduce((sum, { entries, bytes }) => sum + (bytes === undefined ? entries : 0), 0);
  const ofRows = kept.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  const grown = last && last.entries > 0 ? Math.max(1, ofStates / last.entries) : 1;
  const entries = kept.reduce((sum, one) => sum + one.entries, 0);
  return { cell, operator, entries, bytes: Math.round((last?.bytes ?? 0) * grown) + ofRows };
}
/** The states of one cell's operators. Of several with the most bytes, the last one is named. */
function together(states: readonly CellState[]): CellState {
  const { cell, operator } = states.reduce((most, state) => (state.bytes >= most.bytes ? state : most));
  const sum = (figure: 'entries' | 'bytes'): number => states.reduce((all, state) => all + state[figure], 0);
  return { cell, operator, entries: sum('entries'), bytes: sum('bytes') };
}

/** The error of the cell that fails. */
export function outOfMemory(cell: string, memory: JudgedMemory): LocatedError {
  const { limitMegabytes, heldMegabytes, holder, largest, states } = memory;
  const figures = `(sluice.memory: ${limitMegabytes} MB; the thread held ${heldMegabytes.toLocaleString('en-US')} MB)`;
  const needed = `Cell "${cell}" needed more memory than the session may hold ${figures}.`;
  const wayOut = 'keep less, with a window, a time to live or a limit, or raise the setting and restart the session.';
  const error = (message: string): LocatedError => ({ code: 'out-of-memory', cell, message });
  if (largest) {
    const what = largest.operator === collecting ? 'It keeps by far the most' : 'Its state is by far the largest';
    return error(`${needed} ${what}: ${stateText(largest)}. Let it ${wayOut}`);
  }
  if (holder === cell) return error(`${needed} Let it ${wayOut}`);
  const shown = states.filter(({ bytes }) => bytes >= megabyte).slice(0, mostShown);
  const list = shown.map((state) => `${stateText(state)} of cell "${state.cell}"`).join('; ');
  const known = shown.length > 0 ? `, and no state is by far the largest: ${list}` : '';
  return error(
    `Cell "${cell}" was at work when the session held more memory than it may ${figures}. ` +
      `It may be another cell that holds it${known}. Let the cells ${wayOut}`,
  );
}
const mostShown = 3;

/** "up to 1,000,000 entries of aggregate, 25 MB when saved". */
function stateText({ operator, entries, bytes }: CellState): string {
  const saved = `${Math.max(1, Math.round(bytes / megabyte)).toLocaleString('en-US')} MB when saved`;
  if (operator === collecting) return `${entries.toLocaleString('en-US')} rows of ${operator}, ${saved}`;
  return entries === 0
    ? `${operator}, ${saved}`
    : `up to ${entries.toLocaleString('en-US')} entries of ${operator}, ${saved}`;
}
