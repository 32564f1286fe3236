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

/** Of all open notebooks. It remembers what bundling has found. */
export class EditorExport implements NotebookExport {
  readonly #bundles = new DryBundles();

  /** A notebook without a sink is not meant to be a job, so nothing is said of it. */
  problems(notebook: string, target: JobTarget, typed: TypedModule): ProblemsOfExport {
    const { sinks, problems, modules } = exportability(notebook, target, typed);
    if (sinks === 0) return { known: [] };
    const ofBundle = this.#bundles.problems(notebook, modules.bundled);
    if (!(ofBundle instanceof Promise)) return { known: [...problems, ...ofBundle].map(asHint) };
    return { known: problems.map(asHint), coming: ofBundle.then((more) => more.map(asHint)) };
  }

  async preview(notebook: string, target: JobTarget, service: NotebookLanguageService): Promise<ExportPreview> {
    const exported = exportability(notebook, target, service.typed());
    const shown = previewOf(exported, service);
    const ofBundle = await this.#bundles.problems(notebook, exported.modules.bundled);
    return { ...shown, problems: [...shown.problems, ...ofBundle.map(previewedProblem)] };
  }

  forget(notebook: string): void {
    this.#bundles.forget(notebook);
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
  return {
    goes: exported.keeps.map(({ because, ...place }) => ({ ...place, because: keptBecause(because) })),
    stays: exported.drops.map(({ reason, ...place }) => ({ ...place, because: dropReasons[reason] })),
    captured: captured.flatMap((value) => {
      const text = valueText(value);
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
function valueText({ kind, value, dependences }: CapturedValue): string | undefined {
  if (kind === 'literal') return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value);
  if (kind !== 'constant') return undefined;
  if (!dependences.isOfStart) return 'its value at the export';
  return 'evaluated where the job starts';
}
function isOfUser(specifier: string): boolean {
  return packageName(specifier) !== 'sluice' && !specifier.startsWith('node:');
}
