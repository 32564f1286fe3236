// The texts of a cell's status bar, from the kernel's state of the cell. Each has an icon, because
// VS Code gives these items no colour.
import { rate } from '../../kernel/protocol/figures.ts';
import { cellCheckpointText } from '../../kernel/protocol/durability-text.ts';
import type { CellState, SessionView, SinkState } from '../../kernel/protocol/messages.ts';
import { writtenTexts } from '../../kernel/protocol/written-texts.ts';
import { labelText } from './plain-label.ts';
import { settingIn } from './setting-in.ts';

export interface StatusText {
  readonly text: string;
  readonly tooltip: string;
  /** The command of a click. */
  readonly action?: 'arm' | 'disarm';
  /** A click opens this setting. */
  readonly setting?: string;
}

/** `session`: for what it says of checkpoints. */
export function statusTexts(state: CellState, locale?: string, session?: SessionView, now = 0): StatusText[] {
  const texts: StatusText[] = [phaseText(state, locale)];
  const setting = settingIn([
    ...state.errors.map(({ message }) => message),
    state.trouble,
    state.reason,
    state.sink?.obstacle,
  ]);
  if (setting !== undefined)
    texts.push({ text: '$(gear) Open Setting', tooltip: `Opens ${setting}, which the error names.`, setting });
  if (state.edited)
    texts.push({
      text: '$(edit) edited',
      tooltip: 'The text of the last run is still running. Run the cell to replace it.',
    });
  if (state.stale.length > 0)
    texts.push({
      text: `$(history) stale: ${state.stale.join(', ')} changed`,
      tooltip: `This cell captured ${state.stale.join(', ')} before the change and still uses the old value. Run the cell to use the new one.`,
    });
  const figures = figuresText(state, locale);
  if (figures !== undefined) texts.push(figures);
  for (const { text, first } of state.rejected ?? [])
    texts.push({ text: `$(warning) ${text}`, tooltip: first === undefined ? text : `The first: ${first}` });
  if (state.leftOut !== undefined)
    texts.push({
      text: `$(warning) ${state.leftOut}`,
      tooltip: 'These rows cannot be shown. The error under the cell has the first one.',
    });
  // This is the longest text, and VS Code may cut it. The caption under the chart contains it too.
  if (state.phase === 'live' && state.reason !== undefined)
    texts.push({ text: labelText(state.reason), tooltip: state.reason });
  if (state.trouble !== undefined && state.trouble !== state.reason)
    texts.push({ text: `$(warning) ${state.trouble}`, tooltip: state.trouble });
  if (state.heldBack !== undefined)
    texts.push({
      text: `$(triangle-up) ${state.heldBack}`,
      tooltip: 'This cell could run faster. The operator named here holds it back.',
    });
  if (state.sink !== undefined) texts.push(...sinkTexts(state.sink, locale));
  const checkpoint = cellCheckpointText(session, state, now);
  if (checkpoint !== undefined && lasting.has(state.phase))
    texts.push({ text: `$(save) ${checkpoint.text}`, tooltip: checkpoint.details });
  for (const note of state.notes) texts.push({ text: `$(info) ${note}`, tooltip: note });
  return texts.map((text) => ({ ...text, text: withOwnIcon(text.text), tooltip: withReason(text, state.reason) }));
}

/** A cell in these phases would go on from a checkpoint. */
const lasting: ReadonlySet<CellState['phase']> = new Set(['waiting', 'live', 'stopped', 'failed']);

/** VS Code cuts a long text, so its tooltip has the whole reason. */
function withReason({ text, tooltip }: StatusText, reason: string | undefined): string {
  if (reason === undefined || !text.includes(reason) || tooltip.includes(reason)) return tooltip;
  return `${reason}\n${tooltip}`;
}

function sinkTexts(sink: SinkState, locale: string | undefined): StatusText[] {
  const { armed, target, obstacle } = sink;
  if (armed)
    return [
      {
        text: '$(record) Armed · Disarm',
        tooltip: `The sink is armed: its rows are written to ${target}. Click to disarm it.`,
        action: 'disarm',
      },
      {
        text: writtenTexts(sink, (n) => count(n, locale)).join(' · '),
        tooltip: `Rows that ${target} has taken since the sink runs.`,
      },
    ];
  return [
    {
      text: '$(circle-slash) Arm',
      tooltip: `The sink shows the rows that it would write to ${target}, and writes nothing. Click to arm it.`,
      action: 'arm',
    },
    { text: `nothing is written to ${target}`, tooltip: 'The sink is a preview until you arm it.' },
    ...(obstacle === undefined ? [] : [{ text: `$(warning) ${obstacle}`, tooltip: obstacle }]),
  ];
}

/** Only the icon at the beginning is ours. */
function withOwnIcon(text: string): string {
  const icon = /^\$\([\w-]+\) /.exec(text)?.[0] ?? '';
  return icon + labelText(text.slice(icon.length));
}

function phaseText(state: CellState, locale: string | undefined): StatusText {
  const name = state.stream === undefined ? '' : ` · ${state.stream}`;
  const because = state.reason === undefined ? '' : `: ${state.reason}`;
  switch (state.phase) {
    case 'not-run':
      return { text: '$(circle-large-outline) not run', tooltip: 'This cell has not run in this session.' };
    case 'starting':
      return { text: '$(loading) starting kernel', tooltip: 'The session is being started.' };
    case 'running':
      return { text: `$(play) running${because}`, tooltip: 'The cell is being evaluated and attached.' };
    case 'pulling':
      return {
        text: `$(watch) ${state.reason ?? 'waiting for rows'}`,
        tooltip: 'The cell waits for rows. Interrupt it to stop waiting.',
      };
    case 'defined':
      return {
        text: `$(circle-outline) defined${name}`,
        tooltip: 'No display, sink or pull reads the streams of this cell, so the cell reads nothing.',
      };
    case 'connecting':
      return { text: `$(plug) connecting${name}${because}`, tooltip: 'The sources are being opened.' };
    case 'waiting':
      return {
        text: `$(watch) ${state.reason ?? 'waiting for the first record'}${name}`,
        tooltip: state.reason ?? 'Connected. No record has arrived yet.',
      };
    case 'live':
      return {
        text: `$(circle-filled) live${name}`,
        tooltip: 'Records flow through this cell.',
      };
    case 'stopped':
      return {
        text: `$(circle-slash) stopped${name}${because}`,
        tooltip: state.reason ?? 'What this cell reads has stopped, so nothing comes any more.',
      };
    case 'finished':
      return {
        text: `$(check) finished${name}${state.rows === undefined ? '' : ` (${count(state.rows, locale)} ${state.rows === 1 ? 'row' : 'rows'})`}`,
        tooltip: 'All its sources have ended.',
      };
    case 'failed':
      return { text: `$(error) failed${name}${because}`, tooltip: state.errors[0]?.message ?? 'The cell failed.' };
  }
}

function figuresText(state: CellState, locale: string | undefined): StatusText | undefined {
  if (state.phase !== 'live' && state.phase !== 'waiting') return undefined;
  const figures = [
    ...(state.inPerSecond === undefined ? [] : [`in ${rate(state.inPerSecond)}`]),
    ...(state.outPerSecond === undefined ? [] : [`out ${rate(state.outPerSecond)}`]),
    ...(state.late === undefined ? [] : [`late ${count(state.late, locale)}`]),
    ...(state.lag === undefined ? [] : [state.lag]),
  ];
  if (figures.length === 0) return undefined;
  const explained =
    'Records per second into and out of this cell, elements that were too late for their window, and the lag: records of its topics that wait, and the age of the last one that was read.';
  return { text: figures.join('  '), tooltip: [explained, ...(state.lagByPartition ?? [])].join('\n') };
}

const count = (n: number, locale?: string): string => n.toLocaleString(locale);
