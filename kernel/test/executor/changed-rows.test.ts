// The display of a table has only existing rows, each with its latest content, at any rate of
// changes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { Change } from '../../../engine/tables/change.ts';
import type { OperatorContext, StateReader, StateWriter } from '../../../engine/contract/operator.ts';
import { RowPart } from '../../displays/row-part.ts';
import { DisplayOperator } from '../../executor/display-operator.ts';
import type { DisplayInstall } from '../../executor/executor-protocol.ts';
import type { Part, PartChange, WireRow } from '../../protocol/displays.ts';
import { keepRows } from '../../protocol/kept-rows.ts';

const context = { wake: () => undefined } as unknown as OperatorContext;
const installed = (limit: number, perSecond?: number): DisplayInstall => ({
  ...{ display: 'a/0', cell: 'a', part: 0, instance: 'display/a/0', keep: false, installed: 1 },
  changes: limit,
  ...(perSecond !== undefined && { perSecond }),
});
function displayOf(install: DisplayInstall): DisplayOperator {
  const display = new DisplayOperator();
  display.open(context);
  display.install = install;
  return display;
}
function say(display: DisplayOperator, ...changes: readonly Change[]): void {
  const timestamps = new Float64Array(changes.length);
  display.process(0, { length: changes.length, values: changes, timestamps }, 0);
}
/** The side of the client: a part, updated by each frame. */
class Client {
  rows: readonly WireRow[] = [];
  readonly #part: RowPart;
  readonly #limit: number;
  constructor(limit: number) {
    this.#limit = limit;
    this.#part = new RowPart('0', 'a/0', 1, {
      ...{ kind: 'table', title: 't', limit, perSecond: 1000, spec: () => ({}), changes: true },
    });
  }
  frame(display: DisplayOperator): void {
    const frame = display.frame(performance.now());
    if (frame) this.#part.add(structuredClone(frame));
    const change: PartChange | undefined = this.#part.takeChange(0);
    if (change?.kind === 'put') this.rows = (change.part as Extract<Part, { kind: 'table' }>).rows;
    if (change?.kind === 'rows') this.rows = keepRows(this.rows, change.rows, { limit: this.#limit });
    assert.deepEqual(this.rows, this.#part.rows, 'deltas and snapshot give the same');
  }
  get shown(): Record<string, unknown> {
    const shown: Record<string, unknown> = {};
    for (const { key, value } of this.rows) shown[key!] = value;
    return shown;
  }
}

test('a row takes the place of the one with its key, and goes when it is deleted', () => {
  const display = displayOf(installed(100, 1000));
  const client = new Client(100);
  say(display, { key: ['a', 1], row: 1, old: undefined }, { key: ['b', 1], row: 2, old: undefined });
  client.frame(display);
  assert.deepEqual(client.shown, { '["a",1]': 1, '["b",1]': 2 });
  say(display, { key: ['a', 1], row: undefined, old: 1 }, { key: ['b', 1], row: 3, old: 2 });
  client.frame(display);
  assert.deepEqual(client.shown, { '["b",1]': 3 });
  say(display, { key: ['a', 1], row: 4, old: undefined }, { key: ['c', 1], row: undefined, old: undefined });
  client.frame(display);
  assert.deepEqual(client.shown, { '["b",1]': 3, '["a",1]': 4 });
});

test('whatever changes between frames, nothing on screen is out of date, and what fits is all there', () => {
  const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.option(fc.nat(99), { nil: undefined })), {
    maxLength: 25,
  });
  fc.assert(
    fc.property(
      fc.array(changes, { maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(12),
      (frames, limit, at) => {
        let display = displayOf(installed(limit, 1000));
        const client = new Client(limit);
        const table = new Map<number, number>();
        const everUsed = new Set<number>();
        frames.forEach((frame, index) => {
          if (index === at) {
            let state: unknown;
            display.snapshot({ value: (value: unknown) => (state = structuredClone(value)) } as StateWriter);
            display = displayOf(installed(limit, 1000));
            display.restore({ value: () => state } as StateReader);
          }
          for (const [key, row] of frame) {
            say(display, { key: [key], row, old: table.get(key) });
            if (row === undefined) table.delete(key);
            else table.set(key, row);
            everUsed.add(key);
          }
          client.frame(display);
          for (const [key, value] of Object.entries(client.shown))
            assert.equal(value, table.get((JSON.parse(key) as [number])[0]), `${key} is out of date`);
          if (everUsed.size <= limit) assert.equal(client.rows.length, table.size);
          assert.ok(client.rows.length <= limit);
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('in JSON lines every change is a row, as in toStream()', () => {
  const display = displayOf(installed(1));
  display.credit(10);
  say(display, { key: ['a'], row: 1, old: undefined }, { key: ['a'], row: undefined, old: undefined });
  say(display, { key: ['a'], row: 2, old: 1 }, { key: ['a'], row: undefined, old: 2 });
  assert.deepEqual(
    display.frame(performance.now())!.rows.map(({ n, value }) => [n, value]),
    [
      [1, { kind: 'insert', row: 1 }],
      [2, { kind: 'update', row: 2, former: 1 }],
      [3, { kind: 'delete', row: 2, former: 2 }],
    ],
  );
});

test('large rows of a table leave from the old end, and leave the screen too', () => {
  const display = displayOf(installed(1000, 1000));
  const texts = Array.from({ length: 20 }, () => 'x'.repeat(10_000));
  const insert = (id: number): Change => ({ key: [id], row: { id, texts }, old: undefined });
  say(display, insert(0));
  assert.deepEqual(
    display.frame(performance.now())!.rows.map(({ gone }) => gone),
    [undefined],
  );
  say(display, { ...insert(0), old: { id: 0 } }, ...Array.from({ length: 100 }, (_, id) => insert(id + 1)));
  const { rows } = display.frame(performance.now())!;
  assert.deepEqual(
    rows.filter(({ gone }) => gone).map(({ key }) => key),
    [[0]],
  );
  assert.ok(rows.length > 30 && rows.length < 45, `${rows.length} rows`);
});

test('a long key is sent as its hash', () => {
  const display = displayOf(installed(10, 1000));
  say(display, { key: ['k'.repeat(100_000)], row: { v: 1 }, old: undefined });
  say(display, { key: [`${'k'.repeat(99_999)}l`], row: { v: 2 }, old: undefined });
  const keys = display.frame(performance.now())!.rows.map(({ key }) => String(key![0]));
  assert.deepEqual(
    keys.map(({ length }) => length),
    [44, 44],
  );
  assert.notEqual(keys[0], keys[1]);
});
