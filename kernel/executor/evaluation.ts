// Evaluates cells in the executor. A cell gets the values of other cells, modules and a builder.
// Its declarations and its last expression become the result.
import { inspect } from 'node:util';
import { dirname, resolve } from 'node:path';
import { Builder, runWithBuilder } from '../../engine/api/builder.ts';
import type { Endpoint, Fragment } from '../../engine/api/fragment.ts';
import { endpointOf, isStreamLike, reference } from '../../engine/api/reference.ts';
import { shownBy } from '../../engine/api/view.ts';
import { isSluiceError, readThrown } from '../../engine/errors/thrown.ts';
import type { JobTopics } from '../../engine/graph/parameters.ts';
import { hashValue } from '../../engine/graph/fingerprint.ts';
import type { CallPlace, PlanNode } from '../../engine/graph/plan.ts';
import type { PresentRow } from '../../engine/runtime/table-lookup.ts';
import { CellEvaluation } from '../cells/cell-runtime.ts';
import { type CellModules, moduleNews } from '../cells/cell-modules.ts';
import { evaluateCell } from '../cells/evaluate.ts';
import type { ModuleFiles } from '../cells/module-files.ts';
import { metaOf, ModuleLoader } from '../cells/modules.ts';
import { copyData } from '../cells/plain-data.ts';
import { withoutSourceMap } from '../cells/source-map.ts';
import { SourcePlaces } from '../cells/source-places.ts';
import { cutForDisplay, cutText } from '../protocol/display-cut.ts';
import { toWire } from '../protocol/values.ts';
import type { KeptData } from '../cells/kept-data.ts';
import { type ModuleNews, noModules, type UsedModules } from '../cells/used-modules.ts';
import type { Displayed, EvaluateCommand, Export, LocatedError } from './executor-protocol.ts';
import { ownModules } from './own-modules.ts';

export interface EvaluationResult {
  readonly fragment: Fragment;
  readonly exports: readonly Export[];
  readonly displayed: Displayed;
  readonly kept: KeptData;
  /** undefined: it has imported none. */
  readonly used: UsedModules | undefined;
  /** Of a cell that is evaluated again with its modules. */
  readonly news: ModuleNews | undefined;
}
export interface EvaluatorHost {
  readonly openPull: (run: number, from: Endpoint, label: string, fragment: Fragment) => AsyncIterableIterator<unknown>;
  /** The row of a key in a table that runs, by the uid of the operator that gives its changes. */
  readonly lookup: (uid: string, key: readonly unknown[]) => PresentRow | undefined;
}

export interface EvaluatorOptions {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly params: Readonly<Record<string, string>>;
  /** A job reads without a default for idleness: the same input gives the same rows at any pace. */
  readonly isJob: boolean;
  readonly modules: ModuleFiles;
  readonly topics?: JobTopics | undefined;
  /** Values of a cell that an export has evaluated. undefined: it has evaluated none. */
  readonly constants?: ((cell: string) => KeptData | undefined) | undefined;
  /** A statement of a cell begins. `names`: the variables that it defines, behind commas. */
  readonly begins?: ((cell: string, names: string) => void) | undefined;
}

/**
 * Silent partitions are taken out after this in a notebook, when the source does not say otherwise.
 */
const notebookIdlenessMillis = 10_000;
/** Values whose JSON is shorter can be unfolded where they are shown. */
const unfoldedLength = 20_000;
/** Characters of the final value of a cell. An inspected object has several lines. */
const longestValue = 100_000;

type Values = Readonly<Record<string, unknown>>;
/** What the last successful run of a cell left. */
interface Committed {
  readonly values: Values;
  readonly nodes: readonly PlanNode[];
  /** They hold the instances that the cell runs with. */
  readonly modules: CellModules;
}

export class Evaluator {
  readonly #notebook: string;
  readonly #params: Readonly<Record<string, string>>;
  readonly #idlenessMillis: number | undefined;
  readonly #isJob: boolean;
  readonly #topics: JobTopics | undefined;
  readonly #constants: EvaluatorOptions['constants'];
  readonly #begins: EvaluatorOptions['begins'];
  readonly #host: EvaluatorHost;
  readonly #places = new SourcePlaces();
  readonly #files: ModuleFiles;
  readonly #modules: ModuleLoader;
  readonly #committed = new Map<string, Committed>();

  constructor(options: EvaluatorOptions, host: EvaluatorHost) {
    const { notebook, params, isJob, modules, topics } = options;
    this.#constants = options.constants;
    this.#begins = options.begins;
    this.#notebook = notebook;
    this.#params = params;
    this.#idlenessMillis = isJob ? undefined : notebookIdlenessMillis;
    this.#isJob = isJob;
    this.#topics = topics;
    this.#host = host;
    this.#files = modules;
    this.#modules = new ModuleLoader({
      notebook,
      files: modules,
      builtins: ownModules,
      places: this.#places,
    });
  }

  begin(command: EvaluateCommand): Evaluation {
    // A cell goes on with the data that it captured, even if the other cell has changed them since.
    const captured = command.restore?.values ?? {};
    const given = Object.fromEntries(
      command.uses.map(({ name, cell }) => [
        name,
        Object.hasOwn(captured, capturedKey(name))
          ? captured[capturedKey(name)]
          : reference(this.#committed.get(cell)?.values[name], cell, name),
      ]),
    );
    const folder = dirname(this.#notebook);
    const builder = new Builder({
      group: command.cell,
      resolvePath: (path) => resolve(folder, path),
      schemaText: this.#files.schemaText,
      params: this.#params,
      captures: hashValue([withoutSourceMap(command.code), Object.values(given)]),
      idlenessMillis: this.#idlenessMillis,
      topics: this.#topics,
      isBounded: (endpoint) => this.#isBounded(endpoint),
      showsSinks: !this.#isJob,
      placeOfCall: () => this.#placeOfCall(command.cell),
      pullHost: {
        pull: (from, label, fragment) => this.#host.openPull(command.run, from, label, fragment),
        lookup: (from, key) => this.#lookup(from, key),
      },
    });
    const { used } = command;
    const modules = this.#modules.modulesOfCell(used);
    const runtime = new CellEvaluation({
      in: given,
      setVariable: (name) => {
        builder.variable = name;
        this.#begins?.(command.cell, name);
      },
      import: (...imported) => this.#modules.import(modules, ...imported),
      later: (specifiers) => this.#modules.noteLater(modules, specifiers),
      meta: metaOf(this.#notebook),
      restore: command.restore ?? this.#constants?.(command.cell),
    });
    const news = used && ((): Promise<ModuleNews> => moduleNews(used, this.#notebook, this.#files));
    return new Evaluation(command, { builder, runtime, modules, news }, this.#places);
  }

  commit(evaluation: Evaluation | undefined): void {
    if (!evaluation?.values) return;
    const { cell, values, nodes, modules } = evaluation;
    this.#committed.set(cell, { values, nodes, modules });
  }
  forget(cell: string): void {
    this.#committed.delete(cell);
  }
  committedNodes(): readonly PlanNode[] {
    return [...this.#committed.values()].flatMap((cell) => cell.nodes);
  }

  /** The error with the place in the user's text. */
  locate(error: unknown, cell: string): LocatedError {
    const place = this.#places.locate(error);
    const isOurs = isSluiceError(error);
    const { isError, name, message } = readThrown(error);
    return {
      code: isOurs ? error.code : 'exception',
      ...(isOurs && typeof error.details['checkpoint'] === 'number' && { checkpoint: error.details['checkpoint'] }),
      message: cutText(isOurs ? message : `${isError ? name : 'Thrown'}: ${message}`),
      ...(place?.file === undefined ? { cell: place?.cell ?? cell } : { file: place.file }),
      ...(place && { line: place.line, column: place.column, excerpt: place.excerpt }),
      ...(!isOurs && { stack: this.#places.stack(error) }),
    };
  }

  #placeOfCall(group: string): CallPlace | undefined {
    const place = this.#places.here();
    if (place === undefined) return undefined;
    const { file, cell, line, column, excerpt } = place;
    const isElsewhere = cell !== undefined && cell !== group;
    return { ...(file !== undefined && { file }), ...(isElsewhere && { cell }), line, column, excerpt };
  }

  /**
   * Only declarations of another cell's last run. A declaration of this cell does not run yet, even
   * if something runs under its name.
   */
  #lookup(endpoint: Endpoint, key: readonly unknown[]): PresentRow | undefined {
    if ('node' in endpoint) return undefined;
    const held = this.#committed.get(endpoint.group)?.values[endpoint.variable];
    if (!isStreamLike(held)) return undefined;
    const { origin } = held.place;
    return 'draft' in origin ? this.#host.lookup(origin.draft.uid, key) : this.#lookup(origin, key);
  }
  #isBounded(endpoint: Endpoint): boolean | undefined {
    if ('node' in endpoint) return undefined;
    const held = this.#committed.get(endpoint.group)?.values[endpoint.variable];
    if (!isStreamLike(held)) return undefined;
    const { origin } = held.place;
    if (!('draft' in origin)) return this.#isBounded(origin);
    return origin.draft.builder.unboundedSource(origin) === undefined;
  }
}

interface EvaluationParts {
  readonly builder: Builder;
  readonly runtime: CellEvaluation;
  readonly modules: CellModules;
  readonly news: (() => Promise<ModuleNews>) | undefined;
}

export class Evaluation {
  readonly cell: string;
  readonly modules: CellModules;
  /** Values of the names the cell declares, once it is evaluated. */
  values: Values | undefined;
  nodes: readonly PlanNode[] = [];
  isOver = false;
  readonly #command: EvaluateCommand;
  readonly #builder: Builder;
  readonly #runtime: CellEvaluation;
  readonly #news: EvaluationParts['news'];
  readonly #places: SourcePlaces;
  readonly #aborted = Promise.withResolvers<never>();

  constructor(command: EvaluateCommand, { builder, runtime, modules, news }: EvaluationParts, places: SourcePlaces) {
    this.cell = command.cell;
    this.modules = modules;
    this.#news = news;
    this.#command = command;
    this.#builder = builder;
    this.#runtime = runtime;
    this.#places = places;
    this.#aborted.promise.catch(() => {});
  }

  /** Somebody outside wants to see what the cell pulls. */
  get tellsPulls(): boolean {
    return this.#command.tellsPulls === true;
  }

  async run(): Promise<EvaluationResult> {
    const { cell, code, version } = this.#command;
    try {
      const evaluated = runWithBuilder(this.#builder, () =>
        evaluateCell({ id: cell, code, version }, this.#runtime, this.#places),
      );
      const { out, last } = await Promise.race([evaluated, this.#aborted.promise]);
      const news = await this.#news?.();
      this.values = out;
      this.#builder.variable = '';
      const displayed = displayedOf(this.#builder, last);
      const fragment = this.#builder.fragment();
      this.nodes = fragment.nodes;
      const exports = Object.entries(out).map(exportOf);
      return { fragment, exports, displayed, kept: this.#kept(), used: this.modules.used ?? noModules, news };
    } finally {
      this.isOver = true;
      this.#builder.seal(`the run of cell "${cell}" is over.`);
    }
  }
  #kept(): KeptData {
    const values: Record<string, unknown> = { ...this.#runtime.keptData.values };
    for (const [name, value] of Object.entries(this.#runtime.in)) {
      const copy = copyData(value);
      if (copy.isData) values[capturedKey(name)] = copy.value;
    }
    return { values };
  }
  /** The user has interrupted it: whatever it still does, nothing of it counts. */
  abort(error: Error): void {
    this.#aborted.reject(error);
  }
  abandon(reason: string): void {
    this.#builder.seal(reason);
  }
}

/** Under which a value of another cell is kept; no declared name has a # in it. */
function capturedKey(name: string): string {
  return `in#${name}`;
}

function exportOf([name, value]: [string, unknown]): Export {
  const endpoint = endpointOf(value);
  return endpoint ? { kind: 'stream', name, endpoint } : { kind: 'value', name, hash: hashValue(value) };
}

function displayedOf(builder: Builder, last: unknown): Displayed {
  const { parts: own, showsLast } = shownBy(builder, last);
  const parts = [...own, ...builder.sinkDisplays()];
  if (showsLast || last === undefined || isSink(last)) return { parts };
  return { parts, value: shownValueOf(last) };
}
function shownValueOf(last: unknown): NonNullable<Displayed['value']> {
  const text =
    typeof last === 'string'
      ? last
      : inspect(last, { depth: 4, breakLength: 100, maxArrayLength: 100, maxStringLength: 10_000 });
  const copy = copyData(last);
  const cut = copy.isData ? cutForDisplay(copy.value) : undefined;
  // Only a value that is small and whole is sent as data. Encoding a huge one would double it.
  const wire = cut && cut.size <= unfoldedLength ? toWire(cut.value) : undefined;
  const isSmall = wire !== undefined && JSON.stringify(wire).length <= unfoldedLength;
  return { text: cutText(text, longestValue), ...(isSmall && { wire }) };
}
function isSink(value: unknown): boolean {
  return value !== null && typeof value === 'object' && (value as { kind?: unknown }).kind === 'sink';
}
