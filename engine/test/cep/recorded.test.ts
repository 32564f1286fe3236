// Random patterns with results recorded from Flink 1.20.0 (recorder/FlinkPatterns.java).
// Matches, their order, their timestamps, timeouts and late elements are the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { SluiceError } from '../../errors/error.ts';
import { pattern, type Pattern, type Stream } from '../../index.ts';
import { harness, type OneInputHarness } from '../../testing/index.ts';
import type { Case, Condition } from './recorder/random-patterns.ts';

interface Event {
  readonly key: string;
  readonly name: string;
  readonly value: number;
  readonly id: number;
}
type Ids = Record<string, number[]>;
interface Given {
  readonly out: [timestamp: number | 'max', ids: Ids][];
  readonly timedOut: [timestamp: number, ids: Ids][];
  readonly late: [timestamp: number, id: number][];
}
type Recorded = Case & { readonly expected: Given | { readonly refused: string } };

const recorded = readFileSync(new URL('./recorded.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Recorded);

function holds(condition: Condition) {
  return ({ name, value }: Event, matched: Record<string, Event[]>): boolean => {
    if (condition.in !== undefined && !condition.in.includes(name)) return false;
    if (condition.ge !== undefined && value < condition.ge) return false;
    if (condition.above !== undefined && matched[condition.above]!.some((other) => other.value >= value)) return false;
    if (condition.sumBelow === undefined) return true;
    return matched[condition.of!]!.reduce((sum, other) => sum + other.value, value) < condition.sumBelow;
  };
}

type Verbs = Record<string, (...rest: unknown[]) => Pattern<Event>>;
function patternOf({ stages, within, skip }: Case['pattern']): Pattern<Event> {
  let said = pattern<Event>(stages[0]!.name);
  const say = (verb: string, ...rest: unknown[]): void => void (said = (said as unknown as Verbs)[verb]!(...rest));
  for (const { name, how, where, verbs } of stages) {
    if (how !== 'begin') say(how, name);
    for (const condition of where) say('where', holds(condition));
    for (const [verb, ...rest] of verbs)
      say(verb, ...rest.map((value) => (typeof value === 'number' ? value : holds(value))));
  }
  if (within !== undefined) say('within', `${within}ms`);
  if (skip !== undefined) say('skip', skip);
  return said;
}

const idsOf = (match: Record<string, Event[]>): Ids =>
  Object.fromEntries(Object.entries(match).map(([stage, events]) => [stage, events.map(({ id }) => id)]));

/** `restored`: before every third op the operator is replaced by one restored from its snapshot. */
function run(one: Recorded, restored: boolean): Given {
  const given: Given = { out: [], timedOut: [], late: [] };
  const said = patternOf(one.pattern);
  const matches = (events: Stream<Event>) => events.keyBy('key').pattern(said).select(idsOf);
  const timedOut = (events: Stream<Event>) => matches(events).timedOut;
  const fresh = (restore: readonly Uint8Array[]) =>
    [
      harness(matches, restore[0] ? { restore: restore[0] } : {}),
      harness(timedOut, restore[1] ? { restore: restore[1] } : {}),
    ] as const;
  let both = fresh([]);
  for (const [at, op] of one.ops.entries()) {
    if (restored && at % 3 === 2) both = fresh(both.map((driven) => driven.snapshot()));
    for (const driven of both as readonly OneInputHarness<Event, unknown>[])
      if (op[0] === 'w') driven.watermark(op[1] === 'max' ? Infinity : op[1]);
      else driven.element({ key: op[1], name: op[2], value: op[3], id: op[5] }, op[4]);
    for (const item of both[0].output()) if ('element' in item) given.out.push([item.timestamp, item.element]);
    for (const item of both[1].output())
      if ('element' in item) given.timedOut.push([item.timestamp, idsOf(item.element)]);
    for (const { element, timestamp } of both[0].late()) given.late.push([timestamp, (element as Event).id]);
  }
  if (one.ops.at(-1)![1] === 'max') assert.equal(both[0].entries(), 0, 'after the end nothing is kept');
  for (const driven of both) driven.close();
  return given;
}

/**
 * Keys may come in any order within a watermark. The result has the output of each key in its
 * order.
 */
function byKey(one: Recorded, { out, timedOut, late }: Given): unknown {
  const keyOf = new Map(one.ops.flatMap((op) => (op[0] === 'e' ? [[op[5], op[1]] as const] : [])));
  const keyOfMatch = (ids: Ids): string => keyOf.get(Object.values(ids)[0]![0]!)!;
  return {
    out: Object.groupBy(out, ([, ids]) => keyOfMatch(ids)),
    timedOut: Object.groupBy(timedOut, ([, ids]) => keyOfMatch(ids)),
    late,
  };
}

recorded.forEach((one, at) => {
  const { stages } = one.pattern;
  test(`recorded ${at + 1}: ${stages.map(({ how, verbs }) => [how, ...verbs.map(([verb]) => verb)].join(' ')).join(', ')}`, () => {
    const { expected } = one;
    if ('refused' in expected) {
      assert.throws(() => run(one, false), SluiceError, expected.refused);
      return;
    }
    for (const restored of [false, true]) {
      const given = run(one, restored);
      // A match that the end of the input completes has Flink's greatest timestamp there. Here it
      // has the end of its window.
      expected.out.forEach(([timestamp], place) => {
        if (timestamp === 'max' && given.out[place]) given.out[place][0] = 'max';
      });
      assert.deepEqual(byKey(one, given), byKey(one, expected));
    }
  });
});
