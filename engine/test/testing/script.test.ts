// The script kit itself: the example of its documentation, the text of a failure, and scripts that
// must fail.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { count, sum, tumbling, type Stream } from '../../index.ts';
import { runScript } from '../../testing/index.ts';
import { parseScript, parseTime, textOf, timeText, valueOf } from '../../testing/script-lines.ts';

interface Payment {
  readonly who: string;
  readonly amount: number;
}
const totals = (payments: Stream<Payment>) =>
  payments
    .keyBy('who')
    .window(tumbling('1m'))
    .aggregate({ total: sum('amount') });

const example = `
  >: who amount
  <: who window total
  > 00:10 ann 5
  > 00:50 ann 7
  | 01:00
  < ann [00:00, 01:00) 12
  > 00:59 ann 3
  ! 00:59 ann 3            the window is closed and allowed lateness is 0
`;

test('the example of the documentation holds', () => {
  runScript(totals, example);
});

const failing = (build: () => void): string => {
  try {
    build();
  } catch (error) {
    assert.ok(error instanceof assert.AssertionError, String(error));
    return error.message;
  }
  assert.fail('the script holds');
};

test('a failure shows script and result side by side', () => {
  const message = failing(() => runScript(totals, example.replace(') 12', ') 13')));
  assert.equal(
    message,
    `The script does not hold (schedule: line by line).

  script                                                                      actual result
  > 00:10 ann 5
  > 00:50 ann 7
  | 01:00
  < ann [00:00, 01:00) 13                                                  ≠  < ann [00:00, 01:00) 12
  > 00:59 ann 3
  ! 00:59 ann 3            the window is closed and allowed lateness is 0     ! 00:59 ann 3
  = 0   nothing is left at the end                                            = 0
`,
  );
});

for (const [what, script] of [
  ['a row that does not come', example.replace('> 00:59', '< bob [00:00, 01:00) 1\n> 00:59')],
  ['a row that nobody expects', example.replace('< ann [00:00, 01:00) 12', '')],
  ['a late element that nobody expects', example.replace(/! .*/, '')],
  ['another late element', example.replace('! 00:59 ann 3', '! 00:59 ann 4')],
  [
    'an element that is not late',
    example.replace('! 00:59 ann 3', '! 00:59 ann 3\n > 02:00 bob 1\n ! 02:00 bob 1\n | end'),
  ],
  ['a window that is left open', `${example}\n> 02:00 bob 1`],
  ['a row at the wrong line', '> 00:10 who=ann amount=5\n< who=ann [00:00, 01:00) total=5\n| end'],
] as const)
  test(`${what} fails`, () => {
    assert.match(
      failing(() => runScript(totals, script)),
      /≠/,
    );
  });

test('order counts among the rows of one element, not among those of one watermark', () => {
  const twice = (input: Stream<string>) => input.flatMap((word) => [`${word}1`, `${word}2`]);
  runScript(twice, '> 00:00 a\n< a1\n< a2');
  assert.match(
    failing(() => runScript(twice, '> 00:00 a\n< a2\n< a1')),
    /≠/,
  );
  const script = (rows: string) => `> 00:01 who=ann amount=1\n> 00:02 who=bob amount=2\n| 01:00\n${rows}`;
  const [ann, bob] = ['< who=ann [00:00, 01:00) total=1', '< who=bob [00:00, 01:00) total=2'];
  runScript(totals, script(`${ann}\n${bob}`));
  runScript(totals, script(`${bob}\n${ann}`));
});

test('an operator that keeps something outside its state is found by a restore', () => {
  const build = (input: Stream<number>) => {
    let seen = 0;
    return input.map(() => ++seen);
  };
  assert.match(
    failing(() => runScript(build, '> 00:00 5\n< 1\n> 00:01 5\n< 2')),
    /restored into a new instance at every line/,
  );
});

test('two functions may convert lines to elements and rows to lines', () => {
  runScript<{ word: string; length: number }, { word: string; n: number }>(
    (words) => words.keyBy('word').window(tumbling('1m')).aggregate({ n: count() }) as never,
    `
    > 00:01 streams
    | end
    < streams ×1
    `,
    { element: ([word]) => ({ word: word!, length: word!.length }), row: ({ word, n }) => [word, `×${n}`] },
  );
});

test('an error about a line has the number of the line', () => {
  for (const [script, message] of [
    ['', /no input line/],
    ['hello', /Script line 1, "hello": begin with/],
    ['> 00:01 1\n> soon 2', /Script line 2.*"soon" is not a time/],
    ['< 5', /there is no input line above it/],
    ['~ asleep', /idle or active/],
    ['> 00:01 1\n= many', /number of kept entries/],
    ['>: a b\n> 00:01 1', /1 values for the columns a, b/],
    ['>R 00:01 1', /has one input/],
  ] as const)
    assert.throws(() => runScript((input: Stream<unknown>) => input.map((x) => x), script), {
      code: 'bad-script',
      message,
    });
});

test('times and values are written as they are read', () => {
  for (const [text, millis] of [
    ['00:10', 10_000],
    ['00:59.999', 59_999],
    ['-00:05', -5000],
    ['2:00:00', 7_200_000],
    ['2024-01-01T00:00:00.000Z', Date.UTC(2024, 0, 1)],
  ] as const) {
    assert.equal(parseTime(text), millis);
    assert.equal(timeText(millis), text);
  }
  for (const value of [
    'ann',
    'two words',
    '5',
    '',
    'true',
    5,
    -1.5,
    12n,
    true,
    null,
    undefined,
    '-',
    'a"b',
    { a: 1 },
    [1],
  ])
    assert.deepEqual(valueOf(textOf(value)), value);
  assert.equal(parseScript('> 00:01 a b   c').steps[0]?.action.kind, 'element');
});
