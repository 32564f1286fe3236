// The accumulators of `accumulators.ts` as generated code for one operator: flat objects, and one
// call per record. `add` allocates nothing except the values that an aggregate keeps.
import type { Keyed } from '../state/changed-groups.ts';
import { type AccumulatorPlan, assertNamesFree, assertUsable, type Contents } from './accumulators.ts';
import type { KeyRow } from '../state/keys.ts';
import { compiled } from '../codegen/specialize.ts';

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
  const { selectors, slots, results } = plan;
  const name = (at: number): string => `${slots[at]!.kind}${at}`;
  const isKept = (at: number): boolean => slots[at]!.kind === 'kept';
  /** One line for each slot. Slots with objects come first, because only they may throw. */
  const eachSlot = (line: (at: number) => string): string => {
    const order = [...slots.keys()].sort((a, b) => Number(isKept(b)) - Number(isKept(a)));
    return order.map(line).join(' ');
  };
  const valueOf = (at: number): string => (slots[at]!.selector < 0 ? 'e' : `v${slots[at]!.selector}`);
  const hasOrder = slots.some((slot) => slot.kind === 'kept');

  const reads = selectors.map(
    ({ spec }, at) => `const v${at} = ${'fn' in spec ? `f${at}(e)` : `e${property(spec.field)}`};`,
  );
  // Numbers, the usual case, are checked without a call.
  const check = (at: number): string => {
    const { needs } = selectors[at]!;
    if (needs === 'value') return `if (v${at} === undefined) usable(${at}, v${at});`;
    if (needs === 'key')
      return `if (typeof v${at} !== 'string' && !Number.isSafeInteger(v${at})) usable(${at}, v${at});`;
    const isNumber = needs === 'finite' ? `v${at} - v${at} === 0` : `v${at} === v${at}`;
    return `if (typeof v${at} !== 'number' || !(${isNumber})) usable(${at}, v${at});`;
  };
  // Compared values must be of one kind.
  const comparison = (at: number): string[] =>
    slots.flatMap(({ kind, selector }, slot) => {
      if (selector !== at || (kind !== 'min' && kind !== 'max')) return [];
      const kept = `a.${name(slot)}`;
      return [`if (typeof v${at} !== 'number' || typeof ${kept} !== 'number') usable(${at}, v${at}, ${kept});`];
    });
  const keptChecks = (kept: (at: number) => string): string =>
    eachSlot((at) => {
      const slot = slots[at]!;
      return slot.kind === 'kept' && slot.kept.check ? `k${at}.check(${kept(at)}, ${valueOf(at)}, e);` : '';
    });
  const checks = selectors.map((_, at) => check(at));
  const checksOfAdd = selectors.flatMap((_, at) => [check(at), ...comparison(at)]);
  const nextOrder = hasOrder ? 'order++;' : '';
  const first = slots.map(({ kind, selector }, at) => {
    if (kind === 'kept') return `${name(at)}: k${at}.create(${valueOf(at)}, e, order)`;
    return `${name(at)}: ${kind === 'count' ? 1 : `v${selector}`}`;
  });
  const updates = eachSlot((at) => {
    const { kind, selector } = slots[at]!;
    const kept = `a.${name(at)}`;
    if (kind === 'kept') return `${kept} = k${at}.add(${kept}, ${valueOf(at)}, e, order);`;
    if (kind === 'count') return `${kept}++;`;
    if (kind === 'sum') return `${kept} += v${selector};`;
    return `if (v${selector} ${kind === 'min' ? '<' : '>'} ${kept}) ${kept} = v${selector};`;
  });
  const mergeChecks = slots.flatMap(({ kind, selector }, at) => {
    if (kind !== 'min' && kind !== 'max') return [];
    const [kept, given] = [`a.${name(at)}`, `b.${name(at)}`];
    return [`if (typeof ${kept} !== 'number' || typeof ${given} !== 'number') usable(${selector}, ${given}, ${kept});`];
  });
  const merges = eachSlot((at) => {
    const { kind } = slots[at]!;
    const [kept, given] = [`a.${name(at)}`, `b.${name(at)}`];
    if (kind === 'kept') return `${kept} = k${at}.merge(${kept}, ${given});`;
    if (kind === 'count' || kind === 'sum') return `${kept} += ${given};`;
    return `if (${given} ${kind === 'min' ? '<' : '>'} ${kept}) ${kept} = ${given};`;
  });
  const copies = (of: (at: number) => string): string =>
    slots.map((_, at) => `${name(at)}: ${isKept(at) ? `k${at}.copy(${of(at)})` : of(at)}`).join(', ');
  const sizes = slots.flatMap((slot, at) => {
    if (slot.kind !== 'kept') return [];
    return slot.kept.isSmall ? `k${at}.isSmall(a.${name(at)})` : 'false';
  });
  const pushes = slots.map((_, at) => {
    const kept = `a.${name(at)}`;
    return `columns[${at}].push(${isKept(at) ? `k${at}.copy(${kept})` : kept});`;
  });
  const orders = slots.map((slot, at) =>
    slot.kind === 'kept' && slot.kept.order ? `order = Math.max(order, k${at}.order(a.${name(at)}));` : '',
  );
  const keyFields = fields?.map((field) => `${literal(field)}: r${property(field)}`) ?? ['...r'];
  const bounds = hasBounds ? ['windowStart', 'windowEnd'] : [];
  const values = results.map(({ name: field, slot, by, read }, at) => {
    const value = `a.${name(slot)}`;
    if (read) return `${literal(field)}: r${at}(${value})`;
    return `${literal(field)}: ${by === undefined ? value : `${value} / a.${name(by)}`}`;
  });

  const body = `
    ${selectors.map((_, at) => `const f${at} = selectors[${at}].select;`).join(' ')}
    ${slots.map((_, at) => (isKept(at) ? `const k${at} = slots[${at}].kept;` : '')).join(' ')}
    ${results.map(({ read }, at) => (read ? `const r${at} = results[${at}].read;` : '')).join(' ')}
    let order = 0;
    return {
      columns: ${slots.length},
      create(row, touched, e) {
        ${fields ? '' : 'namesFree(row);'}
        ${reads.join(' ')}
        ${checks.join(' ')}
        ${keptChecks(() => 'undefined')}
        ${nextOrder}
        return { row, group: -1, touched, ${first.join(', ')} };
      },
      add(a, e) {
        ${reads.join(' ')}
        ${checksOfAdd.join(' ')}
        ${keptChecks((at) => `a.${name(at)}`)}
        ${nextOrder}
        ${updates}
      },
      ${
        plan.canMerge
          ? `merge(a, b) {
        ${mergeChecks.join(' ')}
        ${merges}
      },`
          : ''
      }
      copy(a, touched) {
        return { row: a.row, group: -1, touched, ${copies((at) => `a.${name(at)}`)} };
      },
      isSmall(a) {
        return ${sizes.join(' && ') || 'true'};
      },
      result(a, windowStart, windowEnd) {
        const r = a.row;
        return { ${[...keyFields, ...bounds, ...values].join(', ')} };
      },
      pack(a, columns) {
        ${pushes.join(' ')}
      },
      unpack(row, touched, columns, index) {
        const a = { row, group: -1, touched, ${copies((at) => `columns[${at}][index]`)} };
        ${orders.join(' ')}
        return a;
      },
    };`;
  const scope = {
    selectors,
    slots,
    results,
    namesFree: (row: KeyRow) => assertNamesFree(plan, row),
    usable: (selector: number, value: unknown, compared?: unknown) => assertUsable(plan, selector, value, compared),
  };
  return compiled<Contents<A>>(body, scope, label);
}

function property(name: string): string {
  return `[${JSON.stringify(name)}]`;
}
/** In brackets, so that `__proto__` is a normal field. */
function literal(name: string): string {
  return name === '__proto__' ? `[${JSON.stringify(name)}]` : JSON.stringify(name);
}
