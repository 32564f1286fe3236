// The cell whose code a thread is in when that is neither a turn of an operator nor an evaluation:
// a timer, a callback, or the rest of a function behind an await. The control thread asks for it
// with an interrupt, so nothing is recorded on the way.
import { currentBuilder } from '../../engine/api/builder.ts';
import { innermostCell, isOwnFrame } from '../cells/source-places.ts';
import type { BufferAccount } from './buffer-account.ts';
import type { KeptByCell } from './kept-by-cells.ts';

/** What the thread answers in the middle of user code. */
export interface Hereabouts {
  /** undefined: the thread is idle, or in the engine. */
  readonly cell?: string | undefined;
  /** Cell → bytes outside of the heap that its code has added. */
  readonly buffers: Readonly<Record<string, number>>;
  /** What the engine keeps for the cells. */
  readonly kept: readonly KeptByCell[];
}

const question = 'sluice.hereabouts';
/** A text for the inspector, whose value is the answer as JSON. */
export const hereaboutsExpression = `globalThis[Symbol.for('${question}')]() //# sourceURL=${question}`;

const mostFrames = 200;

export function answerHereabouts(account: BufferAccount, kept: () => readonly KeptByCell[]): void {
  const answer = (): string =>
    JSON.stringify({
      cell: cellAtWork(interruptedFrames()),
      buffers: account.taken,
      kept: kept(),
    } satisfies Hereabouts);
  Object.defineProperty(globalThis, Symbol.for(question), { value: answer });
}

/** The cell that has called this function of ours. */
export function callingCell(called: (...parameters: never[]) => unknown): string | undefined {
  return cellAtWork(framesOf((error) => Error.captureStackTrace(error, called)));
}

/** The innermost cell on the stack. Without one, the cell that has started Node's own work. */
function cellAtWork(frames: readonly string[]): string | undefined {
  const cell = innermostCell(frames);
  if (cell !== undefined) return cell;
  // The engine runs in the context of the cell that woke it, whatever it works on.
  return frames.length > 0 && !frames.some(isOwnFrame) ? currentBuilder()?.settings.group : undefined;
}

function interruptedFrames(): readonly string[] {
  const lines = framesOf((error) => Error.captureStackTrace(error, interruptedFrames));
  // The frames of this file and of the question are the innermost ones.
  return lines.slice(lines.findIndex((line) => line.includes(question)) + 1);
}
function framesOf(capture: (error: { stack?: string }) => void): readonly string[] {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = mostFrames;
  const error: { stack?: string } = {};
  capture(error);
  Error.stackTraceLimit = stackTraceLimit;
  return error.stack?.split('\n').slice(1) ?? [];
}
