// Patterns at the surface: errors that name the stage as in Flink, the plan data, and the shape of
// the state.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- the mistakes are type errors too; in a notebook types are advice */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import { SluiceError } from '../../errors/error.ts';
import { hashValue } from '../../graph/fingerprint.ts';
import * as sluice from '../../index.ts';
import { Environment, from, pattern, type Pattern } from '../../index.ts';
import { evaluate, nodeOf } from './evaluate.ts';

interface Row {
  readonly k: string;
  readonly n: number;
}
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
const { pattern: said, from: source }: any = sluice;
const start = (): ReturnType<typeof said> => said('a');
const matched = (p: unknown): unknown =>
  from([{ k: 'x', n: 1 }] as Row[])
    .keyBy('k')
    .pattern(p as Pattern<Row>)
    .select((match) => match);

const mistakes: readonly (readonly [mistake: string, message: RegExp, cell: () => unknown, code?: string])[] = [
  ['a stage without a name', /name of a stage is a text, not undefined/, () => said(), 'bad-option'],
  ['an empty name', /not an empty one/, () => start().next(''), 'bad-option'],
  ['a name that is no field', /"__proto__"/, () => start().next('__proto__')],
  ['two stages of one name', /Two stages of the pattern are called "a"/, () => start().next('b').followedBy('a')],
  ['a condition that is none', /where\(\) of "a" takes a function, not 5/, () => start().where(5), 'not-a-function'],
  ['an until that is none', /until\(\) of "a" takes a function/, () => start().oneOrMore().until(), 'not-a-function'],
  ['until without a loop', /"a" has no loop to end\. Put until\(\) after oneOrMore/, () => start().until(() => true)],
  [
    'until of times',
    /"a" has no loop to end/,
    () =>
      start()
        .times(2)
        .until(() => true),
  ],
  ['until twice', /"a" has an until\(\) already/, () => start().oneOrMore().until(Boolean).until(Boolean)],
  ['no times', /"a" occurs 0 times\. Use notNext/, () => start().times(0)],
  ['half a time', /n of times\(\) of "a" is a whole number/, () => start().times(1.5), 'bad-option'],
  ['fewer than none', /0 or more, not -1/, () => start().times(-1), 'bad-option'],
  ['a maximum below the minimum', /"a" occurs 3 to 2 times\..* at least 3/, () => start().times(3, 2)],
  ['none to none', /"a" occurs 0 to 0 times\..* at least 1/, () => start().times(0, 0)],
  ['a million times', /"a" occurs 1000000 times.*Ask for 10000 at most/, () => start().times(1, 1e6)],
  ['none or more', /Write oneOrMore\(\)\.optional\(\)/, () => start().timesOrMore(0)],
  ['two quantifiers', /"a" has two quantifiers/, () => start().oneOrMore().times(2)],
  ['optional before the quantifier', /Put optional\(\) after oneOrMore\(\)/, () => start().optional().oneOrMore()],
  ['optional twice', /"a" is optional already/, () => start().optional().optional()],
  ['optional after times from 0', /"a" is optional already/, () => start().times(0, 2).optional()],
  [
    'optional behind greedy',
    /"b" is optional behind a greedy/,
    () => start().oneOrMore().greedy().next('b').optional(),
  ],
  ['greedy once', /"a" occurs once, so greedy\(\)/, () => start().greedy()],
  ['greedy and combinations', /"a" is greedy and allows comb/, () => start().oneOrMore().allowCombinations().greedy()],
  ['consecutive once', /"a" occurs once, so consecutive\(\)/, () => start().consecutive()],
  ['combinations of one', /"a" occurs once, so allowCombinations\(\)/, () => start().allowCombinations()],
  ['consecutive twice', /"a" has consecutive\(\) already/, () => start().times(2).consecutive().consecutive()],
  ['consecutive and combinations', /Choose/, () => start().times(2).consecutive().allowCombinations()],
  ['a negated stage several times', /"no" is negated, so times\(\)/, () => start().notNext('no').times(2)],
  ['a negated loop', /"no" is negated, so oneOrMore\(\)/, () => start().notFollowedBy('no').oneOrMore()],
  ['a negated stage that is optional', /"no" is negated, so optional\(\)/, () => start().notNext('no').optional()],
  ['a negated stage that is greedy', /"no" is negated, so greedy\(\)/, () => start().notNext('no').greedy()],
  ['a negation behind optional', /"a" is optional, and a negation/, () => start().optional().notNext('no')],
  ['another behind optional', /"a" is optional, and a negation/, () => start().times(0, 2).notFollowedBy('no')],
  ['words for a window', /within\(\) is "soon"/, () => start().within('soon'), 'bad-duration'],
  ['a window of nothing', /at least one/, () => start().within('0s'), 'bad-duration'],
  ['half a millisecond', /whole number of milliseconds/, () => start().within('1.5ms'), 'bad-duration'],
  [
    'an unknown strategy',
    /"no-skip", "to-next", "past-last-event", not "past"/,
    () => start().skip('past'),
    'bad-option',
  ],
  [
    'a misspelt strategy',
    /no option "tofirst". Closest: "toFirst"/,
    () => start().skip({ tofirst: 'a' }),
    'unknown-option',
  ],
  ['two strategies in one', /skip\(\) takes/, () => start().skip({ toFirst: 'a', toLast: 'a' }), 'bad-option'],
  ['two strategies', /has two skip strategies/, () => start().skip('to-next').skip('no-skip')],
  [
    'a strategy for a stage that is not there',
    /names the stage "b".*Closest: "a"/,
    () => matched(start().skip({ toFirst: 'b' })),
  ],
  ['an endless negation', /ends with notFollowedBy\("no"\).*Add within/, () => matched(start().notFollowedBy('no'))],
  ['a pattern that is none', /takes a pattern made by pattern\("name"\), not an object/, () => matched({})],
  [
    'select without a function',
    /select\(\) takes a function/,
    () =>
      source([{ k: 1 }])
        .keyBy('k')
        .pattern(start())
        .select(),
    'not-a-function',
  ],
];
for (const [mistake, message, cell, code = 'bad-pattern'] of mistakes)
  test(`${mistake} is one clear error, and declares nothing`, () => {
    const builder = new Builder({ group: 'cell' });
    assert.throws(
      () => runWithBuilder(builder, cell),
      (error: unknown) => {
        assert.ok(error instanceof SluiceError);
        assert.match(error.message, message);
        assert.equal(error.code, code);
        return true;
      },
    );
    assert.ok(!builder.fragment().nodes.some(({ kind }) => kind === 'pattern'));
  });

const small = ({ n }: Row): boolean => n < 1;
const big = ({ n }: Row): boolean => n > 500;

test('a pattern is plain plan data, and its functions are references', () => {
  const fragment = evaluate((set) => {
    set('fraud');
    matched(
      pattern<Row>('small')
        .where(small)
        .oneOrMore()
        .greedy()
        .until(big)
        .followedBy('big')
        .where(big)
        .within('10m')
        .skip({ toLast: 'small' }),
    );
  });
  const node = nodeOf(fragment, 'pattern');
  assert.equal(node.name, 'pattern small, big');
  const { stages, ...rest } = JSON.parse(JSON.stringify(node.parameters));
  assert.deepEqual(
    stages.map(({ where, until, ...structure }: { where: { slot: string }[]; until?: { slot: string } }) => ({
      ...structure,
      where: where.map(({ slot }) => slot),
      until: until?.slot,
    })),
    [
      {
        name: 'small',
        contiguity: 'strict',
        occurs: 'loop',
        from: 1,
        to: 1,
        inner: 'relaxed',
        isOptional: false,
        isGreedy: true,
        where: ['where.small.1'],
        until: 'until.small',
      },
      {
        name: 'big',
        contiguity: 'relaxed',
        occurs: 'one',
        from: 1,
        to: 1,
        inner: 'relaxed',
        isOptional: false,
        isGreedy: false,
        where: ['where.big.1'],
        until: undefined,
      },
    ],
  );
  assert.equal(rest.withinMillis, 600_000);
  assert.deepEqual(rest.skip, { kind: 'to-last', stage: 'small' });
  assert.deepEqual(fragment.edges.at(-1), {
    from: { node: 'cell/fraud/keyBy#1', port: 'out' },
    to: 'cell/fraud/pattern#1',
    input: 0,
    exchange: 'key',
  });
});

test('one beginning goes on in several ways', () => {
  const a = pattern<Row>('a').where(small);
  const one = a.next('b');
  const other = a.oneOrMore().followedBy('c').within('1m');
  const names = (p: unknown): string =>
    nodeOf(
      evaluate(() => void matched(p)),
      'pattern',
    ).name;
  assert.deepEqual([a, one, other].map(names), ['pattern a', 'pattern a, b', 'pattern a, c']);
});

test('of several windows the shortest holds', () => {
  const p = pattern<Row>('a').within('10s').next('b').within('1m');
  assert.equal(
    nodeOf(
      evaluate(() => void matched(p)),
      'pattern',
    ).parameters.withinMillis,
    10_000,
  );
});

test('structure, window and strategy are the shape of the state; predicates are not, but are what the node does', () => {
  const node = (p: Pattern<Row>) =>
    nodeOf(
      evaluate(() => void matched(p)),
      'pattern',
    );
  const base = node(pattern<Row>('a').where(small).next('b'));
  const edited = node(pattern<Row>('a').where(big).where(small).next('b'));
  assert.equal(edited.shape, base.shape);
  assert.notEqual(edited.own, base.own);
  const others = [
    pattern<Row>('a').next('b'),
    pattern<Row>('z').where(small).next('b'),
    pattern<Row>('a').where(small).followedBy('b'),
    pattern<Row>('a').where(small).next('b').optional(),
    pattern<Row>('a').where(small).next('b').times(2),
    pattern<Row>('a').where(small).next('b').oneOrMore(),
    pattern<Row>('a').where(small).next('b').oneOrMore().until(big),
    pattern<Row>('a').where(small).next('b').within('1m'),
    pattern<Row>('a').where(small).next('b').skip('to-next'),
  ].map((p) => node(p).shape);
  assert.equal(others[0], base.shape);
  assert.equal(new Set([base.shape, ...others.slice(1)]).size, others.length);
});

test('the fingerprint of a captured pattern follows its content', () => {
  const hash = (p: Pattern<Row>): string => hashValue(p);
  assert.equal(hash(pattern<Row>('a').where(small)), hash(pattern<Row>('a').where(small)));
  assert.notEqual(hash(pattern<Row>('a').where(small)), hash(pattern<Row>('a').where(big)));
  assert.notEqual(hash(pattern<Row>('a').within('1s')), hash(pattern<Row>('a').within('2s')));
});

test('matches, what timed out and what came late are streams', () => {
  evaluate(() => {
    const result = from([{ k: 'x', n: 1 }] as Row[])
      .keyBy('k')
      .pattern(pattern<Row>('a').followedBy('b').within('1s'))
      .select(({ a, b }) => a![0]!.n + b![0]!.n);
    result.map((sum) => sum + 1);
    result.timedOut.map(({ a }) => a!.length);
    result.late.filter(({ n }) => n > 1);
  });
});

test('a bounded input is matched to its end', async () => {
  const rows = [3, 1, 2].map((n) => ({ k: 'x', n, at: n * 1_000 }));
  const matches = new Environment()
    .from(rows, { timestamp: 'at', watermark: { outOfOrderness: '5s' } })
    .keyBy('k')
    .pattern(pattern<{ k: string; n: number; at: number }>('one').next('other'))
    .select(({ one, other }) => [one![0]!.n, other![0]!.n]);
  assert.deepEqual(await matches.toArray(), [
    [1, 2],
    [2, 3],
  ]);
});

test('a job that fails in a predicate names key, record and time', async () => {
  const environment = new Environment();
  environment
    .from([{ k: 'x', n: 7, at: 1_000 }], { timestamp: 'at' })
    .keyBy('k')
    .pattern(
      pattern<{ k: string; n: number; at: number }>('a').where(() => {
        throw new Error('no such rule');
      }),
    )
    .select((match) => match)
    .sink(() => {});
  const job = await environment.execute();
  await assert.rejects(job.finished, {
    code: 'operator-failed',
    message: /pattern#1 failed at k "x", \{"k":"x","n":7,"at":1000\} at 1970-01-01T00:00:01\.000Z: Error: no such rule/,
  });
});
