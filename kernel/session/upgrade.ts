// A savepoint under another version of the notebook: which operator takes which state.
//
// An operator is found by its uid, and its state has to have the same shape (key, window,
// aggregates, state types). Changed text of a function is a warning, because the state was made by
// the former text.
import { isDeepStrictEqual } from 'node:util';
import { SluiceError } from '../../engine/errors/error.ts';
import { asWritten, collapses, isSink, kinds } from '../../engine/graph/kinds.ts';
import type { Plan, PlanNode } from '../../engine/graph/plan.ts';
import type { KeySpec } from '../../engine/graph/spec.ts';
import type { TaskSnapshot } from '../../engine/runtime/snapshot.ts';
import type { SnapshotPart } from '../executor/executor-protocol.ts';

export interface Upgrade {
  /** Of the savepoint. */
  readonly id: number;
  /** Epoch milliseconds. */
  readonly takenAt: number;
  /** The executor's clock at that time. Absent: an older savepoint does not tell. */
  readonly clock?: number;
  /** What ran when the savepoint was taken. */
  readonly plan: Plan;
  /** Instance → its state. */
  readonly parts: ReadonlyMap<string, TaskSnapshot>;
  /** State that no operator takes is left out. False: it is an error. */
  readonly mayLeaveOut: boolean;
}
export interface UpgradedState {
  readonly parts: readonly SnapshotPart[];
  /** What a later plan takes. */
  readonly left?: Upgrade;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/**
 * `isLast`: no later plan has more operators. Errors: `state-left-over`, `other-state`. Each names
 * the operator.
 */
export function upgradedState(upgrade: Upgrade, plan: Plan, isLast: boolean): UpgradedState {
  const { plan: former, parts, mayLeaveOut } = upgrade;
  const left: PlanNode[] = [];
  const warnings: string[] = [];
  const taken: SnapshotPart[] = [];
  for (const node of firstInstances(former)) {
    const state = parts.get(node.id);
    if (!state || kinds[node.kind].role === 'leaf' || !holdsState(state)) continue;
    const next = plan.nodes.find(({ uid, copy }) => uid === node.uid && !copy);
    if (!next && !isLast) {
      left.push(node);
      continue;
    }
    if (!next) {
      if (!mayLeaveOut) throw leftOver(node);
      warnings.push(`The state of "${node.name}" (${node.uid}) is left out: no operator has this id.`);
      continue;
    }
    const key = comparedKeys(keysOf(former, node.id), keysOf(plan, next.id));
    if (next.kind !== node.kind || next.shape !== node.shape || key === 'other') throw otherShape(node, next);
    if (key === 'changed text')
      warnings.push(
        `"${next.name}" (${next.uid}) goes on with its state, and the text of its key has changed since then.`,
      );
    if (!isSameText(node, next))
      warnings.push(`"${next.name}" (${next.uid}) goes on with its state, and its text has changed since then.`);
    taken.push({ instance: next.id, state });
  }
  return { parts: taken, warnings, ...(left.length > 0 && { left: { ...upgrade, plan: { ...former, nodes: left } } }) };
}

type InputKey = KeySpec | 'none' | 'unknown';

/** The keys of a node's inputs, in order. A slot that nobody feeds has an unknown one. */
function keysOf({ nodes, edges }: Plan, id: string): readonly InputKey[] {
  return edges
    .filter(({ to }) => to === id)
    .map(({ from, lost }) => {
      const above = nodes.find((node) => node.id === from);
      if (above) return collapses(above) ? above.parameters.key : 'none';
      return lost ? (lost.key?.spec ?? 'none') : 'unknown';
    });
}

/** State belongs to the values of its key, so other fields are other state. */
function comparedKeys(former: readonly InputKey[], next: readonly InputKey[]): 'same' | 'changed text' | 'other' {
  const pairs = former.slice(0, next.length).map((key, slot) => [key, next[slot]!] as const);
  const different = pairs.filter(
    ([a, b]) => a !== 'unknown' && b !== 'unknown' && JSON.stringify(comparable(a)) !== JSON.stringify(comparable(b)),
  );
  if (different.length === 0) return 'same';
  return different.every(([a, b]) => isFunction(a) && isFunction(b)) ? 'changed text' : 'other';
}
/** Of a function, only the text counts: its place changes with the cell. */
function comparable(key: InputKey): unknown {
  return isFunction(key) ? key.fn.textHash : key;
}
function isFunction(key: InputKey): key is Extract<KeySpec, { readonly fn: unknown }> {
  return typeof key === 'object' && 'fn' in key;
}

function isSameText(former: PlanNode, next: PlanNode): boolean {
  return former.own === next.own || isDeepStrictEqual(asWritten(former), asWritten(next));
}

/** Of copies that the live session made, the operator itself. */
function firstInstances({ nodes }: Plan): readonly PlanNode[] {
  return nodes.filter((node) => !node.copy || !nodes.some((other) => other.uid === node.uid && !other.copy));
}

/** Time alone is no state: it comes again with the records. */
function holdsState(state: TaskSnapshot): boolean {
  const { full: _extent, schema: _form, groups, watermark: _time, gate: _heard, ...others } = state;
  return groups.size > 0 || Object.keys(others).length > 0;
}

function leftOver({ name, uid }: PlanNode): SluiceError {
  return new SluiceError(
    'state-left-over',
    `The savepoint has state of "${name}" (${uid}), and no operator has this id now. Give the operator that takes ` +
      `it .id('${uid}'), or add --allow-non-restored-state to go on without it.`,
    { uid },
  );
}
function otherShape(former: PlanNode, { name, kind }: PlanNode): SluiceError {
  const changed = isSink(former) ? 'another target or delivery' : 'another key, window, aggregate or type of state';
  const change = former.kind === kind ? changed : `the kind ${kind}`;
  const was = former.name === name ? '' : ` (it was "${former.name}")`;
  return new SluiceError(
    'other-state',
    `"${name}" (${former.uid}) has ${change} since the savepoint${was}, so its state does not fit. Give it a new ` +
      '.id() and add --allow-non-restored-state, or take back the change.',
    { uid: former.uid },
  );
}
