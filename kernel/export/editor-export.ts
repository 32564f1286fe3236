// What the editor says of an export: problems as the user types, and the preview before it.
import type { CellDiagnostic } from '../cells/compile.ts';
import type { ExportProblem, JobTarget, NotebookExport, ProblemsOfExport } from '../cells/language-notebooks.ts';
import type { NotebookLanguageService, TypedModule } from '../cells/language-service.ts';
import { packageName } from '../cells/specifiers.ts';
import type { ExportPreview } from '../protocol/language.ts';
import type { CapturedValue } from './captured-values.ts';
import { dropReasons } from './drop-reasons.ts';
import { DryBundles } from './dry-bundles.ts';
import { exportability, type Exportability } from './exportability.ts';
import { rowTypeText } from './row-types.ts';
import { SteadyFaults } from './steady-faults.ts';

type Problems = readonly CellDiagnostic[];

/** Of all open notebooks. It remembers what bundling and evaluating have found. */
export class EditorExport implements NotebookExport {
  readonly #bundles = new DryBundles();
  readonly #faults: SteadyFaults;

  /** `file`: what a process runs that evaluates constants. */
  constructor(file: string) {
    this.#faults = new SteadyFaults(file);
  }

  /** A notebook without a sink is not meant to be a job, so nothing is said of it. */
  problems(notebook: string, target: JobTarget, typed: TypedModule): ProblemsOfExport {
    const exported = exportability(notebook, target, typed);
    if (exported.sinks === 0) return { known: [] };
    const more = this.#more(notebook, exported);
    const known = [...exported.problems, ...more.flatMap((one) => (one instanceof Promise ? [] : one))].map(asHint);
    const isComing = more.some((one) => one instanceof Promise);
    if (!isComing) return { known };
    const coming = more.filter((one) => one instanceof Promise);
    return { known, coming: Promise.all(coming).then((found) => found.flat().map(asHint)) };
  }

  /** What bundling and evaluating find. */
  #more(notebook: string, { modules, steady }: Exportability): readonly (Problems | Promise<Problems>)[] {
    return [this.#bundles.problems(notebook, modules.bundled), this.#faults.problems(notebook, steady)];
  }

  async preview(notebook: string, target: JobTarget, service: NotebookLanguageService): Promise<ExportPreview> {
    const exported = exportability(notebook, target, service.typed());
    const shown = previewOf(exported, service);
    const more = await Promise.all(this.#more(notebook, exported).map(async (one) => await one));
    return { ...shown, problems: [...shown.problems, ...more.flat().map(previewedProblem)] };
  }

  forget(notebook: string): void {
    this.#bundles.forget(notebook);
    this.#faults.forget(notebook);
  }
}

function asHint(problem: CellDiagnostic): ExportProblem {
  return { ...problem, severity: problem.severity === 'error' ? 'warning' : 'information' };
}
function previewedProblem({ cell, line, message, severity }: CellDiagnostic): ExportPreview['problems'][number] {
  return { cell, line, message, severity };
}

function previewOf(exported: Exportability, service: NotebookLanguageService): ExportPreview {
  // As for a compiler, what TypeScript finds keeps a job from being made.
  const ofCells = service
    .diagnostics()
    .flatMap((cell) => cell.map((one): CellDiagnostic => ({ ...one, severity: 'error' })));
  const { captured, modules, connections, graph, streams } = exported;
  const evaluated = new Set(exported.steady.captured.map(({ name }) => name));
  return {
    goes: exported.keeps.map(({ because, ...place }) => ({ ...place, because: keptBecause(because) })),
    stays: exported.drops.map(({ reason, ...place }) => ({ ...place, because: dropReasons[reason] })),
    captured: captured.flatMap((value) => {
      const text = valueText(value, evaluated.has(value.name));
      return text === undefined ? [] : [{ name: value.name, cell: value.cell, value: text }];
    }),
    streams: graph.map(({ name, verbs, place }) => {
      const type = streams.find(({ call }) => call === place)?.ports['out'];
      return { name, verbs, rows: type ? rowTypeText(type) : '' };
    }),
    modules: [
      ...new Set([...modules.specifiers.filter(isOfUser), ...modules.bundled.map(({ specifier }) => specifier)]),
    ],
    connections,
    problems: [...ofCells, ...exported.problems].map(previewedProblem),
  };
}

function keptBecause(because: string): string {
  if (because === 'sink') return 'a sink';
  if (because === 'settings') return 'settings of the job';
  if (because === 'type') return 'a type';
  return because === 'import' ? 'an import' : `a sink needs ${because}`;
}

/** undefined: its text goes into the job. */
function valueText({ kind, value, dependences }: CapturedValue, isEvaluated: boolean): string | undefined {
  if (kind === 'literal') return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
  if (kind !== 'constant') return undefined;
  if (!dependences.isOfStart)
    return isEvaluated ? 'its value at the export' : 'its value at the export, which alone evaluates it';
  return 'evaluated where the job starts';
}
function isOfUser(specifier: string): boolean {
  return packageName(specifier) !== 'sluice' && !specifier.startsWith('node:');
}
