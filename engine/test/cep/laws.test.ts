// Laws of patterns. The matches equal those of the declarative model, and the state stays bounded.
// Calls stop when the output is full, and the queue orders matches.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { StartQueue } from '../../cep/start-queue.ts';
import { type Sleeper, WakeUps } from '../../cep/wake-ups.ts';
import { pattern, type Pattern, type Stream } from '../../index.ts';
import { harness } from '../../testing/index.ts';
import { canonical, Driven, Program, run } from '../operators/drive.ts';
import { modelOfMatches, type ModelStage } from './model.ts';

interface Letter {
  readonly letter: string;
  readonly at: number;
}

const letters = fc.constantFrom('a', 'b', 'c', 'ab', 'bc', 'abc');
const occurrences = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ from: 1, to: 1, inner: 'relaxed' as const }) },
  fc
    .record({
      from: fc.integer({ min: 1, max: 3 }),
      more: fc.constantFrom(0, 1, 2, Infinity),
      inner: fc.constantFrom('strict' as const, 'relaxed' as const, 'any' as const),
    })
    .map(({ from, more, inner }) => ({ from, to: from + more, inner })),
);
const stage = (name: string): fc.Arbitrary<ModelStage> =>
  fc
    .tuple(
      fc.constantFrom('next' as const, 'followedBy' as const, 'followedByAny' as const),
      letters,
      occurrences,
      fc.option(
        fc.record({
          how: fc.constantFrom('notFollowedBy' as const, 'notNext' as const),
          letters: fc.constantFrom('a', 'b', 'c', 'd'),
        }),
        {
          nil: undefined,
          freq: 4,
        },
      ),
    )
    .map(([how, letters, occurrence, forbidden]) => ({
      name,
      how,
      letters,
      ...occurrence,
      ...(forbidden && { forbidden }),
    }));
const stages = fc
  .tuple(stage('x'), stage('y'), stage('z'), fc.integer({ min: 1, max: 3 }))
  .map(([x, y, z, n]) => [x, y, z].slice(0, n))
  .filter((all) =>
    all.every(
      ({ forbidden, how, letters: mine }, at) =>
        // An element that is both forbidden and a match is either, depending on its position. A
        // loop before it would also count its own elements.
        !forbidden || (at > 0 && how !== 'next' && !mine.includes(forbidden.letters) && all[at - 1]!.to === 1),
    ),
  )
  .filter((all) => !all.some(heedsItsNegationAgain));

/**
 * As in Flink's NFACompiler, a stage of `from` to `to` occurrences heeds the notFollowedBy before
 * it again, after it has skipped an element between optional occurrences. The model does not.
 */
function heedsItsNegationAgain({ forbidden, from, to, inner }: ModelStage): boolean {
  return forbidden?.how === 'notFollowedBy' && from < to && to !== Infinity && inner !== 'strict';
}

function patternOf(all: readonly ModelStage[], within: number | undefined): Pattern<Letter> {
  let said: Pattern<Letter> | undefined;
  for (const { name, how, letters: mine, forbidden, from, to, inner } of all) {
    if (said && forbidden)
      said = said[forbidden.how](`no ${name}`).where(({ letter }) => forbidden.letters.includes(letter));
    said = (said ? said[how](name) : pattern<Letter>(name)).where(({ letter }) => mine.includes(letter));
    if (to === Infinity) said = from === 1 ? said.oneOrMore() : said.timesOrMore(from);
    else if (to > 1) said = said.times(from, to);
    if (to > 1 && inner !== 'relaxed') said = inner === 'strict' ? said.consecutive() : said.allowCombinations();
  }
  return within === undefined ? said! : said!.within(`${within}ms`);
}
const written = (match: Record<string, Letter[]>): string =>
  Object.entries(match)
    .map(([name, taken]) => `${name}:${taken.map(({ at }) => at).join(',')}`)
    .join(' ');

test('a pattern matches exactly the ways to lay its stages over the elements', () => {
  fc.assert(
    fc.property(
      stages,
      fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 9 }).map((all) => all.join('')),
      fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
      fc.boolean(),
      (all, events, within, atOnce) => {
        const said = patternOf(all, within);
        const driven = harness((input: Stream<Letter>) =>
          input
            .keyBy(() => 'one')
            .pattern(said)
            .select(written),
        );
        [...events].forEach((letter, at) => {
          driven.element({ letter, at }, 100 + at);
          if (!atOnce) driven.watermark(100 + at);
        });
        driven.watermark(Infinity);
        const given = driven.output().map((item) => ('element' in item ? item.element : ''));
        assert.deepEqual(given.sort(), modelOfMatches(all, events, within));
        assert.equal(driven.entries(), 0);
        driven.close();
      },
    ),
    { numRuns: 400 },
  );
});

// -------------------------------------------------------------------------- the operator by itself

interface Event {
  readonly k: string;
  readonly n: number;
}
const byKey = { fields: ['k'] };
const once = {
  contiguity: 'strict',
  occurs: 'one',
  from: 1,
  to: 1,
  inner: 'relaxed',
  isOptional: false,
  isGreedy: false,
  where: [] as unknown[],
};
const loop = { ...once, occurs: 'loop' };
const ofOne = ({ k, n }: Partial<Event>): Event => ({ k: k ?? 'ann', n: n ?? 0 });
const even = ({ n }: Event): boolean => n % 2 === 0;
const odd = ({ n }: Event): boolean => n % 2 === 1;
const matching = (stages: readonly object[], more: object = {}): Program =>
  new Program('pattern', { stages, skip: { kind: 'no-skip' }, select: (match: unknown) => match, ...more }, [byKey]);

test('between optional occurrences, a notFollowedBy before the stage holds again once an element is skipped', () => {
  const x: ModelStage = { name: 'x', how: 'next', letters: 'a', from: 1, to: 1, inner: 'relaxed' };
  const y: ModelStage = {
    ...{ name: 'y', how: 'followedBy', letters: 'c', from: 1, to: 3, inner: 'any' },
    forbidden: { how: 'notFollowedBy', letters: 'a' },
  };
  assert.ok(heedsItsNegationAgain(y));
  const matchesOf = (events: string): unknown[] => {
    const driven = harness((input: Stream<Letter>) =>
      input
        .keyBy(() => 'one')
        .pattern(patternOf([x, y], undefined))
        .select(written),
    );
    [...events].forEach((letter, at) => driven.element({ letter, at }, 100 + at));
    driven.watermark(Infinity);
    const given = driven.output().map((item) => ('element' in item ? item.element : ''));
    driven.close();
    return given.sort();
  };
  assert.deepEqual(matchesOf('acac'), ['x:0 y:1', 'x:0 y:1,3', 'x:2 y:3']);
  assert.deepEqual(matchesOf('acaac'), ['x:0 y:1', 'x:3 y:4']);
});

test('an element that completes many matches emits them one by one, as far as there is room', () => {
  // Every subset of the elements that ends with the last one.
  const program = matching([
    { ...loop, name: 'some', inner: 'any' },
    { ...once, name: 'last', where: [({ n }: Event) => n === 9] },
  ]);
  const records = Array.from({ length: 10 }, (_, n) => [ofOne({ n }), n + 1] as const);
  const steps = [{ records }, { watermark: 20 }, { watermark: Infinity }];
  const [, whole] = run(program, steps);
  assert.ok(whole!.rows.length > 100);
  for (const room of [1, 7]) assert.deepEqual(canonical(run(program, steps, { room })), canonical(run(program, steps)));
});

test('a partial match that times out needs room in the output, and none if the side output has no reader', () => {
  const program = matching(
    [
      { ...loop, name: 'even', where: [even] },
      { ...once, name: 'odd', where: [odd] },
    ],
    {
      withinMillis: 10,
    },
  );
  const records = Array.from({ length: 12 }, (_, n) => [ofOne({ k: `k${n % 3}`, n: 2 * n }), n + 1] as const);
  const steps = [{ records }, { watermark: 40 }];
  const [, given] = run(program, steps, { room: 1 });
  assert.deepEqual(given, run(program, steps)[1]);
  assert.equal(given!.aside!.length, 12);
  assert.ok(given!.aside!.every(([port, , timestamp]) => port === 'timedOut' && timestamp > 10 && timestamp <= 22));
  assert.equal(run(program, steps, { lateUnread: true })[1]!.aside, undefined);
});

test('late elements are counted if the side output has no reader', () => {
  const program = matching([{ ...once, name: 'even', where: [even] }]);
  const [, , read] = run(program, [{ records: [] }, { watermark: 5 }, { records: [[ofOne({ n: 2 }), 5]] }]);
  assert.deepEqual(read!.late, [[ofOne({ n: 2 }), 5]]);
  const steps = [{ watermark: 5 }, { records: [[ofOne({ n: 2 }), 5]] }] as const;
  assert.equal(run(program, steps, { lateUnread: true })[1]!.countedLate, 1);
});

test('with within, state stays bounded however long the stream', () => {
  const program = matching(
    [
      { ...loop, name: 'even', where: [even], inner: 'relaxed' },
      { ...once, name: 'never', contiguity: 'relaxed', where: [() => false] },
    ],
    { withinMillis: 20 },
  );
  const driven = new Driven(program, { lateUnread: true });
  let most = 0;
  let bytes = 0;
  for (let n = 1; n <= 6_000; n++) {
    driven.step({ records: [[ofOne({ k: `k${n % 2}`, n }), n]] });
    if (n % 3 === 0) driven.step({ watermark: n - 1 });
    most = Math.max(most, driven.entries);
    if (n % 2_000 === 0) bytes = Math.max(bytes, driven.stateBytes);
  }
  // Ten even elements are in the window. A loop leads from each to each later one. Three elements
  // wait.
  assert.ok(most <= 60, `${most} entries`);
  assert.ok(bytes < 6_000, `${bytes} bytes`);
  driven.step({ watermark: 6_020 });
  assert.equal(driven.entries, 0);
});

test('a snapshot holds only the key groups that changed, and a key that is done leaves its group', () => {
  const program = matching([
    { ...once, name: 'even', where: [even] },
    { ...once, name: 'odd', where: [odd] },
  ]);
  const driven = new Driven(program);
  driven.step({ records: ['ann', 'bob', 'cid'].map((k, at) => [ofOne({ k, n: 2 }), at + 1] as const) });
  driven.step({ watermark: 5 });
  driven.snapshot();
  assert.equal(driven.groupsKept.length, 3);
  driven.step({ records: [[ofOne({ k: 'bob', n: 3 }), 6]] });
  assert.equal(driven.step({ watermark: 6 }).rows.length, 1);
  driven.snapshot();
  assert.equal(driven.groupsKept.length, 2);
  driven.replace();
  assert.equal(driven.entries, 2);
  driven.step({ records: [[ofOne({ k: 'ann', n: 5 }), 7]] });
  assert.deepEqual(driven.step({ watermark: 7 }).rows, [
    [{ even: [ofOne({ k: 'ann', n: 2 })], odd: [ofOne({ k: 'ann', n: 5 })] }, 7],
  ]);
});

test('a match of twenty thousand elements goes through a snapshot', () => {
  const driven = new Driven(
    matching([
      { ...once, name: 'first', where: [({ n }: Event) => n === 0] },
      { ...loop, name: 'even', inner: 'strict', where: [even] },
      { ...once, name: 'odd', where: [odd] },
    ]),
  );
  const length = 20_000;
  driven.step({ records: Array.from({ length }, (_, n) => [ofOne({ n: 2 * n }), n + 1] as const) });
  driven.step({ watermark: length });
  driven.replace();
  driven.step({ records: [[ofOne({ n: 1 }), length + 1]] });
  const [row] = driven.step({ watermark: length + 1 }).rows;
  assert.equal((row![0] as { even: Event[] }).even.length, length - 1);
});

test('another predicate goes on with the matches that are under way', () => {
  const over = (limit: number) => (input: Stream<Event>) =>
    input
      .keyBy('k')
      .pattern(
        pattern<Event>('first')
          .followedBy('second')
          .where(({ n }) => n > limit),
      )
      .select(({ first, second }) => [first![0]!.n, second![0]!.n]);
  const before = harness(over(10));
  before.element(ofOne({ n: 1 }), 1);
  before.element(ofOne({ n: 2 }), 2);
  before.watermark(1);
  const after = harness(over(1), { restore: before.snapshot() });
  after.watermark(2);
  assert.deepEqual(after.output(), [{ element: [1, 2], timestamp: 2 }]);
  before.close();
  after.close();
});

test('the error of a predicate that throws names key, record and time', () => {
  const program = matching([
    {
      ...once,
      name: 'even',
      where: [
        ({ n }: Event) => {
          if (n === 3) throw new Error('no');
          return true;
        },
      ],
    },
  ]);
  const driven = new Driven(program);
  driven.step({
    records: [
      [ofOne({ n: 2 }), 1_000],
      [ofOne({ n: 3 }), 2_000],
    ],
  });
  assert.throws(() => driven.step({ watermark: 5_000 }), /^Error: no$/);
  assert.equal(driven.operator.working, 'k "ann", {"k":"ann","n":3} at 1970-01-01T00:00:02.000Z');
});

test('an element that cannot be kept is refused as it comes', () => {
  class Visit {}
  const driven = new Driven(matching([{ ...once, name: 'any' }]));
  assert.throws(() => driven.step({ records: [[{ k: 'ann', visit: new Visit() }, 1]] }), {
    code: 'not-storable',
    message: /An element of "it", at visit, is an object of class Visit/,
  });
  assert.equal(driven.operator.at, 0);
});

test('what a predicate sees cannot be changed', () => {
  const program = matching([
    { ...loop, name: 'all', where: [(_: Event, { all }: { all: Event[] }) => all.push(ofOne({})) > 0] },
  ]);
  const driven = new Driven(program);
  driven.step({ records: [[ofOne({}), 1]] });
  assert.throws(() => driven.step({ watermark: 1 }), TypeError);
});

// -------------------------------------------------------------------------------------- the queues

test('a queue gives those that began first, and keeps its order through add, poll and keep', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9)), fc.nat(9), (seqs, limit) => {
      const queue = new StartQueue<{ startSeq: number }>();
      for (const startSeq of seqs) queue.add({ startSeq });
      queue.keep(({ startSeq }) => startSeq >= limit);
      const given = Array.from({ length: queue.size }, () => queue.poll()!.startSeq);
      assert.deepEqual(
        given,
        seqs.filter((seq) => seq >= limit).sort((a, b) => a - b),
      );
      assert.equal(queue.poll(), undefined);
    }),
  );
});

test('a key with partial matches is woken when the first of its times is due, and a key without any never', () => {
  interface Named extends Sleeper {
    readonly name: number;
  }
  const moves = fc.array(
    fc.record({
      move: fc.constantFrom('element', 'timeout', 'forget', 'take'),
      name: fc.nat(5),
      time: fc.integer({ min: 1, max: 30 }),
    }),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(moves, (all) => {
      const wakeUps = new WakeUps<Named>();
      const sleepers = Array.from({ length: 6 }, (_, name): Named => ({
        name,
        elementAt: Infinity,
        timeoutAt: Infinity,
      }));
      for (const { move, name, time } of all) {
        const sleeper = sleepers[name]!;
        if (move === 'element') wakeUps.forElement(sleeper, time);
        else if (move === 'timeout') wakeUps.forTimeout(sleeper, time);
        else if (move === 'forget') {
          wakeUps.forget(sleeper);
          assert.deepEqual([sleeper.elementAt, sleeper.timeoutAt], [Infinity, Infinity]);
        } else {
          const first = Math.min(...sleepers.map(({ elementAt, timeoutAt }) => Math.min(elementAt, timeoutAt)));
          const before = new Map(sleepers.map((one) => [one, Math.min(one.elementAt, one.timeoutAt)]));
          const taken = wakeUps.take(time);
          assert.equal(taken && before.get(taken), first <= time ? first : undefined);
        }
      }
    }),
  );
});
