// One evaluation: collects the nodes that the evaluated text declares. It runs nothing.
//
//   new Builder ─► declare* (fragment() at any time: what has been declared so far) ─► seal
//
// Which builder an operator goes to is decided by where the text runs, not by whose stream it is called on: `orders.map()` in cell B on cell A's stream
// belongs to B. So the evaluation carries its builder through all its awaits (AsyncLocalStorage); an Environment, which has none, is its streams' own builder.
import { AsyncLocalStorage } from 'node:async_hooks';
import { SluiceError } from '../errors/error.ts';
import { ownHash, shapeHash } from '../graph/fingerprint.ts';
import { isBoundedNode, type Kind, kinds } from '../graph/kinds.ts';
import type { ParametersByKind } from '../graph/parameters.ts';
import { FunctionTable, type Exchange, type PlanNode } from '../graph/plan.ts';
import type { Json } from '../graph/spec.ts';
import { checkUid, UidCounter } from '../graph/uid.ts';
import type { Endpoint, Fragment, FragmentEdge, PullHost, SinkSpec } from './fragment.ts';
import { lower, type UserFunction } from './parameters.ts';
import type { SessionOptions } from './surface.ts';

export interface BuilderOptions {
  /** The cell's id; '' in an Environment, whose streams keep what is built on them to themselves, whatever evaluation is going on. */
  readonly group: string;
  readonly pullHost?: PullHost;
  /** Makes the path of `file()` absolute. */
  readonly resolvePath?: (path: string) => string;
  /** `--param name=value`. */
  readonly params?: Readonly<Record<string, string>>;
  /** A hash of the cell's text and everything it captures: stands for the captures of functions that nobody annotated. */
  readonly captures?: string;
  /** Whether a stream of another group ends by itself; without an answer it is taken to. */
  readonly isBounded?: (endpoint: Endpoint) => boolean | undefined;
  /** `idleness` of sources that do not say: 10 s in a notebook, none in a job. */
  readonly idlenessMillis?: number;
}

/** Where a stream's records can be read: a node that this or another builder declares, or a variable of another group. */
export type Origin = { readonly draft: Draft; readonly port: string } | Endpoint;

export interface Input {
  readonly from: Origin;
  readonly input?: 0 | 1;
  readonly exchange?: Exchange;
}
/** The parameters of a kind while they are declared: the user's functions stand in them themselves. */
export type DeclaredParameters<K extends Kind> = ParametersByKind<UserFunction>[K];
interface DeclarationOf<K extends Kind> {
  /** What the user called; counts for the uid. */
  readonly verb: string;
  readonly kind: K;
  /** Follows the verb in the node's default name: a field, a topic, the function's name. */
  readonly about?: string;
  readonly parameters: DeclaredParameters<K>;
  /** What the state looks like; absent: the operator has none. */
  readonly shape?: readonly Json[];
  readonly inputs?: readonly Input[];
  readonly id?: unknown;
  readonly name?: unknown;
}
/** The kind tells the type of the parameters, so that wrong ones are a compile error where a verb declares them. */
export type Declaration = { readonly [K in Kind]: DeclarationOf<K> }[Kind];
/** Without the input, which is the stream that the verb is called on. */
export type VerbDeclaration = { readonly [K in Kind]: Omit<DeclarationOf<K>, 'inputs'> }[Kind];
/** A node that can still be renamed. */
export interface Draft {
  readonly builder: Builder;
  /** The variable it was declared in. */
  readonly variable: string;
  readonly declaration: Declaration;
  uid: string;
  name: string;
  exposed: boolean;
}

export class Builder {
  /** The top-level variable that is being initialised; '' in other statements. Set by the compiled cell before each statement. */
  variable = '';
  options: SessionOptions | undefined;
  readonly settings: BuilderOptions;
  /** Names that `param()` asked for. */
  readonly paramsRead = new Set<string>();
  readonly #uids: UidCounter;
  readonly #drafts: Draft[] = [];
  readonly #draftByUid = new Map<string, Draft>();
  readonly #sinks: { readonly draft: Draft; readonly target: string }[] = [];
  #sealed: string | undefined;

  constructor(settings: BuilderOptions) {
    this.settings = settings;
    this.#uids = new UidCounter(settings.group);
  }

  declare(declaration: Declaration): Draft {
    const { verb, about, id, name } = declaration;
    if (this.#sealed !== undefined)
      throw new SluiceError('not-evaluating', `${verb}() cannot be called here: ${this.#sealed}`);
    for (const { from } of declaration.inputs ?? []) this.#refuseForeign(verb, from);
    const draft: Draft = {
      builder: this,
      variable: this.variable,
      declaration,
      uid: '',
      name: name === undefined ? [verb, about].filter(Boolean).join(' ') : checkName(name),
      exposed: false,
    };
    // The counter moves on even when the id is given, so that adding .id() to one operator renames no other.
    const counted = this.#uids.next(this.variable, verb);
    this.#take(draft, id === undefined ? counted : checkUid(id));
    this.#drafts.push(draft);
    return draft;
  }

  /** Cells share one session; an Environment is a job of its own. */
  #refuseForeign(verb: string, from: Origin): void {
    if ('node' in from) return;
    const owner = 'draft' in from ? from.draft.builder : undefined;
    if (owner === this || (owner?.settings.group !== '' && this.settings.group !== '')) return;
    throw new SluiceError(
      'foreign-stream',
      `${verb}() cannot read "${labelOf(from)}": it belongs to another Environment or to the notebook. Build both on one.`,
    );
  }

  /** `.id()`: legal in the chain that creates the operator, so that reading the chain tells its identity. */
  rename(draft: Draft, uid: unknown): void {
    const wanted = checkUid(uid);
    if (wanted === draft.uid) return;
    const former = draft.uid;
    this.#take(draft, wanted);
    this.#draftByUid.delete(former);
  }

  relabel(draft: Draft, label: unknown): void {
    draft.name = checkName(label);
  }
  /** Others may come to read the node: nothing is fused behind it. */
  expose(endpoint: Endpoint): void {
    const draft = 'node' in endpoint ? this.#draftByUid.get(endpoint.node) : undefined;
    if (draft !== undefined) draft.exposed = true;
  }

  #take(draft: Draft, uid: string): void {
    const other = this.#draftByUid.get(uid);
    if (other !== undefined)
      throw new SluiceError(
        'duplicate-id',
        `Two operators have the id "${uid}": ${describeDraft(other)} and ${describeDraft(draft)}. Give one of them another .id().`,
      );
    draft.uid = uid;
    this.#draftByUid.set(uid, draft);
  }

  addSink(draft: Draft, target: string): void {
    this.#sinks.push({ draft, target });
  }

  /** No operator can be added any more; `reason` is the sentence for who tries. */
  seal(reason = 'the evaluation that declares operators is over.'): void {
    this.#sealed ??= reason;
  }

  /** What has been declared so far. */
  fragment(): Fragment {
    const functions = new FunctionTable();
    const nodes = this.#drafts.map((draft) => this.#node(draft, functions));
    const edges = this.#drafts.flatMap((draft) =>
      (draft.declaration.inputs ?? []).map(({ from, input = 0, exchange = 'forward' }): FragmentEdge => ({
        from: toEndpoint(from),
        to: draft.uid,
        input,
        exchange,
      })),
    );
    const sinks = this.#sinks.map(({ draft, target }): SinkSpec => ({ node: draft.uid, target }));
    return {
      group: this.settings.group,
      nodes,
      edges,
      functions,
      sinks,
      ...(this.options && { options: this.options }),
    };
  }

  #node({ uid, name, declaration, exposed }: Draft, functions: FunctionTable): PlanNode {
    const { kind, shape } = declaration;
    const parameters = lower(declaration.parameters, uid, functions, this.settings.captures);
    return {
      id: uid,
      uid,
      kind,
      name,
      group: this.settings.group,
      parameters,
      own: ownHash(kind, parameters),
      shape: shape === undefined ? '' : shapeHash(kind, ...shape),
      ...(exposed && { exposed }),
      // The declaration was typed by its kind, and lowering only puts references in the place of functions.
    } as PlanNode;
  }

  /** The name of a source above `origin` that never ends by itself; undefined when there is none. */
  unboundedSource(origin: Origin): string | undefined {
    if (!('draft' in origin)) {
      const isBounded = this.settings.isBounded?.(origin) ?? true;
      return isBounded ? undefined : labelOf(origin);
    }
    const { declaration, name } = origin.draft;
    const { inputs = [] } = declaration;
    if (isBoundedNode(declaration)) return undefined;
    if (inputs.length === 0) return name;
    return inputs.map(({ from }) => this.unboundedSource(from)).find((source) => source !== undefined);
  }
}

export function toEndpoint(origin: Origin): Endpoint {
  return 'draft' in origin ? { node: origin.draft.uid, port: origin.port } : origin;
}

/** What the user calls the stream: its variable, or the operator's name; of `totals.take(1)`, totals. */
export function labelOf(origin: Origin): string {
  const { port } = origin;
  const whose = 'draft' in origin ? labelOfDraft(origin.draft) : 'variable' in origin ? origin.variable : origin.node;
  return port === 'out' ? whose : `${whose}.${port}`;
}
function labelOfDraft({ declaration, variable, name }: Draft): string {
  const taken = kinds[declaration.kind].goesByItsInput ? declaration.inputs?.[0] : undefined;
  if (taken !== undefined) return labelOf(taken.from);
  return variable === '' ? name : variable;
}

function describeDraft({ name, variable }: Draft): string {
  return variable === '' ? `"${name}"` : `"${name}" (in ${variable})`;
}

export function checkName(label: unknown): string {
  if (typeof label !== 'string' || label.trim() === '')
    throw new SluiceError('bad-name', `An operator's name is a text, not ${JSON.stringify(label) ?? typeof label}.`);
  return label;
}

const evaluation = new AsyncLocalStorage<Builder>();

/** Everything that `fn` calls, and what follows its awaits, declares into this builder. */
export function runWithBuilder<R>(builder: Builder, fn: () => R): R {
  return evaluation.run(builder, fn);
}
/** The builder of the evaluation that is going on; undefined in a program. */
export function currentBuilder(): Builder | undefined {
  return evaluation.getStore();
}

/** The current builder, else the stream's own. `verb` is what the user called. */
export function builderFor(verb: string, own: Builder | undefined): Builder {
  const builder = own?.settings.group === '' ? own : (currentBuilder() ?? own);
  if (builder === undefined)
    throw new SluiceError(
      'no-environment',
      `${verb}() was called outside a notebook cell. In a program, build on an Environment: new Environment().${verb}(…).`,
    );
  return builder;
}
