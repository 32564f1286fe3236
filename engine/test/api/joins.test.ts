// Joins at the surface: errors of a cell, the shape of the state, and joins from a plan that was
// written as JSON.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- the mistakes are type errors too; in a notebook types are advice */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { SluiceError } from '../../errors/error.ts';
import * as sluice from '../../index.ts';
import { evaluate, nodeOf } from './evaluate.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
const api: any = sluice;
const { from, tumbling, session, countWindow, globalWindow, customWindow, trigger } = api;
const left = () => from([{ id: 'a', day: 1, n: 1 }]).keyBy('id');
const right = () => from([{ orderId: 'a', day: 1, m: 1 }]).keyBy('orderId');
const select = (l: unknown, r: unknown) => [l, r];
const early = () => customWindow({ assign: () => [], trigger: trigger.early('1s') });

const mistakes: readonly (readonly [mistake: string, code: string, message: RegExp, cell: () => unknown])[] = [
  [
    'bounds the wrong way round',
    'bad-bounds',
    /between\("5s", "-5s"\) is an empty interval: the lower bound is above/,
    () => left().intervalJoin(right()).between('5s', '-5s'),
  ],
  [
    'a bound that is no duration',
    'bad-duration',
    /The upper bound of between\(\) is 5,/,
    () => left().intervalJoin(right()).between('-5s', 5),
  ],
  [
    'half a millisecond',
    'bad-duration',
    /The lower bound of between\(\) is "-0.5ms". It must be in whole/,
    () => left().intervalJoin(right()).between('-0.5ms', '1s'),
  ],
  [
    'another kind of join',
    'bad-option',
    /kind of intervalJoin\(\) is one of "inner", "left", "outer", not "right"/,
    () => left().intervalJoin(right(), 'right'),
  ],
  ['another kind of window join', 'bad-option', /kind of join\(\) .* not "full"/, () => left().join(right(), 'full')],
  [
    'a stream without a key',
    'not-a-stream',
    /join\(\) takes a keyed stream, not a Stream\. Give it a key with keyBy\(\)/,
    () => left().join(from([1])),
  ],
  ['nothing to join', 'not-a-stream', /coGroup\(\) takes a keyed stream, not undefined/, () => left().coGroup()],
  [
    'keys of different length',
    'bad-key',
    /the left key has 1 value \(id\), the right one 2 values \(orderId, day\)\. Key both by the same values/,
    () => left().join(from([{ orderId: 'a', day: 1 }]).keyBy('orderId', 'day')),
  ],
  ['a window that is none', 'bad-window', /not "1m"/, () => left().join(right()).window('1m')],
  [
    'no select function',
    'not-a-function',
    /select\(\) takes a function, not undefined/,
    () => left().join(right()).window(tumbling('1m')).select(),
  ],
  [
    'no apply function',
    'not-a-function',
    /apply\(\) takes a function, not "all"/,
    () => left().coGroup(right()).window(tumbling('1m')).apply('all'),
  ],
  [
    'a window that never closes',
    'bad-window',
    /join\(\) over globalWindow\(\) would never emit a row/,
    () => left().join(right()).window(globalWindow()),
  ],
  [
    'counting back',
    'bad-window',
    /coGroup\(\) cannot be over countWindow\(size, slide\)/,
    () => left().coGroup(right()).window(countWindow(10, 5)),
  ],
  [
    'elements without a partner, at a firing that is not the last',
    'bad-window',
    /join\(\) emits elements without a partner once, .* trigger\.purging\(\)/,
    () => left().join(right(), 'left').window(early()),
  ],
];
for (const [mistake, code, message, cell] of mistakes)
  test(`${mistake} is refused`, () => {
    assert.throws(
      () => evaluate(() => void cell()),
      (error: unknown) => {
        assert.ok(error instanceof SluiceError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  });

test('a trigger that fires before is fine where all that is given is pairs', () => {
  evaluate(() => void left().join(right()).window(early()).select(select));
  evaluate(() => void left().coGroup(right()).window(early()).apply(select));
});

/** Shape of the last node that a cell declares. */
const shapeOf = (declare: () => unknown): string => evaluate(() => void declare()).nodes.at(-1)!.shape;

test('the bounds and the kind are the shape of an interval join; what it selects is not', () => {
  const of = (lower: string, upper: string, kind?: string, f: unknown = select) =>
    shapeOf(() => left().intervalJoin(right(), kind).between(lower, upper).select(f));
  const base = of('-1s', '1s');
  assert.notEqual(base, '');
  assert.equal(of('-1s', '1s', 'inner'), base);
  assert.equal(
    of('-1s', '1s', 'inner', (l: unknown) => l),
    base,
  );
  assert.notEqual(of('-1s', '2s'), base);
  assert.notEqual(of('-2s', '1s'), base);
  assert.notEqual(of('-1s', '1s', 'left'), base);
});
test('the window is the shape of a window join and of a coGroup; kind and functions are not', () => {
  const join = (window: unknown, kind?: string, f: unknown = select) =>
    shapeOf(() => left().join(right(), kind).window(window).select(f));
  const coGroup = (window: unknown, f: unknown = select) =>
    shapeOf(() => left().coGroup(right()).window(window).apply(f));
  const base = join(tumbling('1m'));
  assert.equal(join(tumbling('1m'), 'outer'), base);
  assert.equal(
    join(tumbling('1m'), 'inner', (l: unknown) => l),
    base,
  );
  assert.notEqual(join(tumbling('2m')), base);
  assert.notEqual(join(session('1m')), base);
  assert.notEqual(coGroup(tumbling('1m')), base);
  assert.equal(
    coGroup(tumbling('1m'), (l: unknown) => l),
    coGroup(tumbling('1m')),
  );
});

test('a join is in the plan with two keyed inputs and plain parameters', () => {
  const fragment = evaluate((set) => {
    set('paid');
    left()
      .intervalJoin(right(), 'outer')
      .between('-1h', '2.5s')
      .select(function total() {
        return 0;
      });
  });
  const node = nodeOf(fragment, 'intervalJoin');
  assert.equal(node.uid, 'cell/paid/intervalJoin#1');
  assert.equal(node.name, 'intervalJoin total');
  const { fn, ...rest } = node.parameters;
  assert.deepEqual(rest, { join: 'outer', lowerMillis: -3_600_000, upperMillis: 2_500 });
  assert.ok(fn);
  assert.deepEqual(JSON.parse(JSON.stringify(fragment.nodes)), fragment.nodes);
  assert.deepEqual(
    fragment.edges.filter(({ to }) => to === node.uid).map(({ input, exchange }) => [input, exchange]),
    [
      [0, 'key'],
      [1, 'key'],
    ],
  );
});

test('a bounded join gives its rows and ends', async () => {
  const environment = new sluice.Environment();
  const orders = environment.from(
    [
      { id: 'a', at: 1000 },
      { id: 'b', at: 2000 },
    ],
    { timestamp: 'at' },
  );
  const payments = environment.from([{ orderId: 'a', at: 1500, sum: 7 }], { timestamp: 'at' });
  const rows = await orders
    .keyBy('id')
    .intervalJoin(payments.keyBy('orderId'), 'left')
    .between('0s', '1s')
    .select((order, payment) => ({ id: order!.id, sum: payment?.sum }))
    .toArray();
  assert.deepEqual(
    rows.sort((a, b) => a.id.localeCompare(b.id)),
    [
      { id: 'a', sum: 7 },
      { id: 'b', sum: undefined },
    ],
  );
});
