// One script that emits the messages of a kernel’s displays: snapshots and deltas for pictures and
// for tests in a real browser.
// No test of the kernel uses it.
import type {
  BackpressurePart,
  ChartPart,
  ErrorPart,
  FiguresPart,
  LogLine,
  LogPart,
  OperatorRow,
  Part,
  PartChange,
  TablePart,
  ValuePart,
  ViewDelta,
  ViewHello,
  ViewSnapshot,
  WireRow,
} from '../../../kernel/protocol/displays.ts';
import type { CellState, CellText, SessionView, Welcome } from '../../../kernel/protocol/messages.ts';
import { applyChange } from '../../renderer/view-client.ts';

/** A small random generator of its own, so that every run draws the same picture. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One view as its kernel keeps it: parts, epoch, seq. `change` is the next delta. */
export class ScriptedView {
  readonly view: string;
  epoch = 'e1';
  seq = 0;
  parts: readonly Part[];

  constructor(view: string, parts: readonly Part[]) {
    this.view = view;
    this.parts = parts;
  }

  snapshot(): ViewSnapshot {
    return { type: 'snapshot', view: this.view, epoch: this.epoch, seq: this.seq, parts: this.parts };
  }
  change(...changes: readonly PartChange[]): ViewDelta {
    this.parts = changes.reduce(applyChange, this.parts);
    this.seq += 1;
    return { type: 'delta', view: this.view, epoch: this.epoch, seq: this.seq, changes };
  }
  answer(hello: ViewHello): ViewSnapshot | undefined {
    return hello.epoch === this.epoch && hello.lastSeq === this.seq ? undefined : this.snapshot();
  }
}

const seconds = 1_000;
/** Begin of the scripts of the tests. */
export const start = Date.UTC(2024, 0, 1, 12);
const customers = ['ann', 'bob', 'zoe'];

export const lineSpec = {
  data: { name: 'rows' },
  mark: { type: 'line', interpolate: 'linear', point: false, tooltip: { content: 'data' } },
  encoding: {
    x: { field: 'windowEnd', type: 'temporal', title: null, axis: { labelOverlap: true } },
    y: { field: 'total', type: 'quantitative', title: 'total', scale: { zero: false } },
    color: { field: 'customer', type: 'nominal', title: 'customer' },
  },
  width: 'container',
  autosize: { type: 'fit', contains: 'padding' },
};
export const pointSpec = {
  mark: { type: 'circle' },
  encoding: {
    x: { field: 'time', type: 'temporal' },
    y: { field: 'magnitude', type: 'quantitative', scale: { zero: false } },
    color: { field: 'depth', type: 'quantitative' },
    size: { field: 'magnitude', type: 'quantitative', legend: null },
  },
  data: { name: 'rows' },
};

/** Totals of 10 s windows of three customers, as a windowed aggregate emits them. */
export function* windowRows(start: number, random = seeded(7)): Generator<readonly WireRow[], never> {
  const level = new Map(customers.map((customer, index) => [customer, 700 + index * 260]));
  let n = 0;
  for (let window = 0; ; window++) {
    const end = start + (window + 1) * 10 * seconds;
    yield customers.map((customer) => {
      const next = Math.max((level.get(customer) ?? 0) + (random() - 0.48) * 120, 60);
      level.set(customer, next);
      n += 1;
      return {
        n,
        key: `${customer} ${String(end)}`,
        t: end - 1,
        value: {
          customer,
          windowStart: { $date: end - 10 * seconds },
          windowEnd: { $date: end },
          total: Math.round(next),
        },
        ...(window === 0 ? { partial: true } : {}),
      };
    });
  }
}

/** The same rows as those of windows that are still open. */
export function openRows(rows: readonly WireRow[]): readonly WireRow[] {
  return rows.map(({ key: _key, partial: _partial, ...row }, index) => ({ ...row, n: index + 1, open: true }));
}

export function totalsPart(rows: readonly WireRow[], watermark: number): ChartPart {
  return {
    kind: 'chart',
    id: 'totals',
    title: 'total by customer',
    spec: lineSpec,
    limit: 2_000,
    lastMillis: 300 * seconds,
    rows,
    rate: 0.3,
    sampled: 1,
    total: rows.length,
    caption: closedCaption(watermark - 2 * seconds, watermark),
  };
}
export function closedCaption(closed: number, watermark: number): ChartPart['caption'] {
  return { pieces: ['windows to ', { time: closed }, ' · watermark ', { time: watermark }, ' · 4 Hz'], waiting: false };
}
export function silentCaption(window: number): ChartPart['caption'] {
  return {
    pieces: [
      'waiting: partition orders[3] has been silent for 41 s; the window ',
      { time: window },
      '–',
      { time: window + 10 * seconds },
      ' needs ≥ ',
      { time: window + 10 * seconds },
    ],
    waiting: true,
  };
}

export function* orderRows(start: number, random = seeded(11)): Generator<WireRow, never> {
  const countries = ['CH', 'DE', 'FR', 'IT', 'AT'];
  const offsets = [187_951, 188_020, 188_107, 188_204];
  for (let n = 1; ; n++) {
    const partition = Math.floor(random() * 4);
    offsets[partition]! += 1;
    const amount = Math.round(random() ** 3 * 90_000) / 100;
    yield {
      n,
      t: start + n * 14 + Math.floor(random() * 9),
      partition,
      offset: offsets[partition]!,
      value: {
        id: `o-${String(99_000 + n)}`,
        customer: ['ann', 'bob', 'zoe', 'maximilian', 'li'][Math.floor(random() * 5)]!,
        amount,
        country: countries[Math.floor(random() * 5)]!,
        express: random() > 0.8,
        items: Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => ({
          sku: `s-${String(index)}`,
          qty: index + 1,
        })),
      },
    };
  }
}
export function ordersPart(rows: readonly WireRow[]): TablePart {
  return {
    kind: 'table',
    id: 'orders',
    title: 'orders',
    limit: 100,
    rows,
    rate: 18_240,
    sampled: 73,
    total: 1_204_118,
    caption: { pieces: ['2 errors in the last minute (orders.errors)'], waiting: false },
  };
}

export function operators(): readonly OperatorRow[] {
  const row = (
    id: string,
    cell: string,
    name: string,
    [busy, idle, backpressured]: readonly [number, number, number],
    figures: Partial<OperatorRow> = {},
  ): OperatorRow => ({
    id,
    cell,
    name,
    inPerSecond: 18_240,
    outPerSecond: 18_240,
    recordsIn: 1_204_118,
    recordsOut: 1_204_118,
    busy,
    idle,
    backpressured,
    level: backpressured <= 0.1 ? 'OK' : backpressured <= 0.5 ? 'LOW' : 'HIGH',
    late: 0,
    ...figures,
  });
  return [
    row('orders', 'orders', 'kafka orders', [0.22, 0.03, 0.75]),
    row('clean', 'clean', 'filter valid', [0.41, 0.17, 0.42]),
    row('enrich', 'enrich', 'map lookup', [1, 0, 0], { culprit: 'limits the flow: 54 µs a record' }),
    row('key', 'totals', 'keyBy customer', [0.09, 0.91, 0]),
    row('window', 'totals', 'tumbling 10 s · aggregate', [0.12, 0.88, 0], { outPerSecond: 0.3, late: 12 }),
  ];
}
export function backpressurePart(random = seeded(3)): BackpressurePart {
  const series = (id: string, name: string, from: number, share: number) => ({
    id,
    name,
    points: Array.from({ length: 300 }, (_, second) =>
      second < from
        ? random() * 0.05
        : Math.min(Math.max(share * Math.min((second - from) / 60, 1) + (random() - 0.5) * 0.1, 0), 1),
    ),
  });
  return {
    kind: 'backpressure',
    id: 'pressure',
    operators: operators(),
    history: [
      series('orders', 'kafka orders', 120, 0.75),
      series('clean', 'filter valid', 140, 0.42),
      series('enrich', 'map lookup', 0, 0),
      series('key', 'keyBy customer', 0, 0),
      series('window', 'tumbling 10 s · aggregate', 0, 0),
    ],
    thread: 0.97,
  };
}

/** `read`: records that partition 0 has read since the panel was opened. */
export function lagPart(read = 0): FiguresPart {
  return {
    kind: 'figures',
    id: 'lag',
    title: 'lag',
    groups: [
      {
        id: 'orders',
        name: 'kafka orders · cell orders',
        columns: ['position', 'end', 'lag', 'behind', 'rate', ''],
        rows: [
          {
            id: '0',
            figures: [
              '0',
              { count: 188_204 + read },
              { count: 199_104 },
              { count: 10_900 - read },
              { millis: 276_000 },
              { perSecond: 18_240 },
              null,
            ],
          },
          {
            id: '1',
            figures: ['1', { count: 40 }, null, null, null, null, 'stopped: orders[1]@40 cannot be read'],
            tone: 'bad',
          },
        ],
      },
    ],
  };
}

export const errorPart: ErrorPart = {
  kind: 'error',
  id: 'error',
  code: 'operator-failed',
  where: 'map lookup · cell enrich, line 3',
  message: "TypeError: Cannot read properties of undefined (reading 'tier')",
  location: { cell: 'enrich', line: 3, column: 36 },
  excerpt: '  const tier = customers[o.customer].tier;',
  record: 'orders[3]@188204  { "id": "o-99121", "customer": "zoe", "amount": 41.2, "country": "CH", "items": [ … ] }',
  hint: 'Cell enrich and the operators that read from it have stopped. All others continue. Edit and run the cell to resume.',
  stack: ['at enrich, line 3, column 36', 'at lookup (prices.ts, line 12, column 9)'],
};

export function logPart(start: number, lines = 5): LogPart {
  const texts: readonly [LogLine['level'], string][] = [
    ['log', 'read 3 customers from customers.json'],
    ['log', '{ id: "o-99121", customer: "zoe", amount: 41.2 }'],
    ['warn', 'customer "zoe" has no tier; taking "basic"'],
    ['error', 'lookup took 2,041 ms'],
    ['debug', 'cache: 812 hits, 3 misses'],
  ];
  return {
    kind: 'log',
    id: 'log',
    lines: Array.from({ length: lines }, (_, index) => {
      const [level, text] = texts[index % texts.length]!;
      return { n: index + 1, level, at: start + index * 137, text };
    }),
    dropped: lines > 5 ? 1_204 : 0,
  };
}
export const valuePart: ValuePart = {
  kind: 'value',
  id: 'value',
  text: '{ ann: { tier: "gold" }, bob: { tier: "basic" } }',
  wire: { ann: { tier: 'gold', since: { $date: 1_700_000_000_000 } }, bob: { tier: 'basic', since: null } },
};

export function* quakes(start: number, random = seeded(5)): Generator<WireRow, never> {
  for (let n = 1; ; n++) {
    const t = start + n * 40 * seconds + Math.floor(random() * 9e5);
    yield {
      n,
      t,
      value: {
        time: { $date: t },
        magnitude: Math.round((1 + random() ** 3 * 5) * 10) / 10,
        depth: Math.round(random() * 90),
      },
    };
  }
}
export function quakesPart(rows: readonly WireRow[]): ChartPart {
  return {
    ...totalsPart(rows, rows.at(-1)?.t ?? 0),
    id: 'quakes',
    title: 'magnitude',
    spec: pointSpec,
    lastMillis: undefined,
  };
}
export function waitingPart(window: number): ChartPart {
  return { ...totalsPart([], 0), id: 'hourly', title: 'count by hour', caption: silentCaption(window) };
}

export const demoCells: readonly CellText[] = [
  {
    id: 'title',
    kind: 'markdown',
    text: '# Orders, live\n\nEvery order of the shop as it comes, and its **total by customer** in windows of ten seconds. The bound on lateness is two seconds: what comes later than that is in `totals.late`, and is not forgotten.\n\n- one record is one order\n- amounts are in francs\n- a note in <img src=x onerror=alert(1)> is text',
  },
  {
    id: 'orders',
    kind: 'code',
    text: "const orders = kafka('orders', { timestamp: 'createdAt', watermark: boundedOutOfOrderness('2s') });\norders",
  },
  {
    id: 'totals',
    kind: 'code',
    text: "const totals = orders.keyBy('customer').window(tumbling('10s')).aggregate({ total: sum('amount') });\ntotals.chart({ mark: 'line', x: 'windowEnd', y: 'total', color: 'customer' })",
  },
  {
    id: 'prose',
    kind: 'markdown',
    text: '## What holds the flow back\n\nThe lookup takes 54 µs a record, and one thread does it.',
  },
  { id: 'pressure', kind: 'code', text: 'backpressure()' },
  { id: 'lag', kind: 'code', text: 'lag()' },
  { id: 'enrich', kind: 'code', text: 'const enriched = orders.map((o) => {\n  …\n});' },
  { id: 'hourly', kind: 'code', text: 'hourly.chart(…)' },
];

export function demoViews(now: number): ReadonlyMap<string, ScriptedView> {
  const windows = windowRows(now - 300 * seconds);
  const totals = Array.from({ length: 30 }, () => windows.next().value).flat();
  const open = openRows(windows.next().value);
  const { spec: _spec, ...common } = totalsPart(totals.slice(0, 6), now);
  const table: TablePart = { ...common, kind: 'table', id: 'windows', title: 'totals', limit: 10, open };
  const orders = orderRows(now - 2 * seconds);
  const orderList = Array.from({ length: 100 }, () => orders.next().value);
  const shocks = quakes(now - 7 * 86_400_000);
  return new Map(
    [
      new ScriptedView('orders', [ordersPart(orderList)]),
      new ScriptedView('totals', [{ ...totalsPart(totals, now), open }]),
      new ScriptedView('pressure', [backpressurePart()]),
      new ScriptedView('lag', [lagPart()]),
      new ScriptedView('enrich', [errorPart, logPart(now, 5), valuePart]),
      new ScriptedView('hourly', [waitingPart(now - (now % 10_000)), table]),
      new ScriptedView('quakes', [quakesPart(Array.from({ length: 400 }, () => shocks.next().value))]),
    ].map((view) => [view.view, view]),
  );
}

export function demoState(): SessionView {
  const cell = (id: string, more: Partial<CellState>): CellState => ({
    id,
    phase: 'live',
    edited: false,
    stale: [],
    notes: [],
    hasView: true,
    errors: [],
    ...more,
  });
  return {
    cells: [
      cell('orders', { stream: 'orders', inPerSecond: 18_240, outPerSecond: 18_240 }),
      cell('totals', {
        stream: 'totals',
        inPerSecond: 18_240,
        outPerSecond: 412,
        late: 0,
        heldBack: 'held back by enrich (HIGH)',
      }),
      cell('pressure', { phase: 'live' }),
      cell('enrich', { phase: 'failed', stream: 'enriched' }),
      cell('hourly', { phase: 'waiting', stream: 'hourly' }),
    ],
    clients: 3,
    recordsPerSecond: 18_240,
  };
}
export function demoWelcome(since: number): Welcome {
  return {
    protocol: 1,
    build: 'demo',
    session: 's1',
    notebook: '/orders.sluice.ts',
    since,
    state: demoState(),
    cells: demoCells,
  };
}

/** The next delta with these rows, as the host passes it on. */
export function rows(view: ScriptedView, id: string, fresh: readonly WireRow[], more = fresh.length) {
  const part = view.parts.find((one) => one.id === id);
  const total = (part !== undefined && 'total' in part ? part.total : 0) + more;
  const change = {
    kind: 'rows',
    id,
    rows: fresh,
    rate: 18_240,
    sampled: 1,
    total,
    caption: closedCaption(start, start),
  } as const;
  return { type: 'view', message: view.change(change) } as const;
}
export function take<T>(from: Iterator<T>, length: number): T[] {
  return Array.from({ length }, () => from.next().value as T);
}
