// Scripts of all parts of patterns: contiguity, quantifiers, forbidden elements, timeouts and skip
// strategies.
import { test } from 'vitest';
import { pattern, type Pattern, type Stream } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

/** The name of an `id` is its capital letter: A1 is an `a`. */
interface Event {
  readonly id: string;
}
type Match = Record<string, Event[]>;
const is =
  (kind: string) =>
  ({ id }: Event): boolean =>
    id.toLowerCase().startsWith(kind);
/** "a: A1; b: B1 B2" */
const written = (match: Match): string =>
  Object.entries(match)
    .map(([stage, events]) => `${stage}: ${events.map(({ id }) => id).join(' ')}`)
    .join('; ');
const everything = (): string => 'all';
const matches = (said: Pattern<Event>) => (events: Stream<Event>) =>
  events
    .keyBy(everything)
    .pattern(said)
    .select((match) => ({ match: written(match) }));
const timedOut = (said: Pattern<Event>) => (events: Stream<Event>) =>
  matches(said)(events).timedOut.map((match) => ({ match: written(match) }));
const a = pattern<Event>('a').where(is('a'));

// -------------------------------------------------------------------------------------- contiguity

test('next is the very next element', () => {
  runScript(
    matches(a.next('b').where(is('b'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 X1
    > 00:03 B1                 X1 came between
    > 00:04 A2
    > 00:05 B2
    | 00:05
    < 00:05 "a: A2; b: B2"
    | end
    `,
  );
});

test('followedBy passes over what does not match, and takes the first that does', () => {
  runScript(
    matches(a.followedBy('b').where(is('b')).within('1m')),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 X1
    > 00:03 B1
    > 00:04 B2                 A1 has its B
    | 00:10
    < 00:03 "a: A1; b: B1"
    = 0
    `,
  );
});

test('followedByAny takes each that matches', () => {
  runScript(
    matches(a.followedByAny('b').where(is('b')).within('1m')),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 X1
    > 00:03 B1
    > 00:04 B2
    | 00:10
    < 00:03 "a: A1; b: B1"
    < 00:04 "a: A1; b: B2"
    = 1                        A1 still waits for another
    | 01:01
    = 0
    `,
  );
});

test('notNext forbids the very next element only', () => {
  runScript(
    matches(a.notNext('no x').where(is('x')).followedBy('b').where(is('b'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 X1
    > 00:03 B1                 X1 came right behind A1
    > 00:04 A2
    > 00:05 Y1
    > 00:06 X2
    > 00:07 B2
    | end
    < 00:07 "a: A2; b: B2"
    `,
  );
});

test('notFollowedBy forbids an element anywhere between', () => {
  runScript(
    matches(a.notFollowedBy('no x').where(is('x')).followedBy('b').where(is('b'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 Y1
    > 00:03 X1
    > 00:04 B1
    > 00:05 A2
    > 00:06 Y2
    > 00:07 B2
    > 00:08 X2                 too late to forbid anything
    | end
    < 00:07 "a: A2; b: B2"
    `,
  );
});

test('notFollowedBy at the end matches when the window is over', () => {
  runScript(
    matches(a.notFollowedBy('no b').where(is('b')).within('10s')),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 B1                 forbidden
    > 00:11 A2
    | 00:20
    | 00:20.999                a millisecond to go
    | 00:22
    < 00:22 "a: A2"            at the watermark that brought the time
    > 00:30 A3
    > 00:41 X1
    | 00:41
    < 00:41 "a: A3"            at the element that did
    = 0
    `,
  );
});

// ------------------------------------------------------------------------------------- quantifiers

test('oneOrMore gives every length of its loop', () => {
  runScript(
    matches(a.oneOrMore().next('b').where(is('b'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 A2
    > 00:03 B1
    | end
    < 00:03 "a: A1 A2; b: B1"
    < 00:03 "a: A2; b: B1"
    `,
  );
});

test('a loop is relaxed, unless it is consecutive', () => {
  const loop = pattern<Event>('b').where(is('b')).times(2);
  const script = (rows: string): string => `
    >: id
    <: time match
    > 00:01 B1
    > 00:02 X1
    > 00:03 B2
    > 00:04 B3
    | end
    ${rows}
    `;
  runScript(matches(loop), script('< 00:03 "b: B1 B2"\n    < 00:04 "b: B2 B3"'));
  runScript(matches(loop.consecutive()), script('< 00:04 "b: B2 B3"'));
  runScript(
    matches(loop.allowCombinations()),
    script('< 00:03 "b: B1 B2"\n    < 00:04 "b: B1 B3"\n    < 00:04 "b: B2 B3"'),
  );
});

test('times of a range stops at its end', () => {
  runScript(
    matches(a.times(1, 2).next('b').where(is('b'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 A2
    > 00:03 A3
    > 00:04 B1
    | end
    < 00:04 "a: A2 A3; b: B1"
    < 00:04 "a: A3; b: B1"
    `,
  );
});

test('timesOrMore asks for so many at least', () => {
  runScript(
    matches(a.timesOrMore(2).followedBy('b').where(is('b'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 A2
    > 00:03 B1
    | 00:03
    < 00:03 "a: A1 A2; b: B1"
    | end
    `,
  );
});

test('an optional stage may be missing', () => {
  runScript(
    matches(a.next('b').where(is('b')).optional().next('c').where(is('c'))),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 C1
    > 00:03 A2
    > 00:04 B2
    > 00:05 C2
    | end
    < 00:02 "a: A1; c: C1"
    < 00:05 "a: A2; b: B2; c: C2"
    `,
  );
});

test('a greedy loop leaves nothing to the stage behind it that it would take itself', () => {
  const loop = a.oneOrMore();
  const behind = (said: Pattern<Event>): Pattern<Event> => said.next('any');
  const script = (rows: string): string => `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 A2
    > 00:03 B1
    | end
    ${rows}
    `;
  runScript(
    matches(behind(loop)),
    script('< 00:02 "a: A1; any: A2"\n    < 00:03 "a: A1 A2; any: B1"\n    < 00:03 "a: A2; any: B1"'),
  );
  runScript(matches(behind(loop.greedy())), script('< 00:03 "a: A1 A2; any: B1"\n    < 00:03 "a: A2; any: B1"'));
});

test('until ends a loop, and so its state', () => {
  runScript(
    matches(a.oneOrMore().until(is('z')).followedBy('b').where(is('b')).within('1h')),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 Z1
    > 00:03 A2                 begins anew: the loop of A1 has ended
    > 00:04 B1
    | 00:04
    < 00:04 "a: A1; b: B1"
    < 00:04 "a: A2; b: B1"
    | end
    `,
  );
});

test('a predicate sees what has been matched so far', () => {
  interface Reading {
    readonly sensor: string;
    readonly value: number;
  }
  runScript(
    (readings: Stream<Reading>) =>
      readings
        .keyBy('sensor')
        .pattern(
          pattern<Reading>('rising')
            .where(({ value }, { rising }) => value > (rising!.at(-1)?.value ?? -Infinity))
            .timesOrMore(3)
            .consecutive()
            .next('drop')
            .where(({ value }, { rising }) => value < rising![0]!.value)
            .skip('past-last-event'),
        )
        .select(({ rising, drop }) => ({ sensor: rising![0]!.sensor, n: rising!.length, to: drop![0]!.value })),
    `
    >: sensor value
    <: time sensor n to
    > 00:01 s 2
    > 00:01 t 9
    > 00:02 s 4
    > 00:03 s 5
    > 00:03 t 1
    > 00:04 s 7
    > 00:05 s 1
    | 01:00
    < 00:05 s 4 1
    | end
    `,
  );
});

test('several where() must all hold', () => {
  runScript(
    matches(a.where(({ id }) => id.endsWith('1')).where(({ id }) => id.length === 2)),
    `
    >: id
    <: time match
    > 00:01 A2
    > 00:02 A11
    > 00:03 A1
    | end
    < 00:03 "a: A1"
    `,
  );
});

// -------------------------------------------------------------------------------------------- time

test('within is exclusive: what comes exactly at its end no longer matches, and the partial match times out', () => {
  const said = a.followedBy('b').where(is('b')).within('10s');
  const script = (rows: { readonly at11: string; readonly over: string }): string => `
    >: id
    <: time match
    > 00:01 A1
    > 00:11 B1
    | 00:11
    ${rows.over}
    > 00:21 A2
    > 00:30.999 B2
    | 00:31
    ${rows.at11}
    = 0
    `;
  runScript(matches(said), script({ at11: '< 00:30.999 "a: A2; b: B2"', over: '' }));
  runScript(timedOut(said), script({ at11: '', over: '< 00:11 "a: A1"' }));
});

test('a partial match that times out is emitted with its elements when the watermark passes its end', () => {
  runScript(
    timedOut(a.oneOrMore().followedBy('b').where(is('b')).within('10s')),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:03 A2
    | 00:10.999
    | 00:11
    < 00:11 "a: A1 A2"
    < 00:11 "a: A1"
    = 1
    | end
    < 00:13 "a: A2"
    `,
  );
});

test('elements are matched in the order of their time, and those of one time in the order of arrival', () => {
  runScript(
    matches(a.next('b').where(is('b')).next('c').where(is('c'))),
    `
    >: id
    <: time match
    > 00:03 C1
    > 00:02 B1
    > 00:01 A1
    | 00:03
    < 00:03 "a: A1; b: B1; c: C1"
    > 00:05 A2
    > 00:05 B2
    > 00:05 C2
    | 00:05
    < 00:05 "a: A2; b: B2; c: C2"
    | end
    `,
  );
});

test('an element at the watermark or before it is late', () => {
  runScript(
    matches(a),
    `
    >: id
    <: time match
    > 00:05 A1
    | 00:05
    < 00:05 "a: A1"
    > 00:05 A2
    ! 00:05 A2
    > 00:04 A3
    ! 00:04 A3
    > 00:05.001 A4
    | end
    < 00:05.001 "a: A4"
    `,
  );
});

test('keys know nothing of each other', () => {
  interface Login {
    readonly user: string;
    readonly ok: boolean;
  }
  runScript(
    (logins: Stream<Login>) =>
      logins
        .keyBy('user')
        .pattern(
          pattern<Login>('failed')
            .where(({ ok }) => !ok)
            .times(2)
            .consecutive()
            .within('1m'),
        )
        .select(({ failed }) => ({ user: failed![0]!.user, times: failed!.length })),
    `
    >: user ok
    <: time user times
    > 00:01 ann false
    > 00:02 bob true
    > 00:03 bob false
    > 00:04 ann false
    | 00:10
    < 00:04 ann 2
    = 2                        a failure of each begins anew
    | 02:00
    = 0
    `,
  );
});

test('without within a partial match waits until the end of the input', () => {
  runScript(
    matches(a.followedBy('b').where(is('b'))),
    `
    >: id
    > 00:01 A1
    | 99:00:00
    = 1
    | end
    = 0
    `,
  );
});

test('what the end of the input completes has the time at which its window ends', () => {
  runScript(
    matches(a.notFollowedBy('no b').where(is('b')).within('10s')),
    `
    >: id
    <: time match
    > 00:01 A1
    > 00:02 A2
    | end
    < 00:11 "a: A1"
    < 00:12 "a: A2"
    `,
  );
});

// --------------------------------------------------------------------------------- skip strategies

/** As in Flink's documentation: b+ c on b1 b2 b3 c. */
const example = pattern<Event>('b').where(is('b')).oneOrMore().consecutive().next('c').where(is('c'));
const skipping = (rows: readonly string[]): string => `
    >: id
    <: match
    > 00:01 B1
    > 00:02 B2
    > 00:03 B3
    > 00:04 C1
    | 00:04
    ${rows.map((row) => `< "${row}"`).join('\n    ')}
    | end
    `;

test('no-skip gives every match', () => {
  const rows = ['b: B1 B2 B3; c: C1', 'b: B2 B3; c: C1', 'b: B3; c: C1'];
  runScript(matches(example), skipping(rows));
  runScript(matches(example.skip('no-skip')), skipping(rows));
});

test('to-next discards the matches that begin with the same element', () => {
  runScript(matches(example.skip('to-next')), skipping(['b: B1 B2 B3; c: C1', 'b: B2 B3; c: C1', 'b: B3; c: C1']));
  runScript(
    matches(pattern<Event>('any').oneOrMore().skip('to-next')),
    skipping(['any: B1', 'any: B2', 'any: B3', 'any: C1']),
  );
});

test('past-last-event discards everything that began before the match ended', () => {
  runScript(matches(example.skip('past-last-event')), skipping(['b: B1 B2 B3; c: C1']));
});

test('toFirst and toLast discard what began before the first, the last element of a stage', () => {
  const rows = ['b: B1 B2 B3; c: C1', 'b: B2 B3; c: C1', 'b: B3; c: C1'];
  runScript(matches(example.skip({ toFirst: 'b' })), skipping(rows));
  runScript(matches(example.skip({ toLast: 'b' })), skipping([rows[0]!, rows[2]!]));
  runScript(matches(example.skip({ toFirst: 'c' })), skipping([rows[0]!]));
});

test('under a skip strategy a match waits until nothing is under way that began before it', () => {
  const loop = pattern<Event>('b').where(is('b')).oneOrMore().next('c').where(is('c'));
  runScript(
    matches(loop.skip({ toFirst: 'b' })),
    `
    >: id
    <: time match
    > 00:01 B1
    > 00:02 B2
    > 00:03 C1
    | 00:04
    < 00:03 "b: B1 B2; c: C1"   B1 waits for another B
    > 00:05 B3
    > 00:06 C2
    | 00:06
    < 00:06 "b: B1 B2 B3; c: C2"
    | end
    `,
  );
  runScript(
    matches(loop.within('10s').skip({ toFirst: 'b' })),
    `
    >: id
    <: time match
    > 00:01 B1
    > 00:02 B2
    > 00:03 C1
    | 00:04
    < 00:03 "b: B1 B2; c: C1"
    = 3                         those of B1 and B2 that wait for another B, and the match of B2
    | 00:11.500
    < 00:11.500 "b: B2; c: C1"
    | end
    `,
  );
});
