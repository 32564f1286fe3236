// One evaluation: collects the nodes that the evaluated text declares. It runs nothing.
//
//   new Builder ─► declare* (fragment() at any time: everything declared so far) ─► seal
//
// The place where the text runs decides which builder gets an operator, not the owner of the
// stream. `orders.map()` in cell B, on a stream of cell A, belongs to B. So the evaluation carries
// its builder through all its awaits (AsyncLocalStorage). An Environment has no evaluation; it is
// the builder of its own streams.
import { AsyncLocalStorage } from 'node:async_hooks';
import { SluiceError } from '../errors/error.ts';
import { ownHash, shapeHash } from '../graph/fingerprint.ts';
import { isBoundedNode, type Kind, kinds } from '../graph/kinds.ts';
import type { JobTopics, ParametersByKind } from '../graph/parameters.ts';
import { type CallPlace, FunctionTable, type Exchange, type PlanNode } from '../graph/plan.ts';
import type { Json } from '../graph/spec.ts';
import { checkUid, UidCounter } from '../graph/uid.ts';
import type { DisplaySpec, Endpoint, Fragment, FragmentEdge, PullHost, SinkSpec } from './fragment.ts';
import { lower, type UserFunction } from './parameters.ts';
import type { Display, SessionOptions } from './surface.ts';

export interface BuilderOptions {
  /**
   * The cell's id. '' in an Environment: an operator on its streams always belongs to the
   * Environment, even during the evaluation of a cell.
   */
  readonly group: string;
  readonly pullHost?: PullHost;
  /** Makes the path of `file()` absolute. */
  readonly resolvePath?: (path: string) => string;
  /** The text of a schema file, by its absolute path, if no disk is needed for it. */
  readonly schemaText?: ((path: string) => string | undefined) | undefined;
  /** `--param name=value`. */
  readonly params?: Readonly<Record<string, string>>;
  /**
   * A hash of the cell's text and of everything it captures. It replaces the captures of functions
   * without an annotation.
   */
  readonly captures?: string;
  /** Whether a stream of another group ends by itself. undefined counts as yes. */
  readonly isBounded?: (endpoint: Endpoint) => boolean | undefined;
  /** Default `idleness` of sources: 10 s in a notebook, none in a job. */
  readonly idlenessMillis?: number;
  readonly topics?: JobTopics | undefined;
  /** Sinks show the rows that they would write, or write. */
  readonly showsSinks?: boolean;
  /** Where the user's text calls the verb that is being declared. It is asked during the call. */
  readonly placeOfCall?: () => CallPlace | undefined;
}

/**
 * A place where records can be read: a node that this or another builder declares, or a variable of
 * another group.
 */
export type Origin = { readonly draft: Draft; readonly port: string } | Endpoint;

export interface Input {
  readonly from: Origin;
  readonly input?: 0 | 1;
  readonly exchange?: Exchange;
}
/**
 * The parameters of a kind while they are declared: they hold the user's functions instead of
 * references.
 */
export type DeclaredParameters<K extends Kind> = ParametersByKind<UserFunction>[K];
interface DeclarationOf<K extends Kind> {
  /** The method that the user called. Its calls are counted for the uid. */
  readonly verb: string;
  readonly kind: K;
  /** Stands after the verb in the node's default name: a field, a topic, or the function's name. */
  readonly about?: string;
  readonly parameters: DeclaredParameters<K>;
  /** The form of the state; absent: the operator has none. */
  readonly shape?: readonly Json[];
  readonly inputs?: readonly Input[];
  readonly id?: unknown;
  readonly name?: unknown;
}
/**
 * The kind determines the type of the parameters, so a verb that declares wrong ones does not
 * compile.
 */
export type Declaration = { readonly [K in Kind]: DeclarationOf<K> }[Kind];
/** Without the inputs: the verb reads the stream that it is called on. */
export type VerbDeclaration = { readonly [K in Kind]: Omit<DeclarationOf<K>, 'inputs'> }[Kind];
/** A node that can still be renamed. */
export interface Draft {
  readonly builder: Builder;
  /** The variable whose initialiser declares the node. */
  readonly variable: string;
  readonly declaration: Declaration;
  readonly calledAt: CallPlace | undefined;
  uid: string;
  name: string;
}

export class Builder {
  /**
   * The top-level variable that is being initialised; '' in other statements. The compiled cell
   * sets it before each statement.
   */
  variable = '';
  options: SessionOptions | undefined;
  readonly settings: BuilderOptions;
  /** Names of the parameters that `param()` has read. */
  readonly paramsRead = new Set<string>();
  readonly #uids: UidCounter;
  readonly #drafts: Draft[] = [];
  readonly #draftByUid = new Map<string, Draft>();
  readonly #sinks: { readonly draft: Draft; readonly target: string }[] = [];
  readonly #displays = new Set<Display>();
  readonly #shownSinks: (() => DisplaySpec)[] = [];
  #sealed: string | undefined;

  constructor(settings: BuilderOptions) {
    this.settings = settings;
    this.#uids = new UidCounter(settings.group);
  }

  declare(declaration: Declaration): Draft {
    const { verb, about, id, name } = declaration;
    this.#refuseSealed(verb);
    for (const { from } of declaration.inputs ?? []) this.#refuseForeign(verb, from);
    const draft: Draft = {
      builder: this,
      variable: this.variable,
      declaration,
      calledAt: this.settings.placeOfCall?.(),
      uid: '',
      name: name === undefined ? [verb, about].filter(Boolean).join(' ') : checkName(name),
    };
    // The counter advances even when an id is given, so adding .id() to one operator renames no
    // other.
    const counted = this.#uids.next(this.variable, verb);
    this.#take(draft, id === undefined ? counted : checkUid(id));
    this.#drafts.push(draft);
    return draft;
  }

  #refuseSealed(verb: string): void {
    if (this.#sealed !== undefined)
      throw new SluiceError('not-evaluating', `${verb}() cannot be called here: ${this.#sealed}`);
  }
  /** Cells share one session, but an Environment is its own job. */
  #refuseForeign(verb: string, from: Origin): void {
    if ('node' in from) return;
    const owner = 'draft' in from ? from.draft.builder : undefined;
    if (owner === this || (owner?.settings.group !== '' && this.settings.group !== '')) return;
    throw new SluiceError(
      'foreign-stream',
      `${verb}() cannot read "${labelOf(from)}": it belongs to another Environment or to the notebook. Build both on one.`,
    );
  }

  /**
   * `.id()` is legal only in the chain that creates the operator, so the chain shows the operator's
   * identity.
   */
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

  /** The evaluation shows the display. `verb` is the method that the user called. */
  addDisplay(verb: string, display: Display): void {
    this.#refuseSealed(verb);
    this.#displays.add(display);
  }
  /** The display is a part of another one, which shows it. */
  removeDisplay(display: Display): void {
    this.#displays.delete(display);
  }
  /** In the order in which they were made. */
  get displays(): readonly Display[] {
    return [...this.#displays];
  }
  /** What shows the rows of a sink. The spec is made when all uids are final. */
  showSink(spec: () => DisplaySpec): void {
    this.#shownSinks.push(spec);
  }
  /** In the order of their declarations. */
  sinkDisplays(): readonly DisplaySpec[] {
    return this.#shownSinks.map((spec) => spec());
  }

  /**
   * No operator or display can be added any more. `reason` is the sentence for the error of a later
   * call.
   */
  seal(reason = 'the evaluation that declares operators is over.'): void {
    this.#sealed ??= reason;
  }

  /** Everything declared so far. */
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

  #node({ uid, name, declaration, calledAt }: Draft, functions: FunctionTable): PlanNode {
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
      ...(calledAt && { calledAt }),
      // `Declaration` has checked the parameters by kind. Lowering only replaces functions by
      // references.
    } as PlanNode;
  }

  /**
   * The name of a source above `origin` that never ends by itself; undefined when all sources end.
   */
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

/**
 * The user's name for the stream: its variable, or the operator's name. For `totals.take(1)` it is
 * totals.
 */
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

function checkName(label: unknown): string {
  if (typeof label !== 'string' || label.trim() === '')
    throw new SluiceError('bad-name', `An operator's name is a text, not ${JSON.stringify(label) ?? typeof label}.`);
  return label;
}

const evaluation = new AsyncLocalStorage<Builder>();

/** Everything that `fn` calls declares into this builder, also after its awaits. */
export function runWithBuilder<R>(builder: Builder, fn: () => R): R {
  return evaluation.run(builder, fn);
}
/** The builder of the current evaluation; undefined in a program. */
export function currentBuilder(): Builder | undefined {
  return evaluation.getStore();
}

/** The current builder, else the stream's own. undefined in a program without an Environment. */
export function evaluationFor(own: Builder | undefined): Builder | undefined {
  return own?.settings.group === '' ? own : (currentBuilder() ?? own);
}
/**
 * As `evaluationFor`; without a builder it is an error. `verb` is the method that the user called.
 */
export function builderFor(verb: string, own: Builder | undefined): Builder {
  const builder = evaluationFor(own);
  if (builder === undefined)
    throw new SluiceError(
      'no-environment',
      `${verb}() was called outside a notebook cell. In a program, build on an Environment: new Environment().${verb}(…).`,
    );
  return builder;
}
