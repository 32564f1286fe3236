// Windows, triggers and evictors at the surface: their data in the plan, the shape of their state,
// and the errors when the cell is evaluated.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- the mistakes are type errors too; in a notebook types are advice */
import assert from 'node:assert/strict';
import { readSnapshot } from '../../runtime/snapshot.ts';
import { test } from 'vitest';
import { SluiceError } from '../../errors/error.ts';
import type { NodeOf } from '../../graph/plan.ts';
import * as sluice from '../../index.ts';
import { Driven, Program } from '../operators/drive.ts';
import { evaluate } from './evaluate.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
const { from, tumbling, sliding, session, countWindow, globalWindow, customWindow, count, aggregator }: any = sluice;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
const { trigger, evictor }: any = sluice;

const row = { k: 'a', n: 1 };
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
type Windowed = any;
const nodeOf = (
  window: unknown,
  more: (windowed: Windowed) => Windowed = (windowed) => windowed,
): NodeOf<'windowAggregate'> =>
  evaluate(() => void more(from([row]).keyBy('k').window(window)).aggregate({ n: count() })).nodes.at(
    -1,
  )! as NodeOf<'windowAggregate'>;

test('the plan holds the window, its trigger and its evictor, and functions by their place', () => {
  const parametersOf = (window: unknown, more?: (windowed: Windowed) => Windowed) => {
    const { window: spec, trigger: on, evictor: out } = nodeOf(window, more).parameters;
    return { window: spec, ...(on !== undefined && { trigger: on }), ...(out !== undefined && { evictor: out }) };
  };
  assert.deepEqual(parametersOf(session('30s')), { window: { kind: 'session', gapMillis: 30_000, time: 'event' } });
  assert.deepEqual(parametersOf(countWindow(3)), {
    window: { kind: 'global' },
    trigger: { kind: 'purging', trigger: { kind: 'count', n: 3 } },
  });
  assert.deepEqual(parametersOf(countWindow(3, 2)), {
    window: { kind: 'global' },
    trigger: { kind: 'count', n: 2 },
    evictor: { kind: 'count', n: 3, after: false },
  });
  assert.deepEqual(
    parametersOf(sliding('1m', '10s', { time: 'processing', offset: '-1s' }), (windowed) =>
      windowed.trigger(trigger.early('5s', { time: 'processing' })).evictor(evictor.time('20s', { after: true })),
    ),
    {
      window: { kind: 'sliding', sizeMillis: 60_000, slideMillis: 10_000, offsetMillis: -1000, time: 'processing' },
      trigger: { kind: 'early', everyMillis: 5000, time: 'processing' },
      evictor: { kind: 'time', keepMillis: 20_000, after: true },
    },
  );
  const { window } = nodeOf(session(() => '1s')).parameters as { window: { gap: { slot: string } } };
  assert.equal(window.gap.slot, 'window.gap');
});

test('an explicit default trigger is no trigger, and a later trigger or evictor replaces an earlier one', () => {
  const own = (window: unknown, more?: (windowed: Windowed) => Windowed) => nodeOf(window, more).own;
  assert.equal(
    own(tumbling('1m'), (windowed) => windowed.trigger(trigger.eventTime())),
    own(tumbling('1m')),
  );
  const byClock = tumbling('1m', { time: 'processing' });
  assert.equal(
    own(byClock, (windowed) => windowed.trigger(trigger.processingTime())),
    own(byClock),
  );
  assert.notEqual(
    own(byClock, (windowed) => windowed.trigger(trigger.eventTime())),
    own(byClock),
  );
  assert.notEqual(
    own(globalWindow(), (windowed) => windowed.trigger(trigger.processingTime())),
    own(globalWindow()),
  );
  assert.equal(
    own(countWindow(3), (windowed) => windowed.trigger(trigger.count(1)).trigger(trigger.purging(trigger.count(4)))),
    own(countWindow(4)),
  );
});

test('a plan that is written and read gives the same windows', () => {
  const { kind, parameters } = nodeOf(countWindow(2));
  const program = new Program(kind, JSON.parse(JSON.stringify(parameters)) as object as Record<string, unknown>, [
    { fields: ['k'] },
  ]);
  const { rows } = new Driven(program).step({ records: [1, 2, 3].map((v) => [{ k: 'a', v }, v]) });
  assert.deepEqual(
    rows.map(([result]) => (result as { n: number }).n),
    [2],
  );
});

test('what a trigger or an evictor keeps is part of the shape; the text of functions is not', () => {
  const shape = (window: unknown, more?: (windowed: Windowed) => Windowed) => nodeOf(window, more).shape;
  const on = (given: unknown) => shape(tumbling('1m'), (windowed) => windowed.trigger(given));
  const base = shape(tumbling('1m'));
  const shapes = [
    base,
    shape(tumbling('1m', { time: 'processing' })),
    shape(session('1m')),
    shape(session('2m')),
    shape(session(() => '1s')),
    shape(globalWindow()),
    shape(countWindow(2)),
    shape(countWindow(3)),
    shape(customWindow({ assign: () => [] })),
    shape(customWindow({ assign: () => [], merging: true })),
    on(trigger.early('1s')),
    on(trigger.count(2)),
    on(trigger.purging(trigger.count(2))),
    on(trigger.custom({ onElement: () => 'fire' })),
    shape(tumbling('1m'), (windowed) => windowed.evictor(evictor.count(2))),
  ];
  assert.equal(new Set(shapes).size, shapes.length);
  assert.equal(shape(session(() => '1s')), shape(session(() => '2s')));
  assert.notEqual(nodeOf(session(() => '1s')).own, nodeOf(session(() => '2s')).own);
  assert.equal(
    shape(customWindow({ assign: () => [] })),
    shape(customWindow({ assign: (_: unknown, at: number) => [{ start: at, end: at + 1 }] })),
  );
  const custom = (onElement: () => unknown) => trigger.purging(trigger.custom({ onElement }));
  assert.equal(on(custom(() => 'fire')), on(custom(() => 'continue')));
  const delta = (f: unknown) => evictor.delta(5, f);
  assert.equal(
    shape(tumbling('1m'), (windowed) => windowed.evictor(delta(() => 1))),
    shape(tumbling('1m'), (windowed) => windowed.evictor(delta(() => 2))),
  );
});

test('rows of a window that fires anew replace each other on screen, but not those that hold only a part', () => {
  const rowKey = (window: unknown, more: (windowed: Windowed) => Windowed = (windowed) => windowed) => {
    let key: unknown;
    evaluate(() => {
      key = more(from([row]).keyBy('k').window(window)).aggregate({ n: count() }).place.rowKey;
    });
    return key;
  };
  const all = ['k', 'windowStart', 'windowEnd'];
  assert.deepEqual(rowKey(tumbling('1m')), all);
  assert.deepEqual(rowKey(session('1m')), all);
  assert.deepEqual(
    rowKey(tumbling('1m'), (windowed) => windowed.trigger(trigger.early('1s'))),
    all,
  );
  assert.equal(rowKey(countWindow(3)), undefined);
  assert.equal(rowKey(countWindow(3, 1)), undefined);
  assert.equal(
    rowKey(tumbling('1m'), (windowed) => windowed.trigger(trigger.purging(trigger.early('1s')))),
    undefined,
  );
});

test('another allowed lateness finds windows in place, and they still close', () => {
  const windows = (allowedLatenessMillis: number): Program =>
    new Program(
      'windowAggregate',
      {
        window: { kind: 'session', gapMillis: 10, time: 'event' },
        allowedLatenessMillis,
        aggregates: { n: { name: 'count' } },
      },
      [{ fields: ['k'] }],
    );
  for (const [before, after] of [
    [100, 5],
    [5, 100],
    [0, 7],
  ] as const) {
    const first = new Driven(windows(before));
    first.step({ records: [[{ k: 'a' }, 0]] });
    first.snapshot(true);
    const second = new Driven(windows(after));
    second.operator.restore!(readSnapshot(first.saved));
    assert.equal(second.step({ watermark: 9 }).rows.length, 1);
    second.step({ watermark: 9 + after - 1 });
    assert.ok(second.entries > 0);
    second.step({ watermark: 200 });
    assert.equal(second.entries, 0);
  }
});

const keyed = () => from([row]).keyBy('k');
const plain = aggregator({ create: () => 0, add: (a: number) => a + 1, result: (a: number) => a });
const mistakes: readonly (readonly [mistake: string, code: string, message: RegExp, cell: () => unknown])[] = [
  ['a gap of zero', 'bad-window', /session\(\) gap is "0s"/, () => session('0s')],
  ['a negative gap', 'bad-duration', /session\(\) gap is "-1s"/, () => session('-1s')],
  ['a gap that is missing', 'bad-duration', /session\(\) gap is undefined/, () => session()],
  [
    'a session with an offset',
    'unknown-option',
    /session\(\) has no option "offset"/,
    () => session('1s', { offset: '1s' }),
  ],
  ['a count of zero', 'bad-window', /countWindow\(\) size is 0/, () => countWindow(0)],
  ['a negative count', 'bad-window', /size is -3/, () => countWindow(-3)],
  ['half an element', 'bad-window', /size is 1.5/, () => countWindow(1.5)],
  ['a count in time', 'bad-window', /size is "1m"/, () => countWindow('1m')],
  ['a slide of no elements', 'bad-window', /slide is 0/, () => countWindow(5, 0)],
  [
    'a custom window without assign',
    'not-a-function',
    /needs a function assign, not undefined/,
    () => customWindow({}),
  ],
  ['a custom window that is none', 'bad-option', /options of customWindow\(\)/, () => customWindow(5)],
  [
    'a misspelt option',
    'unknown-option',
    /no option "merge". It has assign, merging/,
    () => customWindow({ assign: () => [], merge: true }),
  ],
  [
    'merging that is no flag',
    'bad-option',
    /merging of customWindow\(\) is "yes"/,
    () => customWindow({ assign: () => [], merging: 'yes' }),
  ],
  ['an unknown time', 'bad-option', /"event", "processing", not "wall"/, () => session('1s', { time: 'wall' })],
  ['a window that is none', 'bad-window', /session\("30s"\).*not an object/, () => keyed().window({})],
  [
    'a trigger that is none',
    'bad-trigger',
    /trigger\.count.*not "1m"/,
    () => keyed().window(tumbling('1m')).trigger('1m'),
  ],
  [
    'a trigger not called',
    'bad-trigger',
    /not the function eventTime/,
    () => keyed().window(tumbling('1m')).trigger(trigger.eventTime),
  ],
  ['purging nothing', 'bad-trigger', /not undefined/, () => trigger.purging()],
  ['early at once', 'bad-window', /trigger\.early\(\) every is "0s"/, () => trigger.early('0s')],
  ['a trigger that counts to zero', 'bad-window', /trigger\.count\(\) n is 0/, () => trigger.count(0)],
  ['a threshold of NaN', 'bad-option', /trigger\.delta\(\) threshold is NaN/, () => trigger.delta(NaN, () => 1)],
  ['a delta that is none', 'not-a-function', /trigger\.delta\(\) takes a function, not 5/, () => trigger.delta(1, 5)],
  ['a custom trigger without onElement', 'not-a-function', /needs a function onElement/, () => trigger.custom({})],
  [
    'a custom trigger with a typo',
    'unknown-option',
    /no option "onTime"/,
    () => trigger.custom({ onElement: () => 'fire', onTime: () => 'fire' }),
  ],
  ['an evictor that is none', 'bad-evictor', /evictor\.count.*not 5/, () => keyed().window(tumbling('1m')).evictor(5)],
  ['an evictor that keeps nothing', 'bad-evictor', /n is 0.*1 or more/, () => evictor.count(0)],
  ['an evictor that keeps no time', 'bad-evictor', /keep is "0s"/, () => evictor.time('0s')],
  ['an evictor with another option', 'unknown-option', /no option "before"/, () => evictor.count(1, { before: true })],
  ['a half-true option', 'bad-option', /after of evictor\.count\(\) is 1/, () => evictor.count(1, { after: 1 })],
  [
    'a merging window with an aggregate that cannot merge',
    'unmergeable',
    /Session windows merge, and aggregate "clicks" has no merge\. Add merge/,
    () => keyed().window(session('1m')).aggregate({ n: count(), clicks: plain }),
  ],
  [
    'a merging window of one’s own with an aggregate that cannot merge',
    'unmergeable',
    /Custom windows merge/,
    () =>
      keyed()
        .window(customWindow({ assign: () => [], merging: true }))
        .aggregate({ clicks: plain }),
  ],
  [
    'a merging window with a delta trigger',
    'unmergeable',
    /Session windows merge, and trigger\.delta\(\)/,
    () =>
      keyed()
        .window(session('1m'))
        .trigger(trigger.purging(trigger.delta(1, () => 1))),
  ],
  [
    'a merging window with a custom trigger that does not merge',
    'unmergeable',
    /custom trigger has no onMerge/,
    () =>
      keyed()
        .window(session('1m'))
        .trigger(trigger.custom({ onElement: () => 'fire' })),
  ],
  [
    'a merging window whose own trigger does not merge',
    'unmergeable',
    /Custom windows merge/,
    () => customWindow({ assign: () => [], merging: true, trigger: trigger.delta(1, () => 1) }),
  ],
  [
    'a join over a count window that looks back',
    'bad-window',
    /join\(\) cannot be over countWindow\(size, slide\)/,
    () =>
      keyed()
        .join(keyed())
        .window(countWindow(5, 1))
        .select(() => 1),
  ],
];
for (const [mistake, code, message, cell] of mistakes)
  test(`${mistake} is an error when the cell is evaluated`, () => {
    assert.throws(
      () => evaluate(cell),
      (error: unknown) => {
        assert.ok(error instanceof SluiceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.match(error.message, message);
        return true;
      },
    );
  });

test('what merges needs no merge where nothing does', () => {
  evaluate(() => {
    keyed().window(tumbling('1m')).aggregate({ clicks: plain });
    keyed().window(countWindow(5)).aggregate({ clicks: plain });
    keyed()
      .window(customWindow({ assign: () => [] }))
      .aggregate({ clicks: plain });
  });
});
