// Scripts of streaming iteration: the feedback elements, the number of rounds, and the end.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { count, Environment, type Stream, tumbling } from '../../index.ts';
import { runScript as runInOrder } from '../../testing/index.ts';

/** Elements that go round more often are overtaken. */
const runScript = <R>(build: (amounts: Stream<Amount>) => Stream<R>, script: string): void =>
  runInOrder(build, script, { overtaking: true });

interface Amount {
  readonly id: string;
  readonly amount: number;
}
const halve =
  (options?: { maxRounds?: number }) =>
  (amounts: Stream<Amount>): Stream<Amount> =>
    amounts.iterate((loop) => {
      const next = loop.map((a) => ({ ...a, amount: a.amount / 2 }));
      return { feedback: next.filter(({ amount }) => amount >= 1), output: next.filter(({ amount }) => amount < 1) };
    }, options);

const halved = `
    >: id amount
    <: time id amount
    > 00:01 a 4
    < 00:01 a 0.5
    | 00:01                   elements of different rounds overtake each other
    > 00:02 b 1
    < 00:02 b 0.5
    | 00:05                   time goes by, whatever is on its way back
    > 00:03 c 40
    < 00:03 c 0.625
    | end
    `;

test('elements go round until the body lets them out', () => {
  runScript(halve(), halved);
});

test('with a limit that is not reached nothing changes', () => {
  runScript(halve({ maxRounds: 64 }), halved);
});

test('after the last round what would go round again is dropped', () => {
  runScript(
    halve({ maxRounds: 3 }),
    `
    >: id amount
    <: time id amount
    > 00:01 a 4
    < 00:01 a 0.5
    > 00:02 b 100
    > 00:03 c 1
    < 00:03 c 0.5
    | end
    `,
  );
});

test('an operator with state in the body counts the rounds', () => {
  runScript(
    (amounts: Stream<Amount>) =>
      amounts.iterate(
        (loop) => {
          const counted = loop.keyBy('id').process({
            *onElement({ id, amount }) {
              yield { id, amount: amount + 1 };
            },
          });
          return { feedback: counted, output: counted };
        },
        { maxRounds: 4 },
      ),
    `
    >: id amount
    <: time id amount
    > 00:01 a 0
    < 00:01 a 1
    < 00:01 a 2
    < 00:01 a 3
    < 00:01 a 4
    > 00:02 b 10
    < 00:02 b 11
    < 00:02 b 12
    < 00:02 b 13
    < 00:02 b 14
    | end
    `,
  );
});

test('with a limit time moves on when all rounds are over', () => {
  runScript(
    (amounts: Stream<Amount>) =>
      halve({ maxRounds: 64 })(amounts).keyBy('id').window(tumbling('10s')).aggregate({ n: count() }),
    `
    >: id amount
    <: id window n
    > 00:01 a 4
    > 00:02 a 400
    | 00:10
    < a [00:00, 00:10) 2
    | end
    `,
  );
});

for (const maxRounds of [undefined, 100])
  test(`what comes back in masses is not lost (${maxRounds ?? 'no'} limit)`, async () => {
    const environment = new Environment();
    let rows = 0;
    const stream = environment
      .generate({ limit: 400 }, ({ n }) => ({ n, left: 9 }))
      .iterate(
        (loop) => {
          const split = loop.flatMap(({ n, left }) => [
            { n, left: left - 1 },
            { n, left: left - 1 },
          ]);
          return { feedback: split.filter(({ left }) => left > 0), output: split.filter(({ left }) => left === 0) };
        },
        maxRounds === undefined ? {} : { maxRounds },
      );
    for await (const row of stream) {
      assert.equal(row.left, 0);
      rows++;
    }
    assert.equal(rows, 400 * 2 ** 9);
  });

test('a body that does not come from the loop is refused', () => {
  const environment = new Environment();
  const numbers = environment.from([1, 2, 3]);
  const others = environment.from([4]);
  const refused = { code: 'bad-iterate' };
  assert.throws(() => numbers.iterate((loop) => ({ feedback: others, output: loop })), refused);
  assert.throws(() => numbers.iterate(() => ({}) as never), refused);
  assert.throws(() => numbers.iterate(5 as never), refused);
  assert.throws(() => numbers.iterate((loop) => ({ feedback: loop, output: loop }), { maxRounds: 0 }), {
    code: 'bad-option',
  });
});
