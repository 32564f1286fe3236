// What the status bar says of a notebook's checkpoints.
import { checkpointText, failedCheckpointText, restartingText } from '../../kernel/protocol/durability-text.ts';
import type { OfferedState, SessionView } from '../../kernel/protocol/messages.ts';
import { moment } from '../renderer/format.ts';
import { labelText } from './plain-label.ts';

/** The checkpoint that the last session has left. Of a summary, `skipped` is not known. */
export type Offer = Pick<OfferedState, 'takenAt' | 'lost'> & Partial<OfferedState>;

export function timeText(at: number): string {
  return moment(at, Date.now());
}

export interface DurabilityText {
  readonly text: string;
  readonly tooltip: string;
  readonly isWarning: boolean;
  readonly command?: string;
}

/** undefined: there is nothing to say. */
export function durabilityText(
  session: SessionView | undefined,
  offer: Offer | undefined,
  now: number,
): DurabilityText | undefined {
  if (offer !== undefined) {
    const tooltip = 'The last session of this notebook has left a checkpoint. Click to resume from it.';
    const text = `$(history) Resume from ${timeText(offer.takenAt)}`;
    return { text, tooltip, isWarning: false, command: 'sluice.resume' };
  }
  if (session === undefined) return undefined;
  const restarting = restartingText(session, now);
  if (restarting !== undefined)
    return { text: `$(sync) ${labelText(restarting)}`, tooltip: restarting, isWarning: true };
  const failed = failedCheckpointText(session) ?? session.warning;
  const last = checkpointText(session, now);
  if (failed !== undefined) {
    const tooltip = last === undefined ? failed : `${failed}\nThe one before is whole: ${last}`;
    return { text: `$(warning) ${labelText(failed)}`, tooltip, isWarning: true };
  }
  return last === undefined ? undefined : { text: `$(save) ${last}`, tooltip: details(session), isWarning: false };
}

function details({ checkpoints, resumedFrom }: SessionView): string {
  const { last, completed = 0, failed = 0 } = checkpoints ?? {};
  return [
    'If the kernel or the machine fails, this notebook can go on from here.',
    ...(last ? [`The checkpoint of ${timeText(last.takenAt)} took ${last.millis} ms.`] : []),
    `${completed} complete, ${failed} failed.`,
    ...(resumedFrom === undefined ? [] : [`Resumed from the checkpoint of ${timeText(resumedFrom)}.`]),
  ].join('\n');
}
