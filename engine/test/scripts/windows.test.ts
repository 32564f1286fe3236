// Scripts of event-time windows: tumbling, sliding, offsets, allowed lateness, late elements,
// windows over all keys, reduce and apply.
import { test } from 'vitest';
import { count, max, sliding, type Stream, sum, tumbling } from '../../index.ts';
import { runScript } from '../../testing/index.ts';

interface Payment {
  readonly who: string;
  readonly amount: number;
}

test('a tumbling window gives its sum when time has come to its end, once for each key', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1m'))
        .aggregate({ total: sum('amount'), n: count() }),
    `
    >: who amount
    <: time who window total n
    > 00:10 ann 5
    > 00:59.999 ann 7         the last millisecond belongs to the window
    > 01:00 ann 100           the end does not
    > 00:30 bob 1
    | 00:59.998
    | 00:59.999
    < 00:59.999 ann [00:00, 01:00) 12 2
    < 00:59.999 bob [00:00, 01:00) 1 1
    > 00:59 ann 3
    ! 00:59 ann 3             the window is closed and allowed lateness is 0
    > 03:00 bob 2
    | 02:30
    < 01:59.999 ann [01:00, 02:00) 100 1
    | end
    < 03:59.999 bob [03:00, 04:00) 2 1
    `,
  );
});

test('time before 1970 has windows too', () => {
  runScript(
    (payments: Stream<Payment>) => payments.keyBy('who').window(tumbling('1m')).aggregate({ n: count() }),
    `
    >: who amount
    <: who window n
    > -00:00.001 ann 1
    > -01:00 ann 1            the start belongs to the window
    > -01:00.001 ann 1
    | 00:00
    < ann [-02:00, -01:00) 1
    < ann [-01:00, 00:00) 2
    `,
  );
});

test('an offset moves where windows begin', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1h', { offset: '15m' }))
        .aggregate({ n: count() }),
    `
    >: who amount
    <: who window n
    > 14:59.999 ann 1
    > 15:00 ann 1
    > 1:14:59.999 ann 1
    > 1:15:00 ann 1
    | end
    < ann [-45:00, 15:00) 1
    < ann [15:00, 1:15:00) 2
    < ann [1:15:00, 2:15:00) 1
    `,
  );
});

test('a negative offset is the zone east of Greenwich', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1d', { offset: '-8h' }))
        .aggregate({ n: count() }),
    `
    >: who amount
    <: who window n
    > 15:59:59.999 ann 1
    > 16:00:00 ann 1          midnight in Shanghai
    | end
    < ann [-8:00:00, 16:00:00) 1
    < ann [16:00:00, 40:00:00) 1
    `,
  );
});

test('an element belongs to every sliding window that covers it', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(sliding('1m', '20s'))
        .aggregate({ total: sum('amount') }),
    `
    >: who amount
    <: who window total
    > 00:10 ann 1
    > 00:30 ann 2
    | 00:19.999
    < ann [-00:40, 00:20) 1
    > 00:15 ann 4             one of its windows is closed, two are not: it is not late
    | 00:40
    < ann [-00:20, 00:40) 7
    | 01:00
    < ann [00:00, 01:00) 7
    > 00:15 ann 8
    ! 00:15 ann 8             all three are closed
    > 00:55 ann 16            of its three windows one is closed
    | end
    < ann [00:20, 01:20) 18
    < ann [00:40, 01:40) 16
    `,
  );
});

test('between sliding windows that do not touch an element belongs to none, and is not late', () => {
  runScript(
    (payments: Stream<Payment>) => payments.keyBy('who').window(sliding('10s', '1m')).aggregate({ n: count() }),
    `
    >: who amount
    <: who window n
    > 00:05 ann 1
    > 00:30 ann 1             in the gap
    | 02:00
    < ann [00:00, 00:10) 1
    > 00:45 ann 1             in a gap of long ago
    > 00:09 ann 1
    ! 00:09 ann 1             a window of long ago
    `,
  );
});

test('within the allowed lateness an element fires its window again at once, and after it goes to late', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1m'))
        .allowedLateness('10s')
        .aggregate({ total: sum('amount') }),
    `
    >: who amount
    <: time who window total
    > 00:10 ann 5
    | 01:00
    < 00:59.999 ann [00:00, 01:00) 5
    = 1                       its sum is kept for those who come late
    > 00:20 ann 1
    < 00:59.999 ann [00:00, 01:00) 6      accumulating
    > 00:20 bob 2
    < 00:59.999 bob [00:00, 01:00) 2      his first comes late
    | 01:09.998
    > 00:30 ann 1
    < 00:59.999 ann [00:00, 01:00) 7
    | 01:09.999
    = 0                       the window is over
    > 00:30 ann 1
    ! 00:30 ann 1
    > 01:00 ann 1             another window, and in time
    | end
    < 01:59.999 ann [01:00, 02:00) 1
    `,
  );
});

test('windowAll is one window for all', () => {
  runScript(
    (payments: Stream<Payment>) => payments.windowAll(tumbling('1m')).aggregate({ n: count(), most: max('amount') }),
    `
    >: who amount
    <: window n most
    > 00:10 ann 5
    > 00:20 bob 7
    > 00:30 eve 6
    | 01:00
    < [00:00, 01:00) 3 7
    > 00:59 ann 1
    ! 00:59 ann 1
    | end
    `,
  );
});

test('a window may be reduced to one element', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1m'))
        .reduce((most, payment) => (payment.amount > most.amount ? payment : most)),
    `
    >: who amount
    <: time who amount
    > 00:10 ann 5
    > 00:20 ann 9
    > 00:30 ann 7
    > 00:30 bob 1
    | end
    < 00:59.999 ann 9
    < 00:59.999 bob 1
    `,
  );
});

test('apply sees all elements of a window in the order they came, and may give any number of rows', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1m'))
        .apply(({ who }, { windowEnd }, elements) =>
          elements.length < 2
            ? []
            : [
                { who, what: 'all', value: elements.map((one) => one.amount).join('+') },
                { who, what: 'until', value: windowEnd.getTime() },
              ],
        ),
    `
    >: who amount
    <: time who what value
    > 00:30 ann 5
    > 00:10 ann 9
    > 00:30 bob 1             one alone: nothing to say
    | end
    < 00:59.999 ann all 5+9
    < 00:59.999 ann until 60000
    `,
  );
});

test('an idle input holds its windows back until it is active again', () => {
  runScript(
    (payments: Stream<Payment>) => payments.keyBy('who').window(tumbling('1m')).aggregate({ n: count() }),
    `
    >: who amount
    <: who window n
    > 00:10 ann 1
    ~ idle                    says nothing of time
    ~ active
    > 00:20 ann 1
    | 01:00
    < ann [00:00, 01:00) 2
    `,
  );
});

test('a window behind a window counts rows at the last millisecond of the first', () => {
  runScript(
    (payments: Stream<Payment>) =>
      payments
        .keyBy('who')
        .window(tumbling('1m'))
        .aggregate({ total: sum('amount') })
        .windowAll(tumbling('2m'))
        .aggregate({ rows: count(), total: sum('total') }),
    `
    >: who amount
    <: window rows total
    > 00:10 ann 1
    > 00:20 bob 2
    > 01:10 ann 4
    | 01:59.998               the first two minutes' rows are there, the last two are not
    | 01:59.999
    < [00:00, 02:00) 3 7
    `,
  );
});
