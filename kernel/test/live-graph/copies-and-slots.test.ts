// A live graph change beside the decision table: detached inputs, failures, copies, slots.
import { type Row, testRows } from './decision-rows.ts';

const detachedInputs: readonly Row[] = [
  {
    name: 'a slot that leads nowhere: rewire, and the reader keeps its place',
    before: ['orders: generate -> show\norders -> kept: take(3) -> show'],
    after: 'orders: generate -> show\ngone -> kept: take(3) -> show',
    decisions: 'orders keep, kept rewire, orders/show keep, kept/show rewire',
    plan: ['orders', 'kept < nothing', 'orders/show < orders', 'kept/show < kept'],
  },
  {
    name: 'a slot that leads nowhere over a source that could be read again: rewire',
    before: ['orders: file -> kept: take(3) -> show'],
    after: 'gone -> kept: take(3) -> show',
    // Known exception: `kept` waits, but its reader is reset: nothing above it is a source.
    decisions: 'kept rewire, kept/show reset',
    plan: ['kept < nothing', 'kept/show~1 < kept'],
  },
  {
    name: 'a slot that leads nowhere, and another text: reset',
    before: ['orders: generate -> kept: take(3) -> show'],
    after: 'gone -> kept: take(3, more) -> show',
    decisions: 'kept reset, kept/show rewire',
    plan: ['kept~1 < nothing', 'kept/show < kept~1'],
  },
  {
    name: 'a slot that leads nowhere, and the operator failed: reset',
    before: ['orders: generate -> kept: take(3) -> show'],
    after: 'gone -> kept: take(3) -> show',
    failed: ['kept'],
    decisions: 'kept reset, kept/show rewire',
    plan: ['kept~1 < nothing', 'kept/show < kept~1'],
  },
  {
    name: 'a new reader of nothing is new, and it waits',
    before: [],
    after: 'gone -> kept: take(3) -> show',
    decisions: 'kept new, kept/show new',
    plan: ['kept < nothing', 'kept/show < kept'],
  },
  {
    name: 'an operator below a live keyBy that lost its input keeps its state when the input is back',
    before: [
      'orders: generate -> show\norders -> totals: aggregate(sum) by customer -> show',
      'orders: generate -> show\ngone -> totals: aggregate(sum) by customer -> show',
    ],
    after: 'orders: generate -> show\norders -> totals: aggregate(sum) by customer -> show',
    decisions: 'orders keep, totals/keyBy reset, totals rewire, orders/show keep, totals/show rewire',
    plan: [
      'orders',
      'totals/keyBy~1 < orders',
      'totals < totals/keyBy~1',
      'orders/show < orders',
      'totals/show < totals',
    ],
  },
  {
    name: 'a detached operator is rebuilt when its input can be read again',
    before: ['orders: file -> kept: take(3) -> show', 'gone -> kept: take(3) -> show'],
    after: 'orders: file -> kept: take(3) -> show',
    decisions: 'orders new, kept rebuild, kept/show rebuild',
    plan: ['orders', 'kept~2 < orders', 'kept/show < kept~2'],
  },
];

const failures: readonly Row[] = [
  {
    name: 'a failed operator over a source that can be read again: rebuild',
    before: ['orders: file -> kept: take(3) -> show'],
    after: 'orders: file -> kept: take(3) -> show',
    failed: ['kept', 'kept/show'],
    decisions: 'orders keep, kept rebuild, kept/show rebuild',
    plan: ['orders~1*', 'kept~1 < orders~1', 'kept/show~1 < kept~1'],
  },
  {
    name: 'a failed operator with state over a live source: handover',
    before: ['orders: generate -> kept: take(3) -> show'],
    after: 'orders: generate -> kept: take(3) -> show',
    failed: ['kept', 'kept/show'],
    decisions: 'orders keep, kept handover, kept/show reset',
    plan: ['orders', 'kept~1 < orders', 'kept/show~1 < kept~1'],
    handover: { 'kept~1': 'kept' },
  },
  {
    name: 'a failed operator without state over a live source: reset',
    before: ['orders: generate -> large: filter -> show'],
    after: 'orders: generate -> large: filter -> show',
    failed: ['large', 'large/show'],
    decisions: 'orders keep, large reset, large/show reset',
    plan: ['orders', 'large~1 < orders', 'large/show~1 < large~1'],
  },
];

const lanes: readonly Row[] = [
  {
    name: 'a late reader of a source that can be read again gets a copy, and the first reader keeps its own',
    before: ['orders: file -> show'],
    after: 'orders: file -> show\norders -> kept: take(3) -> sink',
    decisions: 'orders keep, kept new, kept/sink new, orders/show keep',
    plan: ['orders', 'orders~1*', 'kept < orders~1', 'kept/sink < kept', 'orders/show < orders'],
  },
  {
    name: 'a late reader of a live source attaches to the running instance',
    before: ['orders: generate -> show'],
    after: 'orders: generate -> show\norders -> kept: take(3) -> sink',
    decisions: 'orders keep, kept new, kept/sink new, orders/show keep',
    plan: ['orders', 'kept < orders', 'kept/sink < kept', 'orders/show < orders'],
  },
  {
    name: 'two late readers of one change share a lane',
    before: ['orders: file -> show'],
    after: 'orders: file -> show\norders -> a: take(1) -> sink\norders -> b: take(2) -> sink',
    decisions: 'orders keep, a new, a/sink new, b new, b/sink new, orders/show keep',
    plan: ['orders', 'orders~1*', 'a < orders~1', 'a/sink < a', 'b < orders~1', 'b/sink < b', 'orders/show < orders'],
  },
  {
    name: 'each change has a lane of its own, and a kept reader keeps the copy that it reads',
    before: ['orders: file -> show', 'orders: file -> show\norders -> a: take(1) -> sink'],
    after: 'orders: file -> show\norders -> a: take(1) -> sink\norders -> b: take(2) -> sink',
    decisions: 'orders keep, a keep, a/sink keep, b new, b/sink new, orders/show keep',
    plan: [
      'orders',
      'orders~1*',
      'orders~2*',
      'a < orders~1',
      'a/sink < a',
      'b < orders~2',
      'b/sink < b',
      'orders/show < orders',
    ],
  },
  {
    name: 'a copy that nobody reads any more is gone',
    before: ['orders: file -> show', 'orders: file -> show\norders -> a: take(1) -> sink'],
    after: 'orders: file -> show',
    decisions: 'orders keep, orders/show keep',
    plan: ['orders', 'orders/show < orders'],
  },
  {
    name: 'the second handover takes over from the first successor',
    before: ['orders: generate -> kept: take(3) -> show', 'orders: generate -> kept: take(3, second) -> show'],
    after: 'orders: generate -> kept: take(3, third) -> show',
    decisions: 'orders keep, kept handover, kept/show rewire',
    plan: ['orders', 'kept < orders', 'kept/show < kept'],
    handover: { kept: 'kept~1' },
  },
];

const slots: readonly Row[] = [
  {
    name: 'a side output is another upstream than the output',
    before: ['orders: generate -> dated: map -> show'],
    after: 'orders: generate -> dated: map\ndated.late -> show',
    decisions: 'orders keep, dated keep, dated.late/show new',
    plan: ['orders', 'dated < orders', 'dated.late/show < dated.late'],
  },
  {
    name: 'a reader that moves to a side output is rewired',
    before: ['orders: generate -> dated: map -> show\ndated -> kept: take(3) -> sink'],
    after: 'orders: generate -> dated: map -> show\ndated.late -> kept: take(3) -> sink',
    decisions: 'orders keep, dated keep, kept rewire, kept/sink rewire, dated/show keep',
    plan: ['orders', 'dated < orders', 'kept < dated.late', 'kept/sink < kept', 'dated/show < dated'],
  },
  {
    name: 'a copy has the side outputs of its original',
    before: ['orders: file -> dated: map -> show'],
    after: 'orders: file -> dated: map -> show\ndated.late -> kept: take(3) -> sink',
    decisions: 'orders keep, dated keep, kept new, kept/sink new, dated/show keep',
    plan: [
      'orders',
      'orders~1*',
      'dated < orders',
      'dated~1* < orders~1',
      'kept < dated~1.late',
      'kept/sink < kept',
      'dated/show < dated',
    ],
  },
  {
    name: 'two inputs: another upstream on one side rewires, and both sides keep their places',
    before: ['l: generate(l)\nr: generate(r)\nl + r -> pairs: join(inner) by id -> show'],
    after: 'l: generate(l)\nr: generate(r)\nr2: generate(r2)\nl + r2 -> pairs: join(inner) by id -> show',
    decisions: 'l keep, r keep, r2 new, pairs/keyBy keep, pairs/keyBy2 rewire, pairs rewire, pairs/show rewire',
    plan: [
      'l',
      'r',
      'r2',
      'pairs/keyBy < l',
      'pairs/keyBy2 < r2',
      'pairs < pairs/keyBy, pairs/keyBy2',
      'pairs/show < pairs',
    ],
  },
  {
    name: 'two inputs: sides that change places are another lineage',
    before: ['l: generate(l)\nr: generate(r)\nl + r -> pairs: join(inner) -> show'],
    after: 'l: generate(l)\nr: generate(r)\nr + l -> pairs: join(inner) -> show',
    decisions: 'l keep, r keep, pairs rewire, pairs/show rewire',
    plan: ['l', 'r', 'pairs < r, l', 'pairs/show < pairs'],
  },
  {
    name: 'two inputs: another key on the right side only: reset',
    before: ['l: generate(l) -> lk: keyBy(id)\nr: generate(r) -> rk: keyBy(id)\nlk + rk -> pairs: join(inner) -> show'],
    after: 'l: generate(l) -> lk: keyBy(id)\nr: generate(r) -> rk: keyBy(name)\nlk + rk -> pairs: join(inner) -> show',
    decisions: 'l keep, lk keep, r keep, rk reset, pairs reset, pairs/show rewire',
    plan: ['l', 'lk < l', 'r', 'rk~1 < r', 'pairs~1 < lk, rk~1', 'pairs/show < pairs~1'],
  },
  {
    name: 'two inputs: one side leads nowhere, the other one stays',
    before: ['l: generate(l)\nr: generate(r)\nl + r -> pairs: join(inner) -> show'],
    after: 'r: generate(r)\ngone + r -> pairs: join(inner) -> show',
    decisions: 'r keep, pairs rewire, pairs/show rewire',
    plan: ['r', 'pairs < nothing, r', 'pairs/show < pairs'],
  },
  {
    name: 'the order of the next plan is the order of the result, whatever ran before',
    before: ['a: generate(a) -> show\nb: generate(b) -> show'],
    after: 'b: generate(b) -> show\na: generate(a) -> show',
    decisions: 'b keep, a keep, b/show keep, a/show keep',
    plan: ['b', 'a', 'b/show < b', 'a/show < a'],
  },
];

testRows('detached inputs', detachedInputs);
testRows('failed operators', failures);
testRows('copies', lanes);
testRows('slots', slots);
