// The state of one view converges to the kernel's state, even if messages are reordered, lost or
// repeated.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type {
  ChartPart,
  LogLine,
  Part,
  PartChange,
  ViewDelta,
  ViewSnapshot,
  WireRow,
} from '../../../kernel/protocol/displays.ts';
import { ViewClient } from '../../renderer/view-client.ts';
import { backpressurePart, logPart, ordersPart, totalsPart } from './scripted-session.ts';

const row = (n: number, more: Partial<WireRow> = {}): WireRow => ({ n, t: n * 1_000, value: { n }, ...more });

test('a client without state sends a hello with the view only', () => {
  assert.deepEqual(new ViewClient('totals').hello(), { view: 'totals' });
});

test('a client sends a hello with its epoch and its last applied change', () => {
  const client = new ViewClient('totals');
  client.apply({ type: 'snapshot', view: 'totals', epoch: 'e1', seq: 7, parts: [] });
  client.apply({ type: 'delta', view: 'totals', epoch: 'e1', seq: 8, changes: [] });
  assert.deepEqual(client.hello(), { view: 'totals', epoch: 'e1', lastSeq: 8 });
});

test('a delta before any snapshot, after a gap or of another epoch asks for a hello and changes nothing', () => {
  const client = new ViewClient('totals');
  const put: PartChange = { kind: 'put', part: logPart(0), at: 0 };
  assert.equal(client.apply({ type: 'delta', view: 'totals', epoch: 'e1', seq: 1, changes: [put] }), 'resync');
  client.apply({ type: 'snapshot', view: 'totals', epoch: 'e1', seq: 3, parts: [] });
  const before = client.state;
  assert.equal(client.apply({ type: 'delta', view: 'totals', epoch: 'e1', seq: 5, changes: [put] }), 'resync');
  assert.equal(client.apply({ type: 'delta', view: 'totals', epoch: 'e2', seq: 4, changes: [put] }), 'resync');
  assert.equal(client.state, before);
});

test('a message that was already applied changes nothing', () => {
  const client = new ViewClient('totals');
  const snapshot: ViewSnapshot = { type: 'snapshot', view: 'totals', epoch: 'e1', seq: 3, parts: [] };
  const delta: ViewDelta = {
    type: 'delta',
    view: 'totals',
    epoch: 'e1',
    seq: 4,
    changes: [{ kind: 'put', part: logPart(0), at: 0 }],
  };
  client.apply(snapshot);
  client.apply(delta);
  const state = client.state;
  assert.equal(client.apply(delta), 'unchanged');
  assert.equal(client.apply(snapshot), 'unchanged');
  assert.equal(client.state, state);
});

test('a row replaces an older row with the same key, and never a newer one', () => {
  const client = new ViewClient('totals');
  const part = totalsPart([row(1, { key: 'ann' }), row(2, { key: 'bob' })], 0);
  client.apply({ type: 'snapshot', view: 'totals', epoch: 'e1', seq: 0, parts: [part] });
  client.apply(rowsDelta(1, [row(4, { key: 'ann' }), row(3, { key: 'bob' })]));
  client.apply(rowsDelta(2, [row(2, { key: 'bob' })]));
  assert.deepEqual(
    rowsOf(client).map(({ n, key }) => [n, key]),
    [
      [4, 'ann'],
      [3, 'bob'],
    ],
  );
});

test('rows beyond the limit and rows older than the kept time are removed', () => {
  const client = new ViewClient('totals');
  const part: ChartPart = { ...totalsPart([], 0), limit: 3, lastMillis: 10_000 };
  client.apply({ type: 'snapshot', view: 'totals', epoch: 'e1', seq: 0, parts: [part] });
  client.apply(rowsDelta(1, [row(1), row(2), row(3), row(4)]));
  assert.deepEqual(
    rowsOf(client).map(({ n }) => n),
    [2, 3, 4],
  );
  client.apply(rowsDelta(2, [row(13)]));
  assert.deepEqual(
    rowsOf(client).map(({ n }) => n),
    [3, 4, 13],
  );
  client.apply(rowsDelta(3, [row(14)]));
  assert.deepEqual(
    rowsOf(client).map(({ n }) => n),
    [4, 13, 14],
  );
});

test('a part that a change does not name stays the same object', () => {
  const client = new ViewClient('totals');
  client.apply({ type: 'snapshot', view: 'totals', epoch: 'e1', seq: 0, parts: [totalsPart([], 0), logPart(0)] });
  const log = client.state?.parts[1];
  client.apply(rowsDelta(1, [row(1)]));
  assert.equal(client.state?.parts[1], log);
  assert.notEqual(client.state?.parts[0], undefined);
});

test('the history of an operator grows to five minutes, and is removed with the operator', () => {
  const client = new ViewClient('panel');
  const part = backpressurePart();
  client.apply({ type: 'snapshot', view: 'panel', epoch: 'e1', seq: 0, parts: [part] });
  const operators = part.operators.filter(({ id }) => id !== 'clean');
  client.apply({
    type: 'delta',
    view: 'panel',
    epoch: 'e1',
    seq: 1,
    changes: [{ kind: 'backpressure', id: part.id, operators, points: { orders: 0.5 }, thread: 0.5 }],
  });
  const after = client.state?.parts[0];
  assert.equal(after?.kind, 'backpressure');
  if (after?.kind !== 'backpressure') return;
  assert.deepEqual(
    after.history.map(({ id }) => id),
    ['orders', 'enrich', 'key', 'window'],
  );
  assert.equal(after.history[0]?.points.length, 300);
  assert.equal(after.history[0]?.points.at(-1), 0.5);
  assert.equal(after.history[1]?.points.at(-1), part.history[2]?.points.at(-1));
});

function rowsDelta(seq: number, rows: readonly WireRow[]): ViewDelta {
  const { caption } = totalsPart([], 0);
  const change: PartChange = { kind: 'rows', id: 'totals', rows, rate: 1, sampled: 1, total: seq, caption };
  return { type: 'delta', view: 'totals', epoch: 'e1', seq, changes: [change] };
}
function rowsOf(client: ViewClient): readonly WireRow[] {
  const part = client.state?.parts[0];
  return part?.kind === 'chart' ? part.rows : [];
}

// ----------------------------------------------------------------------------------------- the law

/**
 * The simplest form of a kernel: arrays with linear search. It shares no code with the tested
 * classes.
 */
class PlainKernel {
  epoch = 1;
  seq = 0;
  n = 0;
  parts: Part[] = [ordersPart([]), { ...totalsPart([], 0), limit: 6, lastMillis: 8_000 }, logPart(0, 0)];

  restart(): void {
    this.epoch += 1;
    this.seq = 0;
    this.parts = [ordersPart([]), { ...totalsPart([], 0), limit: 6, lastMillis: 8_000 }, logPart(0, 0)];
  }
  snapshot(): ViewSnapshot {
    return structuredClone({
      type: 'snapshot',
      view: 'v',
      epoch: `e${String(this.epoch)}`,
      seq: this.seq,
      parts: this.parts,
    });
  }
  step({ kind, keys, at }: Step): ViewDelta {
    this.seq += 1;
    return structuredClone({
      type: 'delta',
      view: 'v',
      epoch: `e${String(this.epoch)}`,
      seq: this.seq,
      changes: this.#changes(kind, keys, at),
    });
  }

  #changes(kind: Step['kind'], keys: readonly number[], at: number): PartChange[] {
    const index = at % Math.max(this.parts.length, 1);
    const part = this.parts[index];
    if (kind === 'remove' && part !== undefined) {
      this.parts.splice(index, 1);
      return [{ kind: 'remove', id: part.id }];
    }
    if (kind === 'put') {
      const added = { ...logPart(0, 0), id: `log ${String(this.seq)}` };
      this.parts.splice(index, 0, added);
      return [{ kind: 'put', part: added, at: index }];
    }
    if (part?.kind === 'log') {
      const lines: LogLine[] = keys.map(() => ({ n: ++this.n, level: 'log', at: 0, text: 'line' }));
      this.parts[index] = { ...part, lines: [...part.lines, ...lines], dropped: at };
      return [{ kind: 'lines', id: part.id, lines, dropped: at }];
    }
    if (part?.kind !== 'table' && part?.kind !== 'chart') return [];
    const fresh = keys.map((key): WireRow => {
      this.n += 1;
      return row(this.n, { t: (this.n - (key % 7)) * 1_000, ...(key % 3 === 0 ? {} : { key: `k${String(key % 5)}` }) });
    });
    const rows = [...part.rows];
    for (const one of fresh) {
      const place = rows.findIndex((other) => one.key !== undefined && other.key === one.key);
      if (place < 0) rows.push(one);
      else rows[place] = one;
    }
    while (rows.length > part.limit) rows.splice(rows.indexOf(rows.reduce((a, b) => (a.n < b.n ? a : b))), 1);
    const latest = Math.max(...rows.map(({ t }) => t));
    const { lastMillis } = part as ChartPart;
    const kept = lastMillis === undefined ? rows : rows.filter(({ t }) => t >= latest - lastMillis);
    const figures = {
      rate: at,
      sampled: 1 + (at % 2),
      total: this.n,
      caption: { pieces: [String(at)], waiting: at % 2 === 0 },
    };
    this.parts[index] = { ...part, rows: fresh.length === 0 ? part.rows : kept, ...figures };
    return [{ kind: 'rows', id: part.id, rows: fresh, ...figures }];
  }
}

interface Step {
  readonly kind: 'rows' | 'put' | 'remove' | 'restart' | 'reconnect';
  readonly keys: readonly number[];
  readonly at: number;
  readonly fate: 'delivered' | 'lost' | 'doubled' | 'delayed';
}
const stepOf = fc.record({
  kind: fc.constantFrom<Step['kind'][]>('rows', 'rows', 'rows', 'rows', 'put', 'remove', 'restart', 'reconnect'),
  keys: fc.array(fc.nat(20), { maxLength: 8 }),
  at: fc.nat(30),
  fate: fc.constantFrom<Step['fate'][]>('delivered', 'delivered', 'delivered', 'lost', 'doubled', 'delayed'),
});

test('any interleaving of losses, duplicates, delays, reconnects and restarts converges to the state of the kernel', () => {
  fc.assert(
    fc.property(fc.array(stepOf, { maxLength: 60 }), (steps) => {
      const kernel = new PlainKernel();
      const client = new ViewClient('v');
      let delayed: (ViewDelta | ViewSnapshot)[] = [];
      const deliver = (message: ViewDelta | ViewSnapshot): void => {
        if (client.apply(message) === 'resync') client.apply(kernel.snapshot());
      };
      deliver(kernel.snapshot());
      for (const step of steps) {
        if (step.kind === 'restart') kernel.restart();
        if (step.kind === 'reconnect' || step.kind === 'restart') {
          const { epoch, lastSeq } = client.hello();
          const isCurrent = epoch === `e${String(kernel.epoch)}` && lastSeq === kernel.seq;
          if (!isCurrent && step.fate !== 'lost') deliver(kernel.snapshot());
          continue;
        }
        const delta = kernel.step(step);
        if (step.fate === 'delayed') delayed.push(delta);
        if (step.fate === 'delivered' || step.fate === 'doubled') deliver(delta);
        if (step.fate === 'doubled') deliver(delta);
        if (step.at % 5 === 0) {
          delayed.forEach(deliver);
          delayed = [];
        }
      }
      deliver(kernel.step({ kind: 'rows', keys: [1, 2], at: 0, fate: 'delivered' }));
      assert.deepEqual(client.state?.parts, kernel.parts);
      assert.equal(client.state.seq, kernel.seq);
    }),
    { numRuns: 300 },
  );
});
