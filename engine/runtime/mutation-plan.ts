// Planning a mutation: what becomes of each task and each channel. A pure function of the running
// graph and the next plan.
//
//   task of the running graph ─┬─ same signature, not to start again ────► kept: the same object
//                              ├─ its state or its records are needed ───► drained, at the barrier
//                              └─ otherwise ─────────────────────────────► cut at once
//   chain of the next plan ────── no task is kept for it ────────────────► created
//
// A successor is a created task that takes over the state of a removed one.
import type { Chain } from '../graph/chains.ts';
import { isSink } from '../graph/kinds.ts';

export interface RunningTask {
  readonly chain: Chain;
  /** It has closed its inputs, because nobody read it or because it had enough. */
  readonly isDormant: boolean;
  readonly isClosed: boolean;
}
/** A place of a channel: an output port of a task and an input slot of its reader. */
export interface ChannelPlace {
  readonly from: string;
  readonly port: string;
  readonly to: string;
  readonly slot: number;
}
export interface RunningGraph {
  /** Tasks of the last mutation's target, by id. */
  readonly tasks: ReadonlyMap<string, RunningTask>;
  /** Channels of that target: by reader and slot, readers in the order of its plan. */
  readonly channels: readonly ChannelPlace[];
  /**
   * Channels over which these tasks hear each other now: former ones, while a barrier is on its
   * way.
   */
  readonly attached: readonly Pick<ChannelPlace, 'from' | 'to' | 'slot'>[];
}
export interface MutationRequest {
  /** The next plan, as chains. */
  readonly chains: readonly Chain[];
  /** Created task → the removed one whose state it takes over. */
  readonly handover?: Readonly<Record<string, string>>;
  /** Tasks that are created even where nothing changed. */
  readonly fresh?: ReadonlySet<string>;
}
export interface MutationPlan {
  readonly kept: ReadonlySet<string>;
  /** In the order of their creation. */
  readonly created: readonly string[];
  /** Removed tasks, in the order of the running graph. */
  readonly drained: readonly string[];
  readonly cut: readonly string[];
  /** Removed task → created task that takes over its state. All keys are drained. */
  readonly successors: ReadonlyMap<string, string>;
  /**
   * Channels of the next graph, one for each edge between two tasks. A kept one stays the same
   * object.
   */
  readonly channels: readonly (ChannelPlace & { readonly isKept: boolean })[];
  /** Kept tasks that read other channels than before, and those that write to others. */
  readonly newInputs: ReadonlySet<string>;
  readonly newOutputs: ReadonlySet<string>;
  /** Tasks of the next graph, readers before writers. */
  readonly order: readonly string[];
}

export function planMutation(running: RunningGraph, request: MutationRequest): MutationPlan {
  const { chains, fresh } = request;
  const created = [...createdIds(running, chains, fresh)];
  const isCreated = new Set(created);
  const kept = new Set(chains.map(({ id }) => id).filter((id) => !isCreated.has(id)));
  const removed = [...running.tasks.keys()].filter((id) => !kept.has(id));
  const successors = successorsOf(running, request, created, new Set(removed));
  const needed = neededTasks(running, chains, kept, successors);
  const drained = removed.filter((id) => needed.has(id) && !running.tasks.get(id)!.isClosed);
  const channels = channelsOf(running, chains, kept);
  return {
    kept,
    created,
    drained,
    cut: removed.filter((id) => !drained.includes(id)),
    successors,
    channels,
    ...rewired(running.channels, channels, kept),
    order: turnOrder(chains),
  };
}

/** Chains without a task that can be kept, and the dormant tasks above them, which start again. */
function createdIds(
  { tasks }: RunningGraph,
  chains: readonly Chain[],
  fresh: ReadonlySet<string> | undefined,
): ReadonlySet<string> {
  const created = new Set<string>();
  for (const { id, signature } of chains)
    if (tasks.get(id)?.chain.signature !== signature || fresh?.has(id)) created.add(id);
  const inputsOf = new Map(chains.map(({ id, inputs }) => [id, inputs]));
  // The set grows while it is walked: a task that starts again needs those above it.
  for (const id of created)
    for (const { from } of inputsOf.get(id) ?? [])
      if (inputsOf.has(from) && tasks.get(from)?.isDormant) created.add(from);
  return created;
}

function successorsOf(
  { tasks }: RunningGraph,
  { chains, handover, fresh }: MutationRequest,
  created: readonly string[],
  removed: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const successors = new Map<string, string>();
  for (const [successor, former] of Object.entries(handover ?? {}))
    if (created.includes(successor) && removed.has(former)) successors.set(former, successor);
  // A chain that was fused in another way is another task, but its head is the same operator.
  const chainOf = new Map(chains.map((chain) => [chain.id, chain]));
  for (const id of created) {
    const former = tasks.get(id);
    if (!former || former.isDormant || successors.has(id) || fresh?.has(id)) continue;
    if (hasSameHead(chainOf.get(id)!, former.chain)) successors.set(id, id);
  }
  return successors;
}
function hasSameHead(a: Chain, b: Chain): boolean {
  const [left, right] = [a.nodes[0]!, b.nodes[0]!];
  const keys = ({ inputs }: Chain): string => JSON.stringify(inputs.map((edge) => edge.key ?? null));
  return left.id === right.id && left.own === right.own && keys(a) === keys(b);
}

/**
 * Removed tasks that must reach the barrier: a successor takes their state over, or a task that
 * stays still hears from them, directly or through others that are needed. A sink that writes takes
 * what is on its way to it before it goes.
 */
function neededTasks(
  { tasks, attached }: RunningGraph,
  chains: readonly Chain[],
  kept: ReadonlySet<string>,
  successors: ReadonlyMap<string, string>,
): ReadonlySet<string> {
  const chainOf = new Map(chains.map((chain) => [chain.id, chain]));
  const isRemoved = (id: string): boolean => tasks.has(id) && !kept.has(id);
  // A slot that nothing will feed any more is cut off at once.
  const isFedAgain = (to: string, slot: number): boolean => chainOf.has(chainOf.get(to)!.inputs[slot]!.from);
  const needed = new Set(successors.keys());
  for (const [id, { chain }] of tasks) if (isRemoved(id) && writesOutside(chain)) needed.add(id);
  for (const { from, to, slot } of attached)
    if (isRemoved(from) && kept.has(to) && isFedAgain(to, slot)) needed.add(from);
  const writersOf = Map.groupBy(attached, ({ to }) => to);
  // The set grows while it is walked.
  for (const id of needed) for (const { from } of writersOf.get(id) ?? []) if (isRemoved(from)) needed.add(from);
  return needed;
}

/** A preview writes nothing, so nothing of it is lost. */
function writesOutside({ nodes }: Chain): boolean {
  return nodes.some((node) => isSink(node) && node.parameters.armed !== false);
}

/** A channel between two kept tasks is kept; every other edge gets a new one. */
function channelsOf(
  running: RunningGraph,
  chains: readonly Chain[],
  kept: ReadonlySet<string>,
): MutationPlan['channels'] {
  const former = new Set(running.channels.map(placeKey));
  const ids = new Set(chains.map(({ id }) => id));
  return chains.flatMap(({ id, inputs }) =>
    inputs.flatMap(({ from, port }, slot) => {
      if (!ids.has(from)) return [];
      const place = { from, port, to: id, slot };
      return [{ ...place, isKept: kept.has(from) && kept.has(id) && former.has(placeKey(place)) }];
    }),
  );
}

/** Kept tasks that flip at the barrier: their channels are at other places, or new. */
function rewired(
  former: readonly ChannelPlace[],
  next: MutationPlan['channels'],
  kept: ReadonlySet<string>,
): Pick<MutationPlan, 'newInputs' | 'newOutputs'> {
  const before = former.map((place) => ({ ...place, label: placeKey(place) }));
  const after = next.map((place) => ({ ...place, label: `${place.isKept ? '' : 'new '}${placeKey(place)}` }));
  // The order of channels counts within a port, not between ports.
  const differing = (end: 'from' | 'to'): ReadonlySet<string> => {
    const [was, becomes] = [before, after].map((places) => Map.groupBy(places, (place) => place[end]));
    const labels = (places: typeof before | undefined): string =>
      (places ?? [])
        .toSorted((a, b) => (a.port < b.port ? -1 : a.port > b.port ? 1 : 0))
        .map(({ label }) => label)
        .join();
    return new Set([...kept].filter((id) => labels(was!.get(id)) !== labels(becomes!.get(id))));
  };
  return { newInputs: differing('to'), newOutputs: differing('from') };
}

/** Readers before writers, so that records on their way are taken before more are let in. */
function turnOrder(chains: readonly Chain[]): string[] {
  const order: string[] = [];
  const seen = new Set<string>();
  const byId = new Map(chains.map((chain) => [chain.id, chain]));
  const visit = (chain: Chain): void => {
    if (seen.has(chain.id)) return;
    seen.add(chain.id);
    for (const edge of chain.inputs) {
      const above = byId.get(edge.from);
      if (above) visit(above);
    }
    order.push(chain.id);
  };
  for (const chain of chains) visit(chain);
  return order.reverse();
}

export function placeKey({ from, port, to, slot }: ChannelPlace): string {
  return JSON.stringify([from, port, to, slot]);
}

/** A line for the trace: "keeps a, b; creates c; drains d; cuts e". */
export function describePlan({ kept, created, drained, cut }: MutationPlan): string {
  const parts = { keeps: [...kept], creates: created, drains: drained, cuts: cut };
  const said = Object.entries(parts).flatMap(([verb, ids]) => (ids.length > 0 ? `${verb} ${ids.join(', ')}` : []));
  return said.join('; ') || 'changes nothing';
}
