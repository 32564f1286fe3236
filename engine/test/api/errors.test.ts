// Bad input at the surface. Each mistake gives one clear error with the thing and the value, and
// declares nothing.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- the mistakes are type errors too; in a notebook types are advice */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import { SluiceError } from '../../errors/error.ts';
import * as sluice from '../../index.ts';
import { evaluate } from './evaluate.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
const { kafka, generate, from, file, tumbling, sliding, count, sum, valueState, view, param, configure }: any = sluice;
const row = { customer: 'ann', amount: 1 };

const mistakes: readonly (readonly [mistake: string, code: string, message: RegExp, cell: () => unknown])[] = [
  ['a size of zero', 'bad-window', /tumbling\(\) size is "0s"/, () => tumbling('0s')],
  ['a negative size', 'bad-duration', /tumbling\(\) size is "-1m"/, () => tumbling('-1m')],
  ['a size below a millisecond', 'bad-window', /size is "0.5ms"/, () => tumbling('0.5ms')],
  ['a slide of zero', 'bad-window', /sliding\(\) slide is "0s"/, () => sliding('1m', '0s')],
  ['a missing slide', 'bad-duration', /sliding\(\) slide is undefined/, () => sliding('1m')],
  ['words for a duration', 'bad-duration', /"1 minute"/, () => tumbling('1 minute')],
  ['a number for a duration', 'bad-duration', /size is 60000/, () => tumbling(60_000)],
  ['an offset as long as the window', 'bad-window', /offset is "-1m"/, () => tumbling('1m', { offset: '-1m' })],
  ['an offset as long as the slide', 'bad-window', /than the slide/, () => sliding('1h', '1m', { offset: '1m' })],
  ['a window that is none', 'bad-window', /not "1m"/, () => from([row]).keyBy('customer').window('1m')],
  ['an unknown time', 'bad-option', /"event", "processing", not "wall"/, () => tumbling('1m', { time: 'wall' })],
  [
    'a misspelt option',
    'unknown-option',
    /no option "ofset". Closest: "offset"/,
    () => tumbling('1m', { ofset: '1s' }),
  ],
  ['options that are none', 'bad-option', /options of generate\(\) are an object, not 5/, () => generate(5, () => 1)],
  ['negative lateness', 'bad-duration', /"-1s"/, () => from([row]).windowAll(tumbling('1s')).allowedLateness('-1s')],

  ['no key field', 'bad-key', /needs the names/, () => from([row]).keyBy()],
  ['a number as a key field', 'bad-key', /not 3/, () => from([row]).keyBy(3)],
  ['a function among key fields', 'bad-key', /not a function/, () => from([row]).keyBy('customer', () => 1)],
  ['a selector that is none', 'bad-selector', /sum\(\) takes .* not undefined/, () => sum()],
  ['an empty field name', 'bad-selector', /timestamp of from\(\)/, () => from([row], { timestamp: '' })],
  [
    'a map without a function',
    'not-a-function',
    /map\(\) takes a function, not "amount"/,
    () => from([row]).map('amount'),
  ],
  ['an aggregate that is none', 'bad-aggregate', /"n" is 0/, () => from([row]).keyBy('customer').aggregate({ n: 0 })],
  [
    'a called-for aggregate',
    'bad-aggregate',
    /"n" is the function/,
    () => from([row]).keyBy('customer').aggregate({ n: count }),
  ],
  ['no aggregate', 'bad-aggregate', /at least one/, () => from([row]).keyBy('customer').aggregate({})],
  [
    'an aggregate named like a key field',
    'name-taken',
    /Aggregate "customer" .* key field "customer"/,
    () => from([row]).keyBy('amount', 'customer').aggregate({ customer: count() }),
  ],
  [
    'an aggregate named like a bound',
    'name-taken',
    /"windowEnd" .* bound "windowEnd"/,
    () => from([row]).windowAll(tumbling('1m')).aggregate({ windowEnd: count() }),
  ],

  [
    'process without onElement',
    'not-a-function',
    /needs a function onElement/,
    () => from([row]).keyBy('customer').process({}),
  ],
  [
    'a callback that is never called',
    'unknown-option',
    /never calls "onTime". Closest: "onTimer"/,
    () =>
      from([row])
        .keyBy('customer')
        .process({ onElement() {}, onTime() {} }),
  ],
  [
    'state that is no declaration',
    'bad-state',
    /State "last" is 0/,
    () =>
      from([row])
        .keyBy('customer')
        .process({ state: { last: 0 }, onElement() {} }),
  ],
  ['a refresh without ttl', 'bad-option', /Add ttl/, () => valueState({ refresh: 'write' })],
  ['a ttl of zero', 'bad-option', /ttl of valueState\(\)/, () => valueState({ ttl: '0s' })],
  ['state used where it is declared', 'misplaced-state', /in the context/, () => valueState().state.get()],

  ['a topic that is no text', 'bad-option', /topic of kafka\(\) is a text, not undefined/, () => kafka()],
  ['an unknown start', 'bad-option', /from of kafka\(\) is .* not "begin"/, () => kafka('t', { from: 'begin' })],
  [
    'committed offsets of no group',
    'bad-option',
    /and no group. Give the name/,
    () => kafka('t', { from: 'committed' }),
  ],
  ['a group without a name', 'bad-option', /The group of kafka\(\)/, () => kafka('t', { group: '' })],
  ['offsets that are numbers', 'bad-option', /not 0 to 42/, () => kafka('t', { from: { offsets: { 0: 42 } } })],
  [
    'a time without a zone',
    'bad-time',
    /"2026-01-31T12:00:00"/,
    () => kafka('t', { from: { timestamp: '2026-01-31T12:00:00' } }),
  ],
  ['a time that is no time', 'bad-time', /an invalid Date/, () => kafka('t', { until: { timestamp: new Date(NaN) } })],
  ['an unknown format', 'bad-option', /one of "json".*not "xml"/, () => kafka('t', { format: 'xml' })],
  [
    'a discovery of a bounded read',
    'bad-option',
    /has until and discovery/,
    () => kafka('t', { until: 'latest', discovery: '1m' }),
  ],
  ['a discovery without pause', 'bad-option', /discovery of kafka\(\) is 0/, () => kafka('t', { discovery: '0s' })],
  [
    'offsets of a pattern',
    'bad-option',
    /offsets belong to one topic/,
    () => kafka(/t/, { from: { offsets: { 0: '4' } } }),
  ],
  ['a schema that is none', 'bad-schema', /Standard Schema/, () => kafka('t', { schema: {} })],
  [
    'a batch size of zero',
    'bad-option',
    /maxBatchBytes of kafka\(\) is a number above 0, not 0/,
    () => kafka('t', { maxBatchBytes: 0 }),
  ],
  [
    'a rate of zero',
    'bad-option',
    /rate of generate\(\) is a number above 0, not 0/,
    () => generate({ rate: 0 }, () => 1),
  ],
  ['a broken limit', 'bad-option', /limit of generate\(\).* not 1.5/, () => generate({ limit: 1.5 }, () => 1)],
  ['a seed that is none', 'bad-option', /seed of generate\(\).* not "x"/, () => generate({ seed: 'x' }, () => 1)],
  ['generate without options', 'bad-option', /options first/, () => generate(() => 1)],
  ['from a number', 'not-iterable', /not 5/, () => from(5)],
  ['from a stream', 'not-iterable', /given a stream/, () => from(from([1]))],
  [
    'a file of no known format',
    'bad-option',
    /"a.parquet"\) has no extension of a known format/,
    () => file('a.parquet'),
  ],
  [
    'speed without a timestamp',
    'bad-option',
    /has a speed, but a replay needs timestamps/,
    () => file('a.csv', { speed: 2 }),
  ],
  ['idleness of zero', 'bad-option', /idleness/, () => from([1], { watermark: { idleness: '0s' } })],

  ['union with an array', 'not-a-stream', /union\(\) takes a stream, not an array of 1/, () => from([1]).union([2])],
  ['connect to nothing', 'not-a-stream', /not undefined/, () => from([1]).connect()],
  ['take of half', 'bad-option', /n of take\(\).* not 0.5/, () => from([1]).take(0.5)],
  ['a sink that is no function', 'not-a-function', /sink\(\) takes a function/, () => from([1]).sink('x')],
  ['an unknown delivery', 'bad-option', /delivery of to\(\)/, () => from([1]).to('t', { delivery: 'twice' })],

  ['a chart without y', 'bad-option', /y of chart\(\) is a text/, () => from([row]).chart({ x: 'amount' })],
  ['an unknown mark', 'bad-option', /"tick", not "pie"/, () => from([row]).chart({ mark: 'pie', x: 'a', y: 'b' })],
  ['a last of nothing', 'bad-option', /last of chart\(\)/, () => from([row]).chart({ x: 'a', y: 'b', last: '0s' })],
  ['a spec with data', 'bad-chart', /Leave it out/, () => from([row]).chart({ encoding: {}, data: {} })],
  ['a spec with a function', 'bad-chart', /JSON data/, () => from([row]).chart({ encoding: { x: () => 1 } })],
  ['no rows to show', 'bad-option', /rows of show\(\)/, () => from([row]).show({ rows: 0 })],
  ['a view of a number', 'bad-display', /not 3/, () => view(3)],

  ['an empty id', 'bad-id', /not ""/, () => from([1]).id('')],
  ['an id with a tilde', 'bad-id', /"a~b"/, () => from([1], { id: 'a~b' })],
  ['an empty name', 'bad-name', /not ""/, () => from([1]).name('')],
  ['no parallelism', 'bad-option', /parallelism/, () => configure({ parallelism: 0 })],
  ['an unknown session option', 'unknown-option', /Closest: "restart"/, () => configure({ restarts: {} })],
  ['a parameter without a default', 'bad-param', /needs a default/, () => param('n')],
];

for (const [mistake, code, message, cell] of mistakes)
  test(`${mistake} is one clear error`, () => {
    assert.throws(
      () => evaluate(cell),
      (error) => error instanceof SluiceError && error.code === code && message.test(error.message),
    );
  });

test('two operators with one id are an error that names both', () => {
  const twice = (set: (variable?: string) => void): void => {
    set('a');
    sluice.from([1]).map(String).id('texts');
    set('b');
    sluice
      .from([2])
      .filter((n) => n > 1)
      .id('texts');
  };
  assert.throws(() => evaluate(twice), {
    code: 'duplicate-id',
    message:
      'Two operators have the id "texts": "map String" (in a) and "filter" (in b). Give one of them another .id().',
  });
});

test('an id stands in the chain that creates the operator', () => {
  const other = new Builder({ group: 'other' });
  const foreign = runWithBuilder(other, () => sluice.from([1]));
  assert.throws(() => evaluate(() => foreign.id('mine')), { code: 'misplaced-id' });
  assert.throws(
    () =>
      evaluate((set) => {
        set('numbers');
        const numbers = sluice.from([1]);
        set();
        numbers.id('late');
      }),
    { code: 'misplaced-id', message: /"late".*outside the chain that creates "numbers"/ },
  );
  assert.throws(() => evaluate(() => kafka('t').errors.id('x')), {
    code: 'misplaced-id',
    message: /"kafka t.errors", a side output/,
  });
});

test('a failed declaration leaves no node behind', () => {
  const fragment = evaluate(() => {
    const numbers = from([1]).keyBy('n');
    assert.throws(() => numbers.aggregate({ n: count() }));
    assert.throws(() => numbers.window(tumbling('1m')).aggregate({ m: 1 }));
    assert.throws(() => kafka('t', { rate: -1 }));
  });
  assert.deepEqual(
    fragment.nodes.map((node) => node.kind),
    ['from', 'keyBy'],
  );
});

test('a source outside a cell is an error that names the place for it', () => {
  assert.throws(() => from([1]), { code: 'no-environment', message: /new Environment\(\)\.from\(…\)/ });
  assert.throws(() => configure({}), { code: 'no-environment' });
});
