// The session in a terminal: one block per cell with displays, rewritten in place. A pipe or a log
// gets plain lines instead.
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import { isLeaf } from '../../engine/graph/kinds.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { ChartPart, Part, TablePart, ViewDelta, ViewSnapshot } from '../protocol/displays.ts';
import type { CellState, Notifications, RejectedText, SessionView } from '../protocol/messages.ts';
import { shownValue } from '../protocol/values.ts';
import { asText } from '../session/reasons.ts';
import { rejectedSentence, rejections } from '../session/rejections.ts';
import {
  checkpointText,
  durabilityWarnings,
  failedCheckpointText,
  restartingText,
} from '../protocol/durability-text.ts';
import { rate, si } from '../protocol/figures.ts';
import { cellText, isRecord, sparkline, table } from './figures.ts';
import { figureLines } from './figure-lines.ts';
import { paint } from './paint.ts';
import { notesOf } from '../job/job-metrics.ts';
import { lineText, linesText } from './terminal-text.ts';
import { TroubleLines } from './trouble-lines.ts';
import { ViewCopy } from './view-copy.ts';

const shownRows = 4;
const sparkPoints = 48;
const drawMillis = 250;

type Output = Pick<WriteStream, 'isTTY' | 'rows' | 'columns'> & { write(text: string): unknown };

export class LiveTerminal {
  /** Called when a cell has displays for the first time. The caller then requests its view. */
  onCell: (cell: string) => void = () => undefined;
  readonly #out: Output;
  readonly #showsErrors: boolean;
  readonly #views = new Map<string, ViewCopy>();
  readonly #phases = new Map<string, string>();
  readonly #troubles = new TroubleLines();
  /** Number of the last printed row of each display part. */
  readonly #printed = new Map<string, number>();
  /** Cell → the last printed line about rejected records. */
  readonly #rejected = new Map<string, string>();
  readonly #rates = new Map<string, number[]>();
  #state: SessionView = { cells: [], clients: 0, recordsPerSecond: 0 };
  #drawnLines = 0;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** `showsErrors` is false if the caller prints errors as lines. */
  constructor(out: Output, { showsErrors = true }: { readonly showsErrors?: boolean } = {}) {
    this.#out = out;
    this.#showsErrors = showsErrors;
  }

  /** The session goes on in another kernel, which sends all its views anew. */
  hearAnother(): void {
    this.#views.clear();
  }
  hear<N extends keyof Notifications>(method: N, params: Notifications[N]): void {
    if (method === 'state') this.#heardState(params as SessionView);
    if (method === 'view') this.#heardView(params as ViewSnapshot | ViewDelta);
    if (this.#out.isTTY && !this.#hasEnded) this.#timer ??= setTimeout(() => this.#draw(), drawMillis);
  }

  /** Prints text that is not rewritten. */
  line(text: string): void {
    this.#erase();
    this.#out.write(`${linesText(text)}\n`);
    this.#redraw();
  }

  /** Stops rewriting. The current output stays on the screen. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#out.isTTY) this.#draw();
    this.#hasEnded = true;
    this.#drawnLines = 0;
  }
  summary(operators: readonly OperatorReport[]): void {
    const shown = operators.filter((report) => !isLeaf(report));
    const read = shown.reduce((sum, { source, recordsOut }) => sum + (source ? recordsOut : 0), 0);
    const late = shown.reduce((sum, report) => sum + report.late, 0);
    const dropped = late > 0 ? `, ${si(late)} late` : '';
    this.#out.write(
      `${read < 1000 ? read : si(read)} ${read === 1 ? 'record' : 'records'} read, ${shown.length} operators${dropped}\n`,
    );
    for (const note of notesOf(operators)) this.#out.write(`▲ ${linesText(note)}\n`);
    for (const rejected of rejections(operators)) this.#out.write(`▲ ${rejectedLine(rejected)}\n`);
  }

  #heardState(state: SessionView): void {
    if (!this.#out.isTTY && state.warning !== undefined && this.#state.warning === undefined)
      this.#out.write(`▲ ${linesText(state.warning)}\n`);
    if (!this.#out.isTTY) this.#printDurability(state);
    if (!this.#out.isTTY) for (const line of this.#troubles.news(state)) this.#out.write(`▲ ${line}\n`);
    this.#state = state;
    for (const cell of state.cells) {
      if (cell.hasView && !this.#views.has(cell.id)) {
        this.#views.set(cell.id, new ViewCopy());
        this.onCell(cell.id);
      }
      if (cell.rejected && !this.#out.isTTY && !this.#rejected.has(cell.id)) this.#printRejected(cell);
      if (cell.sink && !this.#out.isTTY) this.#printNotes(cell);
      if (this.#phases.get(cell.id) === cell.phase) continue;
      this.#phases.set(cell.id, cell.phase);
      if (!this.#out.isTTY && cell.phase !== 'not-run') this.#out.write(`${statusLine(cell)}\n`);
    }
  }
  #heardView(message: ViewSnapshot | ViewDelta): void {
    const view = this.#views.get(message.view);
    if (!view) return;
    view.apply(message);
    for (const part of view.parts) {
      if (part.kind === 'error' && this.#showsErrors && !this.#out.isTTY)
        this.#printOnce(`${message.view}/${part.id}`, `✖ ${part.message}`);
      if (part.kind !== 'table' && part.kind !== 'chart') continue;
      const key = `${message.view}/${part.id}`;
      const rates = this.#rates.get(key) ?? [];
      rates.push(part.rate);
      this.#rates.set(key, rates.slice(-sparkPoints));
      if (this.#out.isTTY) continue;
      const isOneOfSeveral = view.parts.filter(({ kind }) => kind === 'table' || kind === 'chart').length > 1;
      this.#printRows(isOneOfSeveral ? `${message.view}  ${part.title}` : message.view, key, part);
    }
  }

  /**
   * A line for each restart, when checkpoints begin to fail, and when one is complete again. A
   * caller that prints errors also prints restarts.
   */
  #printDurability(state: SessionView): void {
    const { restarting } = state;
    if (this.#showsErrors && restarting && restarting.attempt !== this.#state.restarting?.attempt)
      this.#out.write(`▲ ${linesText(restartingText(state, Date.now()) ?? '')}\n`);
    const [before, failed] = [failedCheckpointText(this.#state), failedCheckpointText(state)];
    if (failed === before) return;
    this.#out.write(`▲ ${linesText(failed ?? 'checkpoints are complete again')}\n`);
  }
  /** A note whose numbers grow is printed once. The summary has the last ones. */
  #printNotes({ id, notes }: CellState): void {
    for (const note of notes) this.#printOnce(`${id}/note ${note.replace(/\d+/g, '0')}`, `▲ ${id}  ${note}`);
  }
  /** In a pipe: the last counts of rejected records, where they differ from the printed ones. */
  lastRejected(): void {
    if (!this.#out.isTTY) for (const cell of this.#state.cells) if (cell.rejected) this.#printRejected(cell);
  }
  #printRejected({ id, rejected = [] }: CellState): void {
    const text = `▲ ${lineText(id)}  ${rejected.map(rejectedLine).join('  ')}`;
    if (this.#rejected.get(id) !== text) this.#out.write(`${text}\n`);
    this.#rejected.set(id, text);
  }
  #printOnce(key: string, text: string): void {
    if (this.#printed.has(key)) return;
    this.#printed.set(key, 1);
    this.#out.write(`${linesText(text)}\n`);
  }
  #printRows(from: string, key: string, part: TablePart | ChartPart): void {
    const last = this.#printed.get(key) ?? 0;
    for (const row of part.rows) {
      if (row.n <= last) continue;
      this.#out.write(`${lineText(from)}  ${fields(row.value)}\n`);
    }
    this.#printed.set(key, Math.max(last, ...part.rows.map(({ n }) => n)));
  }

  #redraw(): void {
    if (this.#out.isTTY && !this.#hasEnded) this.#draw();
  }
  #erase(): void {
    if (this.#drawnLines > 0) this.#out.write(`\x1b[${this.#drawnLines}A\x1b[J`);
    this.#drawnLines = 0;
  }
  #draw(): void {
    this.#timer = undefined;
    const { warning, cells } = this.#state;
    const now = Date.now();
    const checkpoint = checkpointText(this.#state, now);
    const warnings = [...(warning === undefined ? [] : [warning]), ...durabilityWarnings(this.#state, now)];
    const lines = [
      ...(checkpoint === undefined ? [] : [paint.dim(checkpoint)]),
      ...warnings.map((text) => paint.yellow(`▲ ${lineText(text)}`)),
      ...cells.flatMap((cell) => this.#block(cell)),
    ];
    // Lines that have scrolled out of the window cannot be rewritten.
    const room = Math.max(1, (this.#out.rows ?? 24) - 2);
    const visible = lines.slice(0, room).map((line) => cut(line, this.#out.columns ?? 80));
    const up = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A` : '';
    this.#out.write(`${up}\x1b[J${visible.map((line) => `${line}\n`).join('')}`);
    this.#drawnLines = visible.length;
  }

  #block(cell: CellState): readonly string[] {
    const parts = this.#views.get(cell.id)?.parts ?? [];
    // A cell with a sink has no display. Its status is all there is to see.
    const isSeen = cell.rejected !== undefined || cell.sink !== undefined;
    if (parts.length === 0 && cell.errors.length === 0 && !isSeen) return [];
    const rejected = (cell.rejected ?? []).map((one) => `  ${paint.yellow(`▲ ${rejectedLine(one)}`)}`);
    return [statusLine(cell), ...rejected, ...parts.flatMap((part) => this.#part(cell.id, part)), ''];
  }

  #part(cell: string, part: Part): readonly string[] {
    switch (part.kind) {
      case 'table':
      case 'chart': {
        const field = part.kind === 'chart' ? yField(part.spec) : undefined;
        const values =
          field === undefined
            ? (this.#rates.get(`${cell}/${part.id}`) ?? [])
            : part.rows.slice(-sparkPoints).map(({ value }) => numberIn(shownValue(value), field));
        const now = Date.now();
        const caption = lineText(asText(part.caption.pieces, now));
        const sampled = part.sampled > 1 ? ` · sampled 1 in ${part.sampled}` : '';
        return [
          `  ${lineText(part.title)}  ${paint.dim(`${rate(part.rate)} · ${si(part.total)} rows${sampled}`)}`,
          ...(values.length > 1 ? [`  ${paint.blue(sparkline(values))}`] : []),
          ...table(
            part.rows.slice(-shownRows).map(({ value }) => value),
            now,
          ).map((line) => `  ${line}`),
          ...(caption === '' ? [] : [`  ${part.caption.waiting ? paint.yellow(caption) : paint.dim(caption)}`]),
        ];
      }
      case 'backpressure':
        return part.operators.map(({ name, inPerSecond, outPerSecond, busy, backpressured, level, culprit }) => {
          const figures = `in ${rate(inPerSecond)}  out ${rate(outPerSecond)}  busy ${percent(busy)}`;
          const limits = culprit === undefined ? '' : `  ◀ ${lineText(culprit)}`;
          return `  ${lineText(name)}  ${figures}  backpressured ${percent(backpressured)}  ${level}${limits}`;
        });
      case 'figures':
        return figureLines(part, Date.now()).map((line) => `  ${line}`);
      case 'value':
        return part.text.split('\n').map((line) => `  ${lineText(line)}`);
      case 'log':
        return part.lines.slice(-shownRows).map(({ text }) => `  ${paint.dim(lineText(text.split('\n')[0] ?? ''))}`);
      case 'error':
        if (!this.#showsErrors) return [];
        return [`  ${paint.red(`✖ ${lineText([part.where, part.message].filter(Boolean).join('  '))}`)}`];
    }
  }
}

function statusLine(state: CellState): string {
  const { id, phase, inPerSecond, outPerSecond, late, lag, leftOut, heldBack, reason, trouble, rows } = state;
  const pieces = [`${marked(phase)} ${lineText(id)}`];
  if (inPerSecond !== undefined && phase === 'live') pieces.push(`in ${rate(inPerSecond)}`);
  if (outPerSecond !== undefined && phase === 'live') pieces.push(`out ${rate(outPerSecond)}`);
  if (rows !== undefined && phase === 'finished') pieces.push(`${si(rows)} rows`);
  if (late) pieces.push(`late ${si(late)}`);
  if (lag !== undefined && phase === 'live') pieces.push(lag);
  if (leftOut !== undefined) pieces.push(`▲ ${leftOut}`);
  if (heldBack !== undefined) pieces.push(`▲ ${lineText(heldBack)}`);
  if (trouble !== undefined) pieces.push(paint.yellow(`▲ ${lineText(trouble)}`));
  if (reason !== undefined && reason !== trouble) pieces.push(paint.dim(lineText(reason)));
  return pieces.join('  ');
}

function marked(phase: CellState['phase']): string {
  const text = `● ${phase}`;
  if (phase === 'live' || phase === 'finished') return paint.green(text);
  return phase === 'failed' ? paint.red(text) : paint.yellow(text);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
/** A row on one line: name=value. Another program may read it, so times have their date. */
function fields(wire: unknown): string {
  const value = shownValue(wire);
  if (!isRecord(value)) return cellText(value);
  return Object.entries(value)
    .map(([name, inner]) => `${lineText(name)}=${cellText(inner)}`)
    .join('  ');
}
/** NaN is a gap in the sparkline. */
function numberIn(value: unknown, field: string): number {
  const inner = isRecord(value) && Object.hasOwn(value, field) ? value[field] : undefined;
  return typeof inner === 'number' || typeof inner === 'bigint' ? Number(inner) : NaN;
}
function yField(spec: Readonly<Record<string, unknown>>): string | undefined {
  const encoding = spec['encoding'] as { y?: { field?: unknown } } | undefined;
  return typeof encoding?.y?.field === 'string' ? encoding.y.field : undefined;
}
/** Cuts by visible width. Colour codes have no width. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length < columns ? line : `${plain.slice(0, columns - 2)}…`;
}

/** The reason has pieces of the record, and the name of its file. */
function rejectedLine(rejected: RejectedText): string {
  return lineText(rejectedSentence(rejected));
}
