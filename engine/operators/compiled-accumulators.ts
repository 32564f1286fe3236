// The accumulators of `accumulators.ts` as code generated for one operator: flat objects, one call per record, nothing allocated by `add`.
import type { Keyed } from '../state/changed-groups.ts';
import { type AccumulatorPlan, assertNumber, assertOrdered, type Contents } from './accumulators.ts';
import { compiled } from './fresh.ts';

/** `fields`: names of the key's fields, where known; `hasBounds`: results carry windowStart and windowEnd. */
export function compileAccumulators<A extends Keyed>(
  plan: AccumulatorPlan,
  fields: readonly string[] | undefined,
  hasBounds: boolean,
  label: string,
): Contents<A> {
  const { selectors, slots, results } = plan;
  const slotName = (at: number): string => `${slots[at]!.kind}${at}`;

  const reads = selectors.map(
    ({ spec }, at) => `const v${at} = ${'fn' in spec ? `f${at}(e)` : `e${property(spec.field)}`};`,
  );
  const check = (at: number): string =>
    `if (typeof v${at} !== 'number' || v${at} !== v${at}) ${selectors[at]!.needs === 'number' ? 'number' : 'ordered'}(${at}, v${at});`;
  // What is compared must be of one kind; two numbers, the usual case, are seen to be at once.
  const comparison = (at: number): string[] =>
    slots.flatMap(({ kind, selector }, slot) => {
      if (selector !== at || (kind !== 'min' && kind !== 'max')) return [];
      const kept = `a.${slotName(slot)}`;
      return [`if (typeof v${at} !== 'number' || typeof ${kept} !== 'number') ordered(${at}, v${at}, ${kept});`];
    });
  const checks = selectors.map((_, at) => check(at));
  const checksOfAdd = selectors.flatMap((_, at) => [check(at), ...comparison(at)]);
  const first = slots.map(({ kind, selector }, at) => `${slotName(at)}: ${kind === 'count' ? 1 : `v${selector}`}`);
  const updates = slots.map(({ kind, selector }, at) => {
    const kept = `a.${slotName(at)}`;
    if (kind === 'count') return `${kept}++;`;
    if (kind === 'sum') return `${kept} += v${selector};`;
    return `if (v${selector} ${kind === 'min' ? '<' : '>'} ${kept}) ${kept} = v${selector};`;
  });
  const kinds = slots.flatMap(({ kind, selector }, at) => {
    if (kind === 'count' || kind === 'sum') return [];
    const [kept, given] = [`a.${slotName(at)}`, `b.${slotName(at)}`];
    return [
      `if (typeof ${kept} !== 'number' || typeof ${given} !== 'number') ordered(${selector}, ${given}, ${kept});`,
    ];
  });
  const merges = slots.map(({ kind }, at) => {
    const [kept, given] = [`a.${slotName(at)}`, `b.${slotName(at)}`];
    if (kind === 'count' || kind === 'sum') return `${kept} += ${given};`;
    return `if (${given} ${kind === 'min' ? '<' : '>'} ${kept}) ${kept} = ${given};`;
  });
  const keyFields = fields?.map((field) => `${literal(field)}: r${property(field)}`) ?? ['...r'];
  const bounds = hasBounds ? ['windowStart', 'windowEnd'] : [];
  const values = results.map(({ name, slot, by }) => {
    const value = `a.${slotName(slot)}`;
    return `${literal(name)}: ${by === undefined ? value : `${value} / a.${slotName(by)}`}`;
  });

  const body = `
    ${selectors.map((_, at) => `const f${at} = selectors[${at}].select;`).join(' ')}
    return {
      columns: ${slots.length},
      create(row, touched, e) {
        ${reads.join(' ')}
        ${checks.join(' ')}
        return { row, group: -1, touched, ${first.join(', ')} };
      },
      add(a, e) {
        ${reads.join(' ')}
        ${checksOfAdd.join(' ')}
        ${updates.join(' ')}
      },
      merge(a, b) {
        ${kinds.join(' ')}
        ${merges.join(' ')}
      },
      copy(a, touched) {
        return { row: a.row, group: -1, touched, ${slots.map((_, at) => `${slotName(at)}: a.${slotName(at)}`).join(', ')} };
      },
      result(a, windowStart, windowEnd) {
        const r = a.row;
        return { ${[...keyFields, ...bounds, ...values].join(', ')} };
      },
      pack(a, columns) {
        ${slots.map((_, at) => `columns[${at}].push(a.${slotName(at)});`).join(' ')}
      },
      unpack(row, touched, columns, index) {
        return { row, group: -1, touched, ${slots.map((_, at) => `${slotName(at)}: columns[${at}][index]`).join(', ')} };
      },
    };`;
  const scope = {
    selectors,
    number: (selector: number, value: unknown) => assertNumber(plan, selector, value),
    ordered: (selector: number, value: unknown, kept?: unknown) => assertOrdered(plan, selector, value, kept),
  };
  return compiled<Contents<A>>(body, scope, label);
}

function property(name: string): string {
  return `[${JSON.stringify(name)}]`;
}
/** In brackets, so that a field called __proto__ is a field. */
function literal(name: string): string {
  return name === '__proto__' ? `[${JSON.stringify(name)}]` : JSON.stringify(name);
}
