// The sentences about checkpoints and restarts, as all clients show them.
import { bytesText, duration } from './figures.ts';
import type { CellState, OfferedState, SessionView } from './messages.ts';

type Durability = Pick<SessionView, 'checkpoints' | 'restarting' | 'resumedFrom'>;

/**
 * "checkpoint 14 s ago · 3.1 MB in 40 ms", and "· 2 failed" if some have. undefined: none is
 * stored.
 */
export function checkpointText({ checkpoints }: Durability, now: number): string | undefined {
  const { last, failed = 0 } = checkpoints ?? {};
  if (!last) return undefined;
  return `${shortText(last, now)} in ${tookText(last.millis)}${failed > 0 ? ` · ${failed} failed` : ''}`;
}
type Last = NonNullable<NonNullable<SessionView['checkpoints']>['last']>;
function shortText({ takenAt, bytes }: Last, now: number): string {
  return `checkpoint ${duration(Math.max(0, now - takenAt))} ago · ${bytesText(bytes)}`;
}
function tookText(millis: number): string {
  return millis < 999.5 ? `${Math.round(millis)} ms` : duration(millis);
}

/**
 * At a cell whose state the last checkpoint has: "checkpoint 14 s ago · 3.1 MB", with " · failing"
 * if the newest one has failed. The details are for a tooltip. undefined: there is nothing to say.
 */
export function cellCheckpointText(
  session: Durability | undefined,
  { isKept }: Pick<CellState, 'isKept'>,
  now: number,
): { readonly text: string; readonly details: string } | undefined {
  const { last, completed, failed } = session?.checkpoints ?? {};
  if (!session || !last || isKept !== true) return undefined;
  const problem = failedCheckpointText(session);
  const details = [
    'The last checkpoint of the notebook has the state of this cell.',
    `Whole notebook: ${bytesText(last.bytes)}, taken in ${tookText(last.millis)}. ${completed} complete, ${failed} failed.`,
    ...(problem === undefined ? [] : [problem]),
  ].join('\n');
  return { text: `${shortText(last, now)}${problem === undefined ? '' : ' · failing'}`, details };
}

/** "checkpoint failed: The disk of /state is full. …". undefined: the newest one is complete. */
export function failedCheckpointText({ checkpoints }: Durability): string | undefined {
  return checkpoints?.problem === undefined ? undefined : `checkpoint failed: ${checkpoints.problem}`;
}

/** "restarting in 3 s (attempt 2): orders: It is too late." */
export function restartingText({ restarting }: Durability, now: number): string | undefined {
  if (!restarting) return undefined;
  const { startsAt, attempt, cell, cause } = restarting;
  const wait = startsAt > now ? ` in ${duration(Math.ceil((startsAt - now) / 1000) * 1000)}` : '';
  return `restarting${wait} (attempt ${attempt}): ${cell === '' ? '' : `${cell}: `}${cause}`;
}

/** What needs attention: a restart that is under way, a checkpoint that failed. */
export function durabilityWarnings(view: Durability, now: number): readonly string[] {
  return [restartingText(view, now), failedCheckpointText(view)].filter((text) => text !== undefined);
}

/** "from() of orders cannot be read again: its cells go on without it." Empty: everything can. */
export function lostText(lost: readonly string[]): string {
  if (lost.length === 0) return '';
  const [its, it] = lost.length === 1 ? ['its', 'it'] : ['their', 'them'];
  return `${lost.join(', ')} cannot be read again: ${its} cells go on without ${it}.`;
}

/**
 * "This notebook has a checkpoint of 12:04:31." with what cannot be read again. The session may
 * have stopped later than that. `timeText` knows the user's zone.
 */
export function offerText(
  { takenAt, lost, skipped = [] }: Pick<OfferedState, 'takenAt' | 'lost'> & Partial<OfferedState>,
  timeText: (at: number) => string,
): string {
  return [`This notebook has a checkpoint of ${timeText(takenAt)}.`, lostText(lost), ...skipped]
    .filter((text) => text !== '')
    .join(' ');
}
