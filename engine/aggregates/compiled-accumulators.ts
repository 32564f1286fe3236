// The accumulators of `accumulators.ts` as generated code for one operator: flat objects, and one
// call per record. `add` allocates nothing except the values that an aggregate keeps.
import { compiled } from '../codegen/specialize.ts';
import type { Keyed } from '../state/keyed.ts';
import type { KeyRow } from '../state/keys.ts';
import { assertNamesFree, usableValue, type Contents } from './accumulators.ts';
import { added, meanOf } from './sums.ts';
import { type AccumulatorPlan, columnsOf } from './accumulator-plan.ts';

/**
 * `fields`: names of the key's fields, if known. `hasBounds`: results have windowStart and
 * windowEnd.
 */
export function compileAccumulators<A extends Keyed>(
  plan: AccumulatorPlan,
  fields: readonly string[] | undefined,
  hasBounds: boolean,
  label: string,
): Contents<A> {
  const code = new AccumulatorCode(plan);
  const { selectors, slots, results } = plan;
  const body = `
    ${code.constants()}
    let order = 0;
    return {
      columns,
      create(row, touched, e) {
        ${fields ? '' : 'namesFree(row);'}
        ${code.reads()}
        ${code.checks()}
        ${code.keptChecks(() => 'undefined')}
        ${code.nextOrder}
        return { row, written: 0, savedBytes: 0, touched, ${code.first()} };
      },
      add(a, e) {
        ${code.reads()}
        ${code.checksOfAdd()}
        ${code.keptChecks((at) => code.kept(at))}
        ${code.nextOrder}
        ${code.updates()}
      },
      ${
        plan.canMerge
          ? `merge(a, b) {
        ${code.mergeChecks()}
        ${code.merges()}
      },`
          : ''
      }
      copy(a, touched) {
        return { row: a.row, written: 0, savedBytes: 0, touched, ${code.copies((at) => code.kept(at))} };
      },
      isSmall(a) {
        return ${code.isSmall()};
      },
      result(a, windowStart, windowEnd) {
        const r = a.row;
        return { ${code.result(fields, hasBounds)} };
      },
      pack(a) {
        return [${code.parts()}];
      },
      unpack(row, touched, content) {
        const a = { row, written: 0, savedBytes: 0, touched, ${code.restored()} };
        ${code.orders()}
        return a;
      },
    };`;
  const scope = {
    columns: columnsOf(plan),
    selectors,
    slots,
    results,
    namesFree: (row: KeyRow) => assertNamesFree(plan, row),
    usable: (selector: number, value: unknown, compared?: unknown) => usableValue(plan, selector, value, compared),
    added,
    meanOf,
  };
  return compiled<Contents<A>>(body, scope, label);
}

/**
 * The pieces of the generated code. In them `e` is the element, `v0` its first selected value, `a`
 * the accumulator, and `b` the accumulator that is merged into it.
 */
class AccumulatorCode {
  readonly #plan: AccumulatorPlan;
  /** Numbers the elements, for the aggregates that depend on their order. */
  readonly nextOrder: string;

  constructor(plan: AccumulatorPlan) {
    this.#plan = plan;
    this.nextOrder = plan.slots.some((slot) => slot.kind === 'kept') ? 'order++;' : '';
  }

  #name(at: number): string {
    return `${this.#plan.slots[at]!.kind}${at}`;
  }
  /** What `a` keeps in a slot. */
  kept(at: number): string {
    return `a.${this.#name(at)}`;
  }
  #isKept(at: number): boolean {
    return this.#plan.slots[at]!.kind === 'kept';
  }
  #valueOf(at: number): string {
    const { selector } = this.#plan.slots[at]!;
    return selector < 0 ? 'e' : `v${selector}`;
  }
  /** One line for each slot. Slots with objects come first, because only they may throw. */
  #eachSlot(line: (at: number) => string): string {
    const order = [...this.#plan.slots.keys()].sort((a, b) => Number(this.#isKept(b)) - Number(this.#isKept(a)));
    return order.map(line).join(' ');
  }

  constants(): string {
    const { selectors, slots, results } = this.#plan;
    return [
      ...selectors.map((_, at) => `const f${at} = selectors[${at}].select;`),
      ...slots.map((_, at) => (this.#isKept(at) ? `const k${at} = slots[${at}].kept;` : '')),
      ...results.map(({ read }, at) => (read ? `const r${at} = results[${at}].read;` : '')),
    ].join(' ');
  }

  // ------------------------------------------------------------ what an element gives

  reads(): string {
    const { selectors } = this.#plan;
    return selectors
      .map(({ spec }, at) => `let v${at} = ${'fn' in spec ? `f${at}(e)` : `e?.${property(spec.field)}`};`)
      .join(' ');
  }
  checks(): string {
    return this.#plan.selectors.map((_, at) => this.#check(at)).join(' ');
  }
  checksOfAdd(): string {
    return this.#plan.selectors.flatMap((_, at) => [this.#check(at), ...this.#comparison(at)]).join(' ');
  }
  /** Numbers, the usual case, are checked without a call. Afterwards null is no value. */
  #check(at: number): string {
    const { needs } = this.#plan.selectors[at]!;
    const usable = `v${at} = usable(${at}, v${at});`;
    if (needs === 'value') return `if (v${at} === undefined) v${at} = null;`;
    if (needs === 'key') return `if (typeof v${at} !== 'string' && !Number.isSafeInteger(v${at})) ${usable}`;
    const isNumber = needs === 'finite' ? `v${at} - v${at} === 0` : `v${at} === v${at}`;
    return `if (typeof v${at} !== 'number' || !(${isNumber})) ${usable}`;
  }
  /** Compared values must be of one kind. */
  #comparison(at: number): string[] {
    return this.#plan.slots.flatMap(({ kind, selector }, slot) => {
      if (selector !== at || (kind !== 'min' && kind !== 'max')) return [];
      const kept = this.kept(slot);
      return [`if (typeof v${at} !== 'number' || typeof ${kept} !== 'number') usable(${at}, v${at}, ${kept});`];
    });
  }
  keptChecks(kept: (at: number) => string): string {
    return this.#eachSlot((at) => {
      const slot = this.#plan.slots[at]!;
      return slot.kind === 'kept' && slot.kept.check ? `k${at}.check(${kept(at)}, ${this.#valueOf(at)}, e);` : '';
    });
  }

  // ------------------------------------------------------------ how slots change

  first(): string {
    const values = this.#plan.slots.map(({ kind, selector }, at) => {
      if (kind === 'kept') return `${this.#name(at)}: k${at}.create(${this.#valueOf(at)}, e, order)`;
      return `${this.#name(at)}: ${kind === 'count' ? this.#counted(selector) : `v${selector}`}`;
    });
    return values.join(', ');
  }
  #counted(selector: number): string {
    return selector < 0 ? '1' : `(v${selector} === null ? 0 : 1)`;
  }
  /** Without overflow and without a value so far, a sum is one addition: null + v is v. */
  #adding(kept: string, given: string): string {
    return `if (${given} !== null) { const s = ${kept} + ${given}; ${kept} = s - s === 0 ? s : added(${kept}, ${given}); }`;
  }
  #comparing(kind: 'min' | 'max', kept: string, given: string): string {
    const [a, b] = kind === 'min' ? [given, kept] : [kept, given];
    // A number comes before an equal bigint.
    const isBelow = `${a} < ${b} || (typeof ${b} === 'bigint' && typeof ${a} === 'number' && !(${a} > ${b}))`;
    return `if (${given} !== null && (${kept} === null || ${isBelow})) ${kept} = ${given};`;
  }
  updates(): string {
    return this.#eachSlot((at) => {
      const { kind, selector } = this.#plan.slots[at]!;
      const kept = this.kept(at);
      if (kind === 'kept') return `${kept} = k${at}.add(${kept}, ${this.#valueOf(at)}, e, order);`;
      if (kind === 'count') return selector < 0 ? `${kept}++;` : `if (v${selector} !== null) ${kept}++;`;
      if (kind === 'sum') return this.#adding(kept, `v${selector}`);
      return this.#comparing(kind, kept, `v${selector}`);
    });
  }
  mergeChecks(): string {
    const checks = this.#plan.slots.flatMap(({ kind, selector }, at) => {
      if (kind !== 'min' && kind !== 'max') return [];
      const [kept, given] = [this.kept(at), `b.${this.#name(at)}`];
      return [
        `if (typeof ${kept} !== 'number' || typeof ${given} !== 'number') usable(${selector}, ${given}, ${kept});`,
      ];
    });
    return checks.join(' ');
  }
  merges(): string {
    return this.#eachSlot((at) => {
      const { kind } = this.#plan.slots[at]!;
      const [kept, given] = [this.kept(at), `b.${this.#name(at)}`];
      if (kind === 'kept') return `${kept} = k${at}.merge(${kept}, ${given});`;
      if (kind === 'count') return `${kept} += ${given};`;
      return kind === 'sum' ? this.#adding(kept, given) : this.#comparing(kind, kept, given);
    });
  }
  copies(of: (at: number) => string): string {
    const copies = this.#plan.slots.map(
      (_, at) => `${this.#name(at)}: ${this.#isKept(at) ? `k${at}.copy(${of(at)})` : of(at)}`,
    );
    return copies.join(', ');
  }
  isSmall(): string {
    const sizes = this.#plan.slots.flatMap((slot, at) => {
      if (slot.kind !== 'kept') return [];
      return slot.kept.isSmall ? `k${at}.isSmall(${this.kept(at)})` : 'false';
    });
    return sizes.join(' && ') || 'true';
  }

  // ------------------------------------------------------------ results and snapshots

  result(fields: readonly string[] | undefined, hasBounds: boolean): string {
    const keyFields = fields?.map((field) => `${literal(field)}: r${property(field)}`) ?? ['...r'];
    const bounds = hasBounds ? ['windowStart', 'windowEnd'] : [];
    const values = this.#plan.results.map(({ name, slot, by, read }, at) => {
      const value = this.kept(slot);
      if (read) return `${literal(name)}: r${at}(${value})`;
      return `${literal(name)}: ${by === undefined ? value : `meanOf(${value}, ${this.kept(by)})`}`;
    });
    return [...keyFields, ...bounds, ...values].join(', ');
  }
  parts(): string {
    return this.#plan.slots.map((_, at) => this.kept(at)).join(', ');
  }
  restored(): string {
    return this.#plan.slots.map((_, at) => `${this.#name(at)}: content[${at}]`).join(', ');
  }
  /** New elements come after all that a restored slot has seen. */
  orders(): string {
    const orders = this.#plan.slots.map((slot, at) =>
      slot.kind === 'kept' && slot.kept.order ? `order = Math.max(order, k${at}.order(${this.kept(at)}));` : '',
    );
    return orders.join(' ');
  }
}

function property(name: string): string {
  return `[${JSON.stringify(name)}]`;
}
/** In brackets, so that `__proto__` is a normal field. */
function literal(name: string): string {
  return name === '__proto__' ? `[${JSON.stringify(name)}]` : JSON.stringify(name);
}
