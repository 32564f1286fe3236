// A live graph change beside the decision table: detached inputs, failures, copies, slots.
import { type Row, testRows } from './decision-rows.ts';

const detachedInputs: readonly Row[] = [
  {
    name: 'a slot that leads nowhere: rewire, and the reader keeps its place',
    before: ['orders: generate -> show\norders -> kept: take(3) -> show'],
    after: 'orders: generate -> show\ngone -> kept: take(3) -> show',
    decisions: 'orders keep, kept rewire, orders/show keep, kept/show keep',
    plan: ['orders', 'kept < nothing', 'orders/show < orders', 'kept/show < kept'],
  },
  {
    name: 'a slot that leads nowhere over a source that could be read again: rewire',
    before: ['orders: file -> kept: take(3) -> show'],
    after: 'gone -> kept: take(3) -> show',
    decisions: 'kept rewire, kept/show keep',
    plan: ['kept < nothing', 'kept/show < kept'],
  },
  {
    name: 'a slot that leads nowhere, and another text: handover, as with an input',
    before: ['orders: generate -> kept: take(3) -> show'],
    after: 'gone -> kept: take(3, more) -> show',
    decisions: 'kept handover, kept/show rewire',
    plan: ['kept~1 < nothing', 'kept/show < kept~1'],
    handover: { 'kept~1': 'kept' },
  },
  {
    name: 'a slot that leads nowhere, and the operator failed: handover',
    before: ['orders: generate -> kept: take(3) -> show'],
    after: 'gone -> kept: take(3) -> show',
    failed: ['kept'],
    decisions: 'kept handover, kept/show rewire',
    plan: ['kept~1 < nothing', 'kept/show < kept~1'],
    handover: { 'kept~1': 'kept' },
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
    decisions: 'orders keep, totals/keyBy rewire, totals keep, orders/show keep, totals/show keep',
    plan: ['orders', 'totals/keyBy < orders', 'totals < totals/keyBy', 'orders/show < orders', 'totals/show < totals'],
  },
  {
    name: 'a detached operator is rebuilt when its input can be read again',
    before: ['orders: file -> kept: take(3) -> show', 'gone -> kept: take(3) -> show'],
    after: 'orders: file -> kept: take(3) -> show',
    decisions: 'orders new, kept rebuild, kept/show rebuild',
    plan: ['orders', 'kept~1 < orders', 'kept/show~1 < kept~1'],
  },
  {
    name: 'a live input that comes back goes on with the state',
    before: ['m: generate -> t: take(150) -> show', 'm -> t: take(150) -> show'],
    after: 'm: generate -> t: take(150) -> show',
    decisions: 'm new, t rewire, t/show keep',
    plan: ['m', 't < m', 't/show < t'],
  },
  {
    name: 'a slot that lost its keyed input keeps the key of its state',
    before: ['l: generate(l) -> lk: keyBy(id)\nr: generate(r) -> rk: keyBy(id)\nlk + rk -> pairs: join(inner) -> show'],
    after: 'r: generate(r) -> rk: keyBy(name)\ngone + rk -> pairs: join(inner) -> show',
    decisions: 'r keep, rk reset, pairs reset, pairs/show rewire',
    plan: ['r', 'rk~1 < r', 'pairs~1 < nothing, rk~1', 'pairs/show < pairs~1'],
  },
  {
    name: 'a live input that goes away beside one that can be read again resets nothing',
    before: ['a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show'],
    after: 'a: file\na + gone -> both: union -> kept: take(3) -> show',
    decisions: 'a keep, both rewire, kept keep, kept/show keep',
    plan: ['a', 'both < a, nothing', 'kept < both', 'kept/show < kept'],
  },
  {
    name: 'and when it is back, the state goes on',
    before: [
      'a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show',
      'a: file\na + gone -> both: union -> kept: take(3) -> show',
    ],
    after: 'a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show',
    decisions: 'a keep, b new, both rewire, kept keep, kept/show keep',
    plan: ['a', 'b', 'both < a, b', 'kept < both', 'kept/show < kept'],
  },
];

/** One source is read again, or a state goes on: never both. */
const mixed: readonly Row[] = [
  {
    name: 'the branch that can be read again is edited: the state below is reset, and reads it from the start once',
    before: ['a: file -> m: map(1)\nb: generate\nm + b -> both: union -> kept: take(3) -> show'],
    after: 'a: file -> m: map(2)\nb: generate\nm + b -> both: union -> kept: take(3) -> show',
    decisions: 'a keep, m rebuild, b keep, both rewire, kept reset, kept/show reset',
    plan: ['a~1*', 'm~1 < a~1', 'b', 'both < m~1, b', 'kept~1 < both', 'kept/show~1 < kept~1'],
  },
  {
    name: 'the live branch is edited: the state goes on',
    before: ['a: file\nb: generate -> m: map(1)\na + m -> both: union -> kept: take(3) -> show'],
    after: 'a: file\nb: generate -> m: map(2)\na + m -> both: union -> kept: take(3) -> show',
    decisions: 'a keep, b keep, m reset, both rewire, kept rewire, kept/show rewire',
    plan: ['a', 'b', 'm~1 < b', 'both < a, m~1', 'kept < both', 'kept/show < kept'],
  },
  {
    name: 'a source that was never read joins a state that goes on',
    before: ['a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show'],
    after: 'c: file(other)\nb: generate\nc + b -> both: union -> kept: take(3) -> show',
    decisions: 'c new, b keep, both rewire, kept rewire, kept/show rewire',
    plan: ['c', 'b', 'both < c, b', 'kept < both', 'kept/show < kept'],
  },
  {
    name: 'a source that was read, went away and came back does not reach the state twice',
    before: [
      'a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show',
      'b: generate\ngone + b -> both: union -> kept: take(3) -> show',
    ],
    after: 'a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show',
    decisions: 'a new, b keep, both rewire, kept reset, kept/show reset',
    plan: ['a', 'b', 'both < a, b', 'kept~1 < both', 'kept/show~1 < kept~1'],
  },
  {
    name: 'a state that is reset for another reason reads the file from its start, and live rows from now on',
    before: ['a: file\nb: generate\na + b -> both: union -> kept: take(3) -> show'],
    after: 'a: file\nb: generate\na + b -> both: union -> kept: take(4) -> show',
    decisions: 'a keep, b keep, both keep, kept reset, kept/show reset',
    plan: ['a~1*', 'b', 'both~1* < a~1, b', 'kept~1 < both~1', 'kept/show~1 < kept~1'],
  },
  {
    name: 'a failed reader of a live operator: its own reader goes over to the successor',
    before: ['orders: generate -> kept: take(3) -> show'],
    after: 'orders: generate -> kept: take(3) -> show',
    failed: ['kept'],
    decisions: 'orders keep, kept handover, kept/show rewire',
    plan: ['orders', 'kept~1 < orders', 'kept/show < kept~1'],
    handover: { 'kept~1': 'kept' },
  },
  {
    name: 'a rewired slot keeps the copy that it read',
    before: [
      'a: file -> show\nb: generate -> show',
      'a: file -> show\nb: generate -> show\na + b -> both: union -> kept: take(3) -> show',
    ],
    after: 'a: file -> show\nc: generate(c) -> show\na + c -> both: union -> kept: take(3) -> show',
    decisions: 'a keep, c new, both rewire, kept rewire, a/show keep, c/show new, kept/show rewire',
    plan: ['a', 'a~1*', 'c', 'both < a~1, c', 'kept < both', 'a/show < a', 'c/show < c', 'kept/show < kept'],
  },
  {
    name: 'a copy beside a live input is rewired with it, so that its reader goes on where it is',
    before: [
      'a: file -> show\nb: generate -> m: map(1) -> show\na + m -> both: union -> show',
      'a: file -> show\nb: generate -> m: map(1) -> show\na + m -> both: union -> show\nboth -> kept: take(3) -> sink',
    ],
    after:
      'a: file -> show\nb: generate -> m: map(2) -> show\na + m -> both: union -> show\nboth -> kept: take(3) -> sink',
    decisions:
      'a keep, b keep, m reset, both rewire, kept rewire, kept/sink rewire, a/show keep, m/show rewire, both/show rewire',
    plan: [
      'a',
      'a~1*',
      'b',
      'm~2 < b',
      'both < a, m~2',
      'both~1* < a~1, m~2',
      'kept < both~1',
      'kept/sink < kept',
      'a/show < a',
      'm/show < m~2',
      'both/show < both',
    ],
  },
];

/** A deleted cell waits for its undo; `parked` is an operator of it that nothing reads. */
const undone: readonly Row[] = [
  {
    name: 'an undo gives a reader the very copy back that it read, if nothing passed meanwhile',
    before: [
      'a: file -> show',
      'a: file -> show\na -> kept: take(3) -> show',
      'a: file -> show\ngone -> kept: take(3) -> show',
    ],
    after: 'a: file -> show\na -> kept: take(3) -> show',
    decisions: 'a keep, kept rewire, a/show keep, kept/show keep',
    plan: ['a', 'a~1*', 'kept < a~1', 'a/show < a', 'kept/show < kept'],
  },
  {
    name: 'rows have passed the lost slot: it reads the file again from the start',
    before: ['a: file -> show\na -> kept: take(3) -> show', 'a: file -> show\ngone -> kept: take(3) -> show'],
    after: 'a: file -> show\na -> kept: take(3) -> show',
    decisions: 'a keep, kept rebuild, a/show keep, kept/show rebuild',
    plan: ['a', 'a~1*', 'kept~1 < a~1', 'a/show < a', 'kept/show~1 < kept~1'],
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
    name: 'a copy without a reader is removed',
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
    decisions: 'r keep, pairs rewire, pairs/show keep',
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
testRows('mixed inputs', mixed);
testRows('undo', undone);
