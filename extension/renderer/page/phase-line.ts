// The line under a cell: its phase in words and colour, its figures, and the reason why no rows
// arrive.
import { cellCheckpointText } from '../../../kernel/protocol/durability-text.ts';
import type { CellState, SessionView, SinkState } from '../../../kernel/protocol/messages.ts';
import { element, setClass, setText, setTitle } from '../element.ts';
import { rate } from '../../../kernel/protocol/figures.ts';
import { writtenTexts } from '../../../kernel/protocol/written-texts.ts';
import { count, rowCount } from '../format.ts';

const words: Readonly<Record<CellState['phase'], string>> = {
  'not-run': 'not run',
  starting: 'starting kernel',
  running: 'running',
  pulling: 'waiting',
  defined: 'defined',
  connecting: 'connecting',
  waiting: 'waiting for the first record',
  live: 'live',
  stopped: 'stopped',
  finished: 'finished',
  failed: 'failed',
};

export class PhaseLine {
  readonly #phase = element('span', 'sl-phase-word');
  readonly #figures = element('span', 'sl-phase-figures');
  readonly element = element('div', 'sl-phase', this.#phase, this.#figures);

  /** `session`: its title has what it says of checkpoints. */
  draw(state: CellState | undefined, session?: SessionView): void {
    this.element.hidden = state === undefined || state.phase === 'not-run';
    if (state === undefined) return;
    setClass(this.element, `sl-phase sl-phase-${state.stale.length > 0 ? 'stale' : state.phase}`);
    setText(this.#phase, phaseWords(state));
    setText(
      this.#figures,
      phaseFigures(state)
        .map((figure) => ` · ${figure}`)
        .join(''),
    );
    setTitle(this.element, phaseTitle(this.element.textContent ?? '', state, session, Date.now()));
  }
}

/** The line, which a narrow window cuts, the whole reason, and the last checkpoint. */
export function phaseTitle(line: string, state: CellState, session: SessionView | undefined, now: number): string {
  const { reason = '' } = state;
  const checkpoint = cellCheckpointText(session, state, now);
  return [
    line,
    ...(line.includes(reason) ? [] : [reason]),
    ...(checkpoint === undefined ? [] : [checkpoint.text, checkpoint.details]),
  ].join('\n');
}

function phaseWords(state: CellState): string {
  if (state.stale.length > 0) return `stale: ${state.stale.join(', ')} changed`;
  if (state.edited) return `${words[state.phase]}, edited: the old text runs`;
  return words[state.phase];
}

function sinkFigures(sink: SinkState): readonly string[] {
  const { armed, target, obstacle } = sink;
  if (!armed) return [`preview of ${target}`, ...(obstacle === undefined ? [] : [obstacle])];
  return [writtenTexts(sink, count).join(', ')];
}

export function phaseFigures(state: CellState): readonly string[] {
  const figures: string[] = [];
  if (state.stream !== undefined) figures.push(state.stream);
  if (state.phase === 'live') {
    if (state.inPerSecond !== undefined) figures.push(`in ${rate(state.inPerSecond)}`);
    if (state.outPerSecond !== undefined) figures.push(`out ${rate(state.outPerSecond)}`);
  }
  if (state.phase === 'finished' && state.rows !== undefined) figures.push(rowCount(state.rows));
  if (state.late !== undefined && state.late > 0) figures.push(`late ${count(state.late)}`);
  if (state.phase === 'live' && state.lag !== undefined) figures.push(state.lag);
  for (const { text, first } of state.rejected ?? []) figures.push(first === undefined ? text : `${text}: ${first}`);
  if (state.leftOut !== undefined) figures.push(state.leftOut);
  if (state.heldBack !== undefined) figures.push(state.heldBack);
  if (state.trouble !== undefined && state.trouble !== state.reason) figures.push(state.trouble);
  // The display's own caption contains the reason.
  if (state.reason !== undefined && !state.hasView) figures.push(state.reason);
  if (state.sink !== undefined) figures.push(...sinkFigures(state.sink));
  return [...figures, ...state.notes];
}
