// The types of patterns: inferred matches and refused arguments.
/* eslint-disable @typescript-eslint/no-unsafe-call -- what does not type-check has no type */
import { from, pattern, type Pattern, type PatternResult, type Stream } from '../../index.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

interface Order {
  readonly customer: string;
  readonly amount: number;
}
const orders = from<Order>([{ customer: 'ann', amount: 1 }]);

const fraud = pattern<Order>('small')
  .where(({ amount }, matched) => {
    expectType<Record<string, Order[]>>()(matched);
    return amount < 1;
  })
  .oneOrMore()
  .until(({ amount }) => amount > 5)
  .consecutive()
  .greedy()
  .notNext('refund')
  .followedByAny('big')
  .times(1, 2)
  .allowCombinations()
  .optional()
  .next('end')
  .within('10m')
  .skip({ toLast: 'small' });
expectType<Pattern<Order>>()(fraud);

const matches = orders
  .keyBy('customer')
  .pattern(fraud)
  .select((match) => {
    expectType<Record<string, Order[]>>()(match);
    return match['small']![0]!.amount;
  });
expectType<PatternResult<number, Order>>()(matches);
expectType<Stream<Record<string, Order[]>>>()(matches.timedOut);
expectType<Stream<Order>>()(matches.late);
// The result is a stream of the rows that select returned.
expectType<Stream<string>>()(matches.map((amount) => amount.toFixed(2)));

// @ts-expect-error no such field
pattern<Order>('a').where(({ amuont }) => amuont > 1);
// @ts-expect-error a pattern of other elements
orders.keyBy('customer').pattern(pattern<{ readonly temperature: number }>('hot').where((r) => r.temperature > 1));
// @ts-expect-error not a duration
pattern<Order>('a').within('10 minutes');
// @ts-expect-error no such strategy
pattern<Order>('a').skip('past-last');
// @ts-expect-error a strategy names its stage
pattern<Order>('a').skip({ toFirst: 1 });
// @ts-expect-error a stage has a name
pattern<Order>('a').next();
// @ts-expect-error a pattern is matched by key
orders.pattern(fraud);
// @ts-expect-error what becomes of a match has to be said
orders.keyBy('customer').pattern(fraud).map(String);
