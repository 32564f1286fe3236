// Plans and cells drawn as text, so that a test shows its graph.
//
//   orders: generate(limit) -> map -> totals: aggregate(sum) by customer -> show
//
// A line is a chain of operators. `name: kind(texts) by key` is one operator: the name is optional,
// and `by` puts a `keyBy` before it. The first text is the shape of an operator with state, and all
// texts together are its own text. A line may begin with names of other lines or cells instead:
// `left + right.late -> joined: join` reads two of them, and `a/orders` is `orders` of cell `a`.
// `again = a/orders` passes a name on. A name that no line defines is a slot that leads nowhere.
import assert from 'node:assert/strict';
import type { Endpoint, FragmentEdge } from '../../../engine/api/fragment.ts';
import type { Plan, PlanEdge, PlanNode } from '../../../engine/graph/plan.ts';
import type { Json } from '../../../engine/graph/spec.ts';
import { type Declared, type Leaf, nowhere } from '../../live/merge.ts';

export interface DrawnCell extends Declared {
  readonly leaves: readonly Leaf[];
}

const withState = new Set(['aggregate', 'join', 'take']);
const withSides = new Set(['join']);
/** Words of a drawing that stand for a kind of another spelling. */
const kindsByWord: Readonly<Record<string, string>> = { join: 'windowJoin', sink: 'functionSink' };
const leafKinds = new Set(['show', 'pull', 'sink']);

/** One cell as drawn: `show` and `pull` are leaves only, `sink` is a node and a leaf. */
export function cellOf(cell: string, text: string): DrawnCell {
  const drawing = new Drawing(cell);
  for (const line of linesOf(text)) drawing.add(line);
  return drawing.cell();
}

/** The plan that a text draws, not merged: all lines are of one cell, and nothing is left out. */
export function planOf(text: string): Plan {
  const { nodes, edges, leaves } = cellOf('', text);
  const leafNodes = leaves.flatMap((leaf) => (leaf.kind === 'sink' ? [] : [{ leaf, node: leafNodeOf(leaf) }]));
  const all = [...nodes, ...leafNodes.map(({ node }) => node)];
  const uids = new Set(all.map((node) => node.uid));
  const attach = ({ from, ...edge }: FragmentEdge): PlanEdge =>
    'node' in from && uids.has(from.node)
      ? { ...edge, from: from.node, port: from.port }
      : { ...edge, from: nowhere, port: 'out' };
  const leafEdges = leafNodes.map(({ leaf, node }): FragmentEdge => ({
    from: leaf.from,
    to: node.id,
    input: 0,
    exchange: 'forward',
  }));
  return { version: 1, nodes: all, edges: [...edges, ...leafEdges].map(attach) };
}

/** A line for each instance, in order: `totals~1 < orders.late, nothing`. A copy has a star. */
export function drawn(plan: Plan): readonly string[] {
  return plan.nodes.map(({ id, copy }) => {
    const slots = plan.edges.filter((edge) => edge.to === id);
    const texts = slots.map(
      ({ from, port }) => (from === nowhere ? 'nothing' : from) + (port === 'out' ? '' : `.${port}`),
    );
    return `${id}${copy ? '*' : ''}${texts.length > 0 ? ` < ${texts.join(', ')}` : ''}`;
  });
}

function leafNodeOf(leaf: Exclude<Leaf, { kind: 'sink' }>): PlanNode {
  const { id, kind, label, cell, own } = leaf;
  return { id, uid: id, kind, name: label, group: cell, parameters: { leaf: id }, own, shape: '' };
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

class Drawing {
  readonly #cell: string;
  readonly #nodes: PlanNode[] = [];
  readonly #edges: FragmentEdge[] = [];
  readonly #streams = new Map<string, Endpoint>();
  readonly #leaves: Leaf[] = [];

  constructor(cell: string) {
    this.#cell = cell;
  }
  cell(): DrawnCell {
    return {
      cell: this.#cell,
      nodes: this.#nodes,
      edges: this.#edges,
      streams: this.#streams,
      leaves: this.#leaves,
    };
  }

  add(line: string): void {
    const passedOn = /^(\w+) = (\S+)$/.exec(line);
    if (passedOn) {
      this.#streams.set(passedOn[1]!, this.#endpoint(passedOn[2]!));
      return;
    }
    const steps = line.split(' -> ');
    const isSource = /^(\w+: )?\w+(\(|$)/.test(steps[0]!) && /^\w+: |\(/.test(steps[0]!);
    const names = isSource ? [] : steps.shift()!.split(' + ');
    let from = names.map((name) => this.#endpoint(name));
    let prefix = isSource ? '' : `${names[0]!}/`;
    for (const step of steps) {
      const match = /^(?:(\w+): )?(\w+)(?:\((.*?)\))?(?: by (\w+))?$/.exec(step);
      assert.ok(match, `The step "${step}" cannot be read.`);
      const [, name, kind = '', texts = '', key] = match;
      const uid = this.#uid(name ?? this.#free(`${prefix}${kind}`));
      if (leafKinds.has(kind) && kind !== 'sink') {
        this.#leaf(kind === 'show' ? 'display' : 'pull', uid, from[0]!, texts);
        break;
      }
      if (key !== undefined) from = from.map((one, side) => this.#keyBy(uid, side, one, key));
      this.#node(uid, kind, texts, from);
      if (name !== undefined) this.#streams.set(name, { node: uid, port: 'out' });
      if (kind === 'sink') this.#leaves.push({ kind: 'sink', node: uid });
      from = [{ node: uid, port: 'out' }];
      if (name !== undefined) prefix = `${name}/`;
    }
  }

  #node(uid: string, kind: string, texts: string, from: readonly Endpoint[]): void {
    const [shape = ''] = texts.split(/, ?/);
    // The functions under test read few parameters, so a drawn node has only these.
    this.#nodes.push({
      id: uid,
      uid,
      kind: kindsByWord[kind] ?? kind,
      name: kind,
      group: this.#cell,
      parameters: parametersOf(kind, texts),
      own: `${kind}(${texts})`,
      shape: withState.has(kind) ? `${kind} of ${shape}` : '',
    } as PlanNode);
    for (const [place, one] of from.entries())
      this.#edges.push({
        from: one,
        to: uid,
        input: withSides.has(kind) && place === 1 ? 1 : 0,
        exchange: this.#nodes.some((node) => 'node' in one && node.uid === one.node && node.kind === 'keyBy')
          ? 'key'
          : 'forward',
      });
  }
  #keyBy(reader: string, side: number, from: Endpoint, key: string): Endpoint {
    const uid = `${reader}/keyBy${side === 0 ? '' : side + 1}`;
    this.#node(uid, 'keyBy', key, [from]);
    return { node: uid, port: 'out' };
  }
  #leaf(kind: 'display' | 'pull', id: string, from: Endpoint, own: string): void {
    this.#leaves.push({ kind, id, cell: this.#cell, from, own, label: kind });
  }

  #uid(name: string): string {
    return this.#cell === '' ? name : `${this.#cell}/${name}`;
  }
  /** Two operators of a kind behind one name have two uids: `map`, `map2`. */
  #free(name: string): string {
    const taken = new Set([
      ...this.#nodes.map((node) => node.uid),
      ...this.#leaves.flatMap((leaf) => ('id' in leaf ? [leaf.id] : [])),
    ]);
    let ordinal = 1;
    while (taken.has(this.#uid(ordinal === 1 ? name : name + ordinal))) ordinal++;
    return ordinal === 1 ? name : name + ordinal;
  }
  #endpoint(reference: string): Endpoint {
    const [path = '', port = 'out'] = reference.split('.');
    const [variable = '', group] = path.split('/').reverse();
    return group === undefined ? { node: this.#uid(variable), port } : { group, variable, port };
  }
}

function parametersOf(kind: string, texts: string): Readonly<Record<string, Json>> {
  if (kind === 'generate') return texts.startsWith('limit') ? { limit: 10 } : {};
  if (kind === 'kafka') return { from: texts.startsWith('earliest') ? 'earliest' : 'latest' };
  return {};
}
