// All views of a session. The executor sends rows and measurements; the store sends frames to
// watching clients, at most five a second.
import { randomUUID } from 'node:crypto';
import { invariant } from '../../engine/errors/invariant.ts';
import type { Plan } from '../../engine/graph/plan.ts';
import type { DisplayInstall, ExecutorEvent } from '../executor/executor-protocol.ts';
import type { LogLine, RestartMark, ViewDelta, ViewHello, ViewSnapshot } from '../protocol/displays.ts';
import { shownValue, toPlainJson } from '../protocol/values.ts';
import type { Cell, Metrics, SavedRows, SavedViews, Session } from '../session/state.ts';
import { BackpressureHistory } from './backpressure-part.ts';
import { CheckpointFigures } from './checkpoint-figures.ts';
import { LagFigures } from './lag-figures.ts';
import { WatermarkFigures } from './watermark-figures.ts';
import { errorParts } from './error-part.ts';
import { FixedPart, PanelPart } from './fixed-part.ts';
import { layoutOf, type RowLayout, type Shown } from './layout.ts';
import { CellLog } from './log-part.ts';
import { type Reason, RowPart } from './row-part.ts';
import { type LivePart, View } from './view.ts';

/** A connection that watches views. */
export interface Watcher {
  readonly id: string;
  /** False while earlier messages have not been written to the connection. */
  readonly isReady: boolean;
  send(message: ViewSnapshot | ViewDelta): void;
}

/** Calls the callback once after this time. The store schedules each frame separately. */
export type Schedule = (callback: () => void, millis: number) => void;

const frameMillis = 200;
/** Changes of one cell within this time are sent together. */
const gatherMillis = 15;

/** `layout` is set if the part is already shown and keeps its rows. */
interface Prepared {
  readonly part: LivePart;
  readonly layout?: RowLayout;
}
interface CellView {
  readonly view: View;
  displays: readonly LivePart[];
  prepared: readonly Prepared[] | undefined;
  errors: readonly LivePart[];
  log: CellLog | undefined;
  sentAt: number;
  isScheduled: boolean;
}

export class ViewStore {
  readonly #views = new Map<string, CellView>();
  readonly #watchers = new Map<string, Watcher>();
  readonly #panels = {
    backpressure: new BackpressureHistory(),
    lag: new LagFigures(),
    watermarks: new WatermarkFigures(),
    checkpoints: new CheckpointFigures(),
  };
  readonly #schedule: Schedule;
  readonly #now: () => number;
  #generation = 0;
  readonly #name = randomUUID().slice(0, 8);

  constructor(schedule: Schedule = later, now: () => number = () => performance.now()) {
    this.#schedule = schedule;
    this.#now = now;
  }

  // ---------------------------------------------------------------------------- what cells show

  /**
   * Prepares the displays of a mutation in progress. Their rows may arrive before the mutation is
   * known to have succeeded.
   */
  prepare(cell: string, shown: Shown, installs: readonly DisplayInstall[]): void {
    const entry = this.#entry(cell);
    entry.prepared = layoutOf(shown).map((layout, index): Prepared => {
      const id = String(index);
      if (layout.kind === 'value')
        return { part: new FixedPart({ kind: 'value', id: 'value', text: layout.text, wire: layout.wire }) };
      if (layout.kind !== 'table' && layout.kind !== 'chart')
        return { part: new PanelPart(id, this.#panels[layout.kind]) };
      const install = installs.find((candidate) => candidate.cell === cell && candidate.part === index);
      invariant(install, `display ${id} of cell ${cell} is in the mutation that installs it`);
      const { display, installed } = install;
      const kept = entry.displays.find((part) => isInstall(part, display, installed));
      return kept ? { part: kept, layout } : { part: new RowPart(id, display, installed, layout) };
    });
  }
  /** The mutation succeeded: the prepared displays replace the shown ones. */
  showPrepared(): void {
    for (const entry of this.#views.values()) {
      if (!entry.prepared) continue;
      entry.displays = entry.prepared.map(({ part, layout }) =>
        part instanceof RowPart && layout ? part.withLayout(layout) : part,
      );
      entry.prepared = undefined;
      this.#arrange(entry);
    }
  }
  dropPrepared(): void {
    for (const entry of this.#views.values()) entry.prepared = undefined;
  }

  remove(cell: string): void {
    const entry = this.#views.get(cell);
    if (!entry) return;
    entry.displays = [];
    entry.errors = [];
    entry.log = undefined;
    entry.prepared = undefined;
    this.#arrange(entry);
  }

  showErrors(cell: Cell): void {
    const parts = errorParts(cell);
    const entry = this.#views.get(cell.id) ?? (parts.length > 0 ? this.#entry(cell.id) : undefined);
    if (!entry) return;
    const same = new Map(entry.errors.map((part) => [JSON.stringify(part.part()), part]));
    entry.errors = parts.map((part) => same.get(JSON.stringify(part)) ?? new FixedPart(part));
    const isFormer = cell.error !== undefined && cell.active?.stopped === false;
    for (const part of entry.displays) if (part instanceof RowPart) part.isFormer = isFormer;
    this.#arrange(entry);
  }

  log(cell: string, lines: readonly Omit<LogLine, 'n'>[], dropped: number): void {
    const entry = this.#entry(cell);
    const isFirst = !entry.log;
    entry.log ??= new CellLog();
    entry.log.add(lines, dropped);
    if (isFirst) this.#arrange(entry);
    else this.#changed(entry);
  }
  clearLog(cell: string): void {
    const entry = this.#views.get(cell);
    if (!entry?.log) return;
    entry.log = undefined;
    this.#arrange(entry);
  }

  hasView(cell: string): boolean {
    return (this.#views.get(cell)?.view.parts.length ?? 0) > 0;
  }

  // ---------------------------------------------------------------------------- what comes in

  rows(frame: Extract<ExecutorEvent, { kind: 'display-rows' }>): void {
    const cell = frame.display.slice(0, frame.display.lastIndexOf('/'));
    const entry = this.#views.get(cell);
    if (!entry) return;
    for (const part of new Set([...entry.displays, ...(entry.prepared ?? []).map(({ part }) => part)]))
      if (isInstall(part, frame.display, frame.installed)) part.add(frame);
    this.#changed(entry);
  }

  measured(plan: Plan, metrics: Metrics, session?: Session): void {
    for (const panel of Object.values(this.#panels)) panel.update(plan, metrics, session);
    for (const entry of this.#views.values()) {
      for (const part of entry.displays) if (part instanceof PanelPart) part.measured();
      this.#changed(entry);
    }
  }
  /** Shows under each display the reason why no rows arrive. */
  explain(reasonOf: (display: string) => Reason | undefined): void {
    for (const entry of this.#views.values()) {
      for (const part of entry.displays) if (part instanceof RowPart) part.explain(reasonOf(part.display));
      this.#arrange(entry);
    }
  }

  // --------------------------------------------------------------------- snapshots of the executor

  save(): SavedViews {
    const saved = new Map<string, SavedRows>();
    for (const entry of this.#views.values())
      for (const part of entry.displays) if (part instanceof RowPart) saved.set(part.display, part.save());
    return saved;
  }
  /** The executor continues from a snapshot. Rows after the snapshot will arrive again. */
  rewind(saved: SavedViews, restart: RestartMark): void {
    this.#generation++;
    for (const entry of this.#views.values()) {
      // In a new process the parts are only prepared so far.
      for (const part of new Set([...entry.displays, ...(entry.prepared ?? []).map(({ part }) => part)])) {
        if (!(part instanceof RowPart)) continue;
        const rows = saved.get(part.display);
        part.rewind(rows?.installed === part.installed ? rows : undefined, restart);
      }
      entry.view.beginEpoch(this.#epoch());
      this.#changed(entry);
    }
  }

  // ---------------------------------------------------------------------------- clients

  hello(watcher: Watcher, hello: ViewHello): void {
    this.#watchers.set(watcher.id, watcher);
    for (const message of this.#entry(hello.view).view.hello(watcher.id, hello)) watcher.send(message);
  }
  hide(client: string, cell: string): void {
    const entry = this.#views.get(cell);
    if (!entry) return;
    entry.view.hide(client);
    // It may be the view of a cell that a client has made up.
    if (isUnused(entry)) this.#views.delete(cell);
  }
  forgetClient(client: string): void {
    this.#watchers.delete(client);
    for (const cell of [...this.#views.keys()]) this.hide(client, cell);
  }
  /** Number of views, also of cells that have shown nothing yet. */
  get size(): number {
    return this.#views.size;
  }
  /** All rows that a display keeps, as JSON lines. */
  jsonLines(cell: string, part: string): string {
    const found = this.#views.get(cell)?.displays.find(({ id }) => id === part);
    const rows = found instanceof RowPart ? found.rows : [];
    return rows.map((row) => `${JSON.stringify(toPlainJson(shownValue(row.value)) ?? null)}\n`).join('');
  }

  // ---------------------------------------------------------------------------- frames

  #entry(cell: string): CellView {
    const found = this.#views.get(cell);
    if (found) return found;
    const view = new View(cell, this.#epoch());
    const entry: CellView = {
      ...{ view, displays: [], prepared: undefined, errors: [], log: undefined },
      ...{ sentAt: -Infinity, isScheduled: false },
    };
    this.#views.set(cell, entry);
    return entry;
  }
  #epoch(): string {
    return `${this.#name}.${this.#generation}`;
  }

  #arrange(entry: CellView): void {
    const displays = entry.displays.filter((part) => !(part instanceof RowPart && part.hidesAsEmpty()));
    entry.view.setParts([...entry.errors, ...displays, ...(entry.log ? [entry.log] : [])]);
    this.#changed(entry);
  }

  #changed(entry: CellView): void {
    if (entry.isScheduled || !entry.view.isWatched || !entry.view.hasChanged) return;
    entry.isScheduled = true;
    const wait = Math.max(gatherMillis, entry.sentAt + frameMillis - this.#now());
    this.#schedule(() => this.#frame(entry), wait);
  }

  /** Sends at once what the next frames would carry. A session that ends has no later frame. */
  flush(): void {
    for (const entry of this.#views.values()) this.#frame(entry);
  }
  #frame(entry: CellView): void {
    entry.isScheduled = false;
    entry.sentAt = this.#now();
    const { messages, isBehind } = entry.view.frame((client) => this.#watchers.get(client)?.isReady ?? false);
    for (const [client, message] of messages) this.#watchers.get(client)?.send(message);
    if (!isBehind) return;
    entry.isScheduled = true;
    this.#schedule(() => this.#frame(entry), frameMillis);
  }
}

/** Nothing is lost with it: no client watches it, and it has shown nothing. */
function isUnused({ view, displays, prepared, errors, log }: CellView): boolean {
  return !view.isWatched && !view.hasShown && displays.length + errors.length === 0 && !prepared && !log;
}

function isInstall(part: LivePart, display: string, installed: number): part is RowPart {
  return part instanceof RowPart && part.display === display && part.installed === installed;
}

function later(callback: () => void, millis: number): void {
  setTimeout(callback, millis).unref();
}
