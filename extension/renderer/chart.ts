// A live chart. Its Vega view is created once per spec, and rows are patched into it.
// Frames conflate: while Vega draws one, all later frames become one.
//
//   draw(part) ─ other spec ─► embed ─► view.run
//              └ same spec ──► reconcile rows ─► view.change + view.run
import { changeset, Error as ErrorsOnly, parse, View } from 'vega';
import type { ChartPart } from '../../kernel/protocol/displays.ts';
import { CaptionLine } from './caption.ts';
import { Legend, lastValues, seriesOrder } from './chart-legend.ts';
import { Readout } from './chart-readout.ts';
import { rowsOnly } from './chart-loader.ts';
import { forgetRemovedRows, Sweep } from './chart-memory.ts';
import { usePlainPaint } from './chart-paint.ts';
import { ChartRows, type Datum } from './chart-rows.ts';
import type { DrawableSpec } from './chart-spec.ts';
import {
  drawableSpec,
  loneSignal,
  openField,
  partialField,
  partsSignal,
  rowsData,
  seriesSignal,
  defaultHeight,
} from './chart-spec.ts';
import { drawingBudget } from './drawing-budget.ts';
import { element, setAttribute, setClass, setText } from './element.ts';
import { count, rowCount, span } from './format.ts';
import { duration } from '../../kernel/protocol/figures.ts';
import { PartHeader } from './part-header.ts';
import type { PartHost, PartView } from './part-view.ts';
import { SeriesTally } from './series-tally.ts';
import { RestartMarks } from './restart-marks.ts';
import { chartConfig, onThemeChange } from './theme.ts';

/** Only tests read these: the Vega view has to stay the same object, and a picture has to come. */
export interface PlotElement extends HTMLElement {
  vegaView?: View;
  /** There are rows that the chart has not drawn yet. */
  isBehind?: boolean;
}

interface Bounds {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

usePlainPaint();
forgetRemovedRows();

const legendLine = 18;
const narrow = 520;

export class Chart implements PartView<ChartPart> {
  readonly element = element('section', 'sl-part sl-chart');
  readonly #header: PartHeader;
  readonly #plot: PlotElement = element('div', 'sl-plot');
  readonly #empty = element('div', 'sl-empty', 'no rows yet');
  readonly #legend = new Legend();
  readonly #restarts = new RestartMarks();
  readonly #readout = new Readout(this.#plot, () => this.#readSoon());
  readonly #problems = element('div', 'sl-caption sl-waiting');
  readonly #caption = new CaptionLine();
  readonly #abort = new AbortController();
  readonly #resize = new ResizeObserver(() => this.#fitSoon());
  #part: ChartPart | undefined;
  #frozen: ChartPart | undefined;
  #specText = '';
  #spec: DrawableSpec | undefined;
  #view: View | undefined;
  #rows = new ChartRows();
  #series: readonly unknown[] = [];
  #tally = new SeriesTally();
  readonly #sweep = new Sweep();
  /** JSON of the signals that depend on it. */
  #lone = '';
  #work: Promise<void> | undefined;
  /** The next picture is not drawn before this time. */
  #nextAt = 0;
  #paced: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  #reading: number | undefined;
  #overhang = 0;
  #fitTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: PartHost) {
    this.#header = new PartHeader({
      freeze: () => this.#toggleFreeze(),
      download: () => this.#part && host.download(this.#part.id),
    });
    const frame = element('div', 'sl-chart-frame', this.#plot, this.#legend.element);
    this.#plot.append(this.#empty, this.#restarts.element, this.#readout.element);
    this.#plot.setAttribute('role', 'img');
    this.#problems.hidden = true;
    this.element.append(this.#header.element, frame, this.#problems, this.#caption.element);
    this.#resize.observe(this.#plot);
    onThemeChange(() => this.#retheme(), this.#abort.signal);
  }

  draw(part: ChartPart): void {
    this.#part = part;
    // A smaller total: the cell was run again, and the frozen rows are obsolete.
    if (this.#frozen !== undefined && part.total < this.#frozen.total) this.#frozen = undefined;
    if (this.#frozen === undefined) this.#update();
    else this.#drawTexts(part);
  }

  /**
   * With each picture. Texts that changed with each frame would let the browser paint the page
   * between the pictures, too.
   */
  #drawTexts(part: ChartPart): void {
    const { title, lastMillis, sampled, total } = part;
    const figures = lastMillis === undefined ? [] : [keptText(part, lastMillis)];
    if (sampled > 1) figures.push(`sampled 1 in ${count(sampled)}`);
    this.#header.draw(title, figures);
    this.#caption.draw(part.caption, Date.now());
    this.#header.drawFrozen(this.#frozen !== undefined, total - (this.#frozen?.total ?? total));
  }

  dispose(): void {
    this.#abort.abort();
    this.#resize.disconnect();
    clearTimeout(this.#fitTimer);
    clearTimeout(this.#paced);
    drawingBudget.forget(this);
    this.#view?.finalize();
    this.#view = undefined;
  }

  #toggleFreeze(): void {
    this.#frozen = this.#frozen === undefined ? this.#part : undefined;
    if (this.#part === undefined) return;
    this.#drawTexts(this.#part);
    if (this.#frozen === undefined) this.#update();
  }

  #update(): void {
    this.#plot.isBehind = true;
    if (this.#work !== undefined) {
      this.#again = true;
      return;
    }
    const begin = performance.now();
    const wait = this.#nextAt - begin;
    if (wait > 0) {
      this.#paced ??= setTimeout(() => {
        this.#paced = undefined;
        this.#update();
      }, wait);
      return;
    }
    this.#work = this.#bringForward()
      .catch((error: unknown) => this.#fail(error))
      .then(() => {
        this.#work = undefined;
        const end = performance.now();
        drawingBudget.spent(this, end - begin, end);
        this.#nextAt = begin + drawingBudget.intervalMillis(end);
        this.#plot.isBehind = this.#again;
        if (!this.#again) return;
        this.#again = false;
        this.#update();
      });
  }

  async #bringForward(): Promise<void> {
    const part = this.#frozen ?? this.#part;
    if (part === undefined || this.#abort.signal.aborted) return;
    this.#drawTexts(this.#part ?? part);
    const specText = JSON.stringify(part.spec);
    if (specText !== this.#specText) this.#embed(part, specText);
    const view = this.#view;
    if (view === undefined) return;
    const open = this.#spec?.showsOpen === true ? (part.open ?? []) : [];
    const { inserted, removed } = this.#rows.reconcile(open.length === 0 ? part.rows : [...part.rows, ...open]);
    if (inserted.length > 0 || removed.length > 0) {
      const change = changeset()
        .insert([...inserted])
        .remove([...removed]);
      view.change(rowsData, this.#sweep.prepare(view, change));
      this.#nameSeries(view, inserted, removed);
    }
    this.#learnFields(inserted);
    this.#drawProblems();
    setClass(this.#plot, this.#rows.size === 0 ? 'sl-plot sl-is-empty' : 'sl-plot');
    await view.runAsync();
    await this.#fit(view);
    this.#restarts.marks = part.restarts ?? [];
    this.#read(view);
  }

  /** A row that cannot be shown is missing in the chart, and the reason stands below it. */
  #drawProblems(): void {
    const { length, [0]: first } = this.#rows.problems;
    const problems = first === undefined ? [] : [`${rowCount(length)} ${first}`];
    if (this.#missing.length > 0 && this.#rows.size > 0) problems.unshift(this.#missingText());
    if (this.#problems.hidden !== (problems.length === 0)) this.#problems.hidden = problems.length === 0;
    setText(this.#problems, problems.join(' · '));
  }

  /** Fields of the spec that no row has had. */
  #missing: readonly string[] = [];
  #learnFields(rows: readonly Datum[]): void {
    if (this.#missing.length === 0) return;
    this.#missing = this.#missing.filter((name) => !rows.some((row) => Object.hasOwn(row, name)));
  }
  #missingText(): string {
    const names = new Set<string>();
    for (const datum of this.#rows.data())
      for (const name of Object.keys(datum)) if (name !== partialField && name !== openField) names.add(name);
    const missing = this.#missing.map((name) => `"${name}"`).join(' and ');
    return `No row has the field ${missing}. The fields are: ${[...names].join(', ')}.`;
  }

  /**
   * Vega computes the layout once, so that the plot does not move when the width of a label
   * changes. The layout is computed again only if labels no longer fit. What a new layout leaves
   * cut is no reason for another one in the next frame.
   */
  async #fit(view: View): Promise<void> {
    if (this.#overhangOf(view) <= this.#overhang + 1) return;
    await view.resize().runAsync();
    this.#overhang = Math.max(0, this.#overhangOf(view));
  }
  #overhangOf(view: View): number {
    const isFixed = this.#spec?.height !== undefined && this.#rows.size > 0;
    return isFixed ? overhangOf(view, this.#plot.querySelector('svg')) : 0;
  }

  #readSoon(): void {
    this.#reading ??= requestAnimationFrame(() => {
      this.#reading = undefined;
      if (this.#view !== undefined && this.#work === undefined) this.#read(this.#view);
    });
  }

  /** Draws the rule or box under the pointer, and the legend's values at that time. */
  #read(view: View): void {
    const spec = this.#spec;
    if (spec === undefined) return;
    this.#restarts.draw(view, spec);
    this.#readout.draw(view, this.#rows, {
      ...spec,
      figure: spec.series === undefined ? spec.figure : undefined,
    });
    this.#drawLegend(view);
  }

  #embed(part: ChartPart, specText: string): void {
    this.#specText = specText;
    this.#view?.finalize();
    this.#view = undefined;
    const spec = drawableSpec(part.spec, part.title, chartConfig(this.element));
    this.#spec = spec;
    this.#rows = new ChartRows(spec.temporalFields);
    this.#overhang = 0;
    this.#series = [];
    this.#tally = new SeriesTally();
    this.#lone = '';
    this.#missing = spec.fields;
    const plotHeight = spec.height ?? defaultHeight;
    this.#plot.style[spec.height === undefined ? 'minHeight' : 'height'] = `${String(plotHeight)}px`;
    this.#plot.style.setProperty('overflow-x', spec.fitsWidth ? 'hidden' : 'auto');
    this.#legend.element.hidden = spec.series === undefined;
    const holder = element('div', 'sl-vega');
    // The plot has one name. The marks inside have none.
    holder.setAttribute('aria-hidden', 'true');
    this.#plot.replaceChildren(holder, this.#empty, this.#restarts.element, this.#readout.element);
    const view = new View(parse(spec.vega), {
      renderer: 'svg',
      logLevel: ErrorsOnly,
      loader: rowsOnly,
      hover: false,
      tooltip: () => undefined,
    });
    view.initialize(holder);
    if (spec.fitsWidth) view.width(this.#width());
    this.#readout.follow(view);
    view.addResizeListener(() => this.#readSoon());
    this.#view = view;
    this.#plot.vegaView = view;
    setAttribute(this.#plot, 'aria-label', `chart: ${part.title}`);
  }

  /** Brings the signals of the spec forward: the series, those of one row, and partial rows. */
  #nameSeries(view: View, inserted: readonly Datum[], removed: readonly Datum[]): void {
    const { series, lone } = this.#spec ?? {};
    const tally = this.#tally;
    tally.change(inserted, removed, series?.field ?? lone?.field);
    const text = JSON.stringify([tally.lone, tally.hasParts]);
    if (lone !== undefined && text !== this.#lone) {
      this.#lone = text;
      view.signal(loneSignal, tally.lone).signal(partsSignal, tally.hasParts);
    }
    const names = series === undefined ? this.#series : seriesOrder(this.#series, tally.names);
    if (names === this.#series) return;
    this.#series = names;
    view.signal(seriesSignal, names);
  }

  #drawLegend(view: View): void {
    const spec = this.#spec;
    if (spec?.series === undefined) return;
    const values = lastValues(this.#rows.data(), spec.series, spec.time, this.#readout.at);
    const colour = view.scale(spec.series.scale) as (name: unknown) => string;
    const entries = this.#series.map((name) => ({ name, colour: colour(name), value: values.get(name) }));
    this.#legend.draw(entries, Math.floor((spec.height ?? defaultHeight) / legendLine));
  }

  #width(): number {
    return Math.max(this.#plot.clientWidth, 120);
  }

  #fitSoon(): void {
    const frame = this.#plot.parentElement;
    if (frame !== null) frame.classList.toggle('sl-narrow', frame.clientWidth > 0 && frame.clientWidth < narrow);
    this.#fitTimer ??= setTimeout(() => {
      this.#fitTimer = undefined;
      const view = this.#view;
      // A hidden plot has no width. It is fitted when it becomes visible.
      if (view === undefined || this.#spec?.fitsWidth !== true || this.#plot.clientWidth === 0) return;
      if (view.width() === this.#width()) return;
      view.width(this.#width());
      this.#update();
    }, 60);
  }

  /**
   * Colours are CSS variables and change with the theme. Only a continuous ramp must be computed
   * again.
   */
  #retheme(): void {
    const ramps: unknown[] = ['ramp', 'heatmap', 'diverging'];
    if (!this.#spec?.vega.scales?.some((scale) => 'range' in scale && ramps.includes(scale.range))) return;
    this.#specText = '';
    this.#update();
  }

  #fail(error: unknown): void {
    this.#view?.finalize();
    this.#view = undefined;
    const reason = error instanceof Error ? error.message : String(error);
    this.#plot.replaceChildren(element('div', 'sl-cannot', `This chart's spec cannot be drawn: ${reason}`));
    this.#plot.style.height = `${String(defaultHeight)}px`;
  }
}

/** In pixels: how far a drawing reaches over the edge of its svg. */
function overhangOf(view: View, svg: SVGSVGElement | null): number {
  const bounds = (view.scenegraph() as unknown as { readonly root: { readonly bounds?: Bounds } }).root.bounds;
  if (svg === null || bounds === undefined) return 0;
  const [left, top] = view.origin();
  return Math.max(
    -left - bounds.x1,
    -top - bounds.y1,
    left + bounds.x2 - svg.width.baseVal.value,
    top + bounds.y2 - svg.height.baseVal.value,
  );
}

/** "last 20 s", or how much of it the kept rows cover when there are too many of them. */
function keptText({ rows, limit }: ChartPart, lastMillis: number): string {
  const all = `last ${span(lastMillis)}`;
  if (rows.length < limit) return all;
  let first = Infinity;
  let last = -Infinity;
  for (const { t } of rows) {
    first = Math.min(first, t);
    last = Math.max(last, t);
  }
  if (last - first > lastMillis * 0.95) return all;
  return `${count(rows.length)} points: ${duration(last - first)} of ${span(lastMillis)}`;
}
