// The notebooks of the set. Each reads recorded topics to their end, shows something, and writes
// each output into a topic of its own, whose name begins with the parameter `out`. What it writes
// does not depend on the order in which partitions are read.

export interface Output {
  /** The end of the topic's name. */
  readonly name: string;
  /**
   * Of a table, the last row of each key counts, and none if it says `isGone`: whether a key had a
   * row for a moment depends on which input was read first. So does the time of its last row, and
   * so only `rows` are compared with their timestamps.
   */
  readonly kind: 'rows' | 'table';
  /** It has at least so many rows, or keys. */
  readonly least: number;
}
export interface SetNotebook {
  readonly name: string;
  readonly outputs: readonly Output[];
  /** Its parameter `ask` is the address of a server that answers out of order. */
  readonly asks?: true;
  readonly text: string;
}

const rows = (name: string, least: number): Output => ({ name, kind: 'rows', least });
const table = (name: string, least: number): Output => ({ name, kind: 'table', least });

/** Each row has the name of its topic as its first header. `row`: what `headers` take from it. */
const to = (name: string, more: string, { row = '', headers = '' } = {}): string =>
  `.to(\`\${out}-${name}\`, { ${more}, delivery: 'exactly-once', headers: (${row}) => ({ topic: \`\${out}-${name}\`${headers} }) });`;
const once = (name: string, key = 'k'): string => to(name, `key: '${key}'`);
const timed = (name: string): string => to(name, "key: 'k', timestamp: 'at'");

/** `imported`: names besides those of the source. `topic` has orders. */
const overOrders = (imported: string, cells: string, topic = 'orders'): string => `// %% id=orders
import { configure, kafka, param${imported === '' ? '' : `, ${imported}`} } from 'sluice';
configure({ checkpoint: { interval: '500ms' } });
interface Order { n: number; at: number; k: string; v: number; side: 'left' | 'right' }
const out = param('out', 'none');
const orders = kafka<Order>('${topic}', {
  until: 'latest', format: 'json', timestamp: 'at', watermark: { outOfOrderness: '10s', idleness: '24h' },
});
orders.show();

${cells}`;

export const notebooks: readonly SetNotebook[] = [
  {
    name: 'tumbling',
    outputs: [rows('windows', 500)],
    text: overOrders(
      'count, countDistinct, max, sum, tumbling',
      `// %% id=windows
const windows = orders.keyBy('k').window(tumbling('10s', { offset: '3s' }))
  .aggregate({ n: count(), total: sum('v'), most: max('v'), sides: countDistinct('side') });
windows.chart({ x: 'windowStart', y: 'n' });

// %% id=out
windows${once('windows')}
`,
    ),
  },
  {
    name: 'sliding',
    outputs: [rows('windows', 1_000), rows('all', 100)],
    text: overOrders(
      'count, min, sliding, sum',
      `// %% id=windows
const windows = orders.keyBy('k').window(sliding('20s', '5s')).aggregate({ n: count(), total: sum('v'), least: min('v') });
windows.show();

// %% id=out
windows.filter(({ n }) => n > 1)${once('windows')}

// %% id=all
orders.windowAll(sliding('30s', '5s')).aggregate({ n: count() })${to('all', "compression: 'gzip'")}
`,
    ),
  },
  {
    name: 'session',
    outputs: [rows('sessions', 300)],
    text: overOrders(
      'count, max, session, sum',
      `// %% id=sessions
const sessions = orders.keyBy('k').window(session('4s')).aggregate({ n: count(), total: sum('v'), most: max('v') });
sessions.show();

// %% id=out
sessions${once('sessions')}
`,
    ),
  },
  {
    name: 'custom-window',
    outputs: [rows('aligned', 300), rows('merged', 200), rows('fourths', 300)],
    text: overOrders(
      'collect, count, customWindow, sum, trigger',
      `// %% id=aligned
const bySide = customWindow<Order>({
  assign({ side }, at) {
    const size = side === 'left' ? 8_000 : 12_000;
    return [{ start: at - (at % size), end: at - (at % size) + size }];
  },
});
const aligned = orders.keyBy('k').window(bySide).aggregate({ n: count(), total: sum('v') });
aligned.show();

// %% id=out
aligned${once('aligned')}

// %% id=merged
const byValue = customWindow<Order>({ assign: ({ v }, at) => [{ start: at, end: at + 500 + 40 * v }], merging: true });
orders.keyBy('k').window(byValue).aggregate({ n: count(), total: sum('v') })${once('merged')}

// %% id=fourths
const overlapping = customWindow<Order>({
  assign: (_, at) => [0, 15_000].map((back) => at - (at % 15_000) - back).map((start) => ({ start, end: start + 30_000 })),
  trigger: trigger.purging(trigger.count(4)),
});
orders.keyBy('k').window(overlapping).aggregate({ all: collect((order: Order) => order.n) })${once('fourths')}
`,
    ),
  },
  {
    name: 'late',
    outputs: [
      ...[rows('tumbling', 100), rows('tumbling-late', 50), rows('corrected', 150), rows('corrected-late', 20)],
      ...[rows('sessions', 40), rows('sessions-late', 50), rows('rises', 20), rows('rises-late', 50)],
    ],
    text: overOrders(
      'count, pattern, session, sum, tumbling',
      `// %% id=windows
const windows = orders.keyBy('k').window(tumbling('10s')).aggregate({ n: count(), total: sum('v') });
windows.show();

// %% id=out
windows${once('tumbling')}
windows.late${once('tumbling-late')}

// %% id=corrected
const corrected = orders.keyBy('k').window(tumbling('10s')).allowedLateness('20s').aggregate({ n: count(), total: sum('v') });
corrected${once('corrected')}
corrected.late${once('corrected-late')}

// %% id=sessions
const sessions = orders.keyBy('k').window(session('4s')).aggregate({ n: count(), total: sum('v') });
sessions${once('sessions')}
sessions.late${once('sessions-late')}

// %% id=rises
const rising = pattern<Order>('low').where(({ v }) => v < 20).followedBy('high').where(({ v }) => v > 80).within('20s');
const rises = orders.keyBy('k').pattern(rising).select(({ low, high }) => ({ k: low![0]!.k, low: low![0]!.n, high: high![0]!.n }));
rises${once('rises')}
rises.late${once('rises-late')}
`,
      'latecomers',
    ),
  },
  {
    name: 'count-and-global',
    outputs: [rows('counted', 200), rows('moving', 300), rows('global', 300)],
    text: overOrders(
      'collect, count, countWindow, globalWindow, max, sum, trigger',
      `// %% id=counted
const byKey = orders.keyBy('k');
const counted = byKey.window(countWindow(7)).aggregate({ n: count(), all: collect((order: Order) => order.n), at: max('at') });
counted.show();

// %% id=out
// Rows of global windows have the greatest timestamp, which a topic refuses.
counted.map(({ k, n, all, at }) => ({ k, n, all, at }))${timed('counted')}

// %% id=moving
byKey.window(countWindow(10, 5)).aggregate({ total: sum('v'), at: max('at') })
  .map(({ k, total, at }) => ({ k, total, at }))${timed('moving')}

// %% id=global
byKey.window(globalWindow()).trigger(trigger.purging(trigger.count(5))).aggregate({ total: sum('v'), at: max('at') })
  .map(({ k, total, at }) => ({ k, total, at }))${timed('global')}
`,
    ),
  },
  {
    name: 'joins',
    outputs: [rows('pairs', 100), rows('lonely', 10), rows('windows', 100), rows('groups', 100)],
    text: overOrders(
      'tumbling',
      `// %% id=sides
const lefts = orders.filter(({ side }) => side === 'left').keyBy('k');
const rights = orders.filter(({ side }) => side === 'right').keyBy('k');

// %% id=pairs
const pairs = lefts.intervalJoin(rights).between('-2s', '2s').select((left, right) => ({ k: left.k, left: left.n, right: right.n }));
pairs.show();

// %% id=out
pairs${once('pairs')}
lefts.intervalJoin(rights, 'left').between('-500ms', '500ms')
  .select((left, right) => ({ k: left!.k, left: left!.n, right: right?.n ?? null })).filter(({ right }) => right === null)${once('lonely')}

// %% id=windows
lefts.join(rights).window(tumbling('10s')).select((left, right) => ({ k: left!.k, left: left!.n, right: right!.n }))${once('windows')}

// %% id=groups
lefts.coGroup(rights).window(tumbling('20s'))
  .apply(({ k }, left, right, { windowStart }) => [{ k, windowStart, lefts: left.length, rights: right.length }])${once('groups')}
`,
    ),
  },
  {
    name: 'tables',
    outputs: [table('spenders', 15), table('regions', 3)],
    text: overOrders(
      'count, sum, table',
      `// %% id=users
interface User { id: string; at: number; region: string }
const users = table<User, 'id'>('users', { key: 'id', until: 'latest', format: 'json', timestamp: 'at', watermark: { idleness: '24h' } });

// %% id=spenders
const spent = orders.keyBy('k').aggregate({ spent: sum('v') }).keyBy('k').toTable();
const spenders = spent.join(users).select((left, right) => ({ k: left!.k, spent: left!.spent, region: right!.region }));
spenders.show();

// %% id=out
spenders.toStream().map(({ kind, row }) => ({ ...row, isGone: kind === 'delete' }))${once('spenders')}

// %% id=regions
spenders.groupBy('region').aggregate({ users: count(), spent: sum('spent') })
  .toStream().map(({ kind, row }) => ({ ...row, isGone: kind === 'delete' }))${once('regions', 'region')}
`,
    ),
  },
  {
    name: 'process-with-timers',
    outputs: [rows('buckets', 500)],
    text: overOrders(
      'mapState, valueState',
      `// %% id=buckets
const size = 7_000;
const buckets = orders.keyBy('k').process({
  state: { sums: mapState<number, number>(), fired: valueState<number>() },
  onElement({ at, v }, { state, timers }) {
    const bucket = at - (at % size);
    state.sums.set(bucket, (state.sums.get(bucket) ?? 0) + v);
    timers.eventTime(bucket + size);
  },
  *onTimer(at, { key, state }) {
    const fired = (state.fired.get() ?? 0) + 1;
    state.fired.set(fired);
    yield { k: key.k, until: at, fired, sum: state.sums.get(at - size) ?? 0 };
    state.sums.delete(at - size);
  },
});
buckets.show();

// %% id=out
buckets${once('buckets')}
`,
    ),
  },
  {
    name: 'broadcast',
    outputs: [rows('judged', 500)],
    text: overOrders(
      'listState, mapState',
      `// %% id=rules
interface Rule { side: string; at: number; most: number }
const rules = kafka<Rule>('rules', { until: 'latest', format: 'json', timestamp: 'at', watermark: { idleness: '24h' } });

// %% id=judged
// An order waits for the time of all rules.
const judged = orders.keyBy('k').connect(rules.broadcast()).process({
  broadcast: { most: mapState<string, number>() },
  state: { waiting: listState<Order>() },
  onElement(order, { state, timers }) {
    state.waiting.add(order);
    timers.eventTime(order.at + 1);
  },
  onBroadcast({ side, most }, { broadcast }) {
    broadcast.most.set(side, most);
  },
  *onTimer(at, { state, broadcast }) {
    const all = [...state.waiting];
    for (const { n, k, v, side, at: time } of all)
      if (time < at && v > (broadcast.most.get(side) ?? Infinity)) yield { n, k, v, side };
    state.waiting.set(all.filter((order) => order.at >= at));
  },
});
judged.show();

// %% id=out
judged${once('judged')}
`,
    ),
  },
  {
    name: 'pattern',
    outputs: [rows('rises', 50), rows('timed-out', 50)],
    text: overOrders(
      'pattern',
      `// %% id=rises
const rising = pattern<Order>('low').where(({ v }) => v < 20).followedBy('high').where(({ v }) => v > 80).within('6s');
const rises = orders.keyBy('k').pattern(rising).select(({ low, high }) => ({ k: low![0]!.k, low: low![0]!.n, high: high![0]!.n }));
rises.show();

// %% id=out
rises${once('rises')}
rises.timedOut.map(({ low }) => ({ k: low![0]!.k, low: low![0]!.n }))${once('timed-out')}
`,
    ),
  },
  {
    name: 'async',
    outputs: [rows('ordered', 2_000), rows('unordered', 600)],
    asks: true,
    text: overOrders(
      '',
      `// %% id=ask
const address = param('ask', 'http://127.0.0.1:1');
async function ask(n: number): Promise<number> {
  const answer = await fetch(\`\${address}/\${n}\`);
  return Number(await answer.text());
}
const ordered = orders.mapAsync(async ({ n, k, at }) => ({ n, k, at, squared: await ask(n) }), { capacity: 50 });
ordered.show();

// %% id=out
ordered${once('ordered')}
orders.filter(({ side }) => side === 'left')
  .mapAsync(async ({ n, k }) => ({ n, k, squared: await ask(n) }), { ordered: false, capacity: 20 })${once('unordered')}
`,
    ),
  },
  {
    name: 'nulls-and-large-integers',
    outputs: [rows('windows', 80), rows('doubled', 800)],
    text: `// %% id=readings
import { configure, count, countDistinct, kafka, max, min, param, sum, tumbling } from 'sluice';
configure({ checkpoint: { interval: '500ms' } });
interface Reading { n: number; at: number; k: string | null; id: number | bigint; v: number | null }
const out = param('out', 'none');
const readings = kafka<Reading>('readings', {
  until: 'latest', format: 'json', timestamp: 'at', watermark: { outOfOrderness: '10s', idleness: '24h' },
});
readings.show();

// %% id=windows
const windows = readings.keyBy('k').window(tumbling('10s'))
  .aggregate({ n: count(), ids: countDistinct('id'), least: min('id'), most: max('id'), v: sum('v') });
windows.show();

// %% id=out
windows${to('windows', "key: ({ k }) => k ?? 'none'")}

// %% id=doubled
readings.map(({ n, k, id, v }) => ({ n, k, id: typeof id === 'bigint' ? id * 2n : id, v, none: undefined }))${to(
      'doubled',
      "key: 'k'",
      {
        row: '{ id, v }',
        headers: ', id: String(id), last: new Uint8Array([48 + (Number(id) & 7)]), v: v === null ? null : String(v)',
      },
    )}
`,
  },
];

export function notebookNamed(name: string): SetNotebook {
  const found = notebooks.find((one) => one.name === name);
  if (found) return found;
  throw new Error(`There is no notebook "${name}"; there are ${notebooks.map((one) => one.name).join(', ')}.`);
}
