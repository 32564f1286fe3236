// What becomes of a notebook as a job: the statements that go, those that stay behind, the values
// that functions capture, the modules it needs, and everything that keeps it from running. `check
// --target`, `export` and the editor ask this one function.
//
// It reads and runs nothing of the notebook: it works on its texts and on their types.
import type ts from 'typescript';
import { diagnostic, type CellDiagnostic } from '../cells/compile.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { capturedAssignments } from '../cells/scope.ts';
import type { ModuleCell } from '../cells/virtual-module.ts';
import type { ParamDefault, Registries } from '../job/job-data.ts';
import { listed } from '../live/listed.ts';
import { type CapturedValue, capturedValues } from './captured-values.ts';
import { usedConnections } from './connections.ts';
import { type Constants, constantsOf } from './constants.ts';
import { clockedSinks } from './delivery.ts';
import { type GraphNode, jobGraph } from './job-graph.ts';
import { jobModules, type JobModules } from './job-modules.ts';
import { withModules } from './module-definitions.ts';
import { capturedMutations, type Mutation } from './mutations.ts';
import { liveMessage } from './not-data.ts';
import { paramDefaults } from './param-defaults.ts';
import { atNode, atPlace, type Problem } from './problem-places.ts';
import { type DropReason, prune, type Pruned } from './prune.ts';
import { countedStatements, prunedCells, streamExpressions } from './pruned-cells.ts';
import { untypedStreams } from './untyped-streams.ts';
import { usedSchemaFiles } from './schema-files.ts';
import { type Statement, statementsOf, statementText } from './statements.ts';
import { steadyValues } from './steady-constants.ts';
import { type StreamType, streamTypes } from './stream-types.ts';

export const targets = ['node', 'flink'] as const;
export type Target = (typeof targets)[number];

/** A statement of the notebook, for people. Lines are one-based, in the cell's text. */
export interface StatementPlace {
  readonly cell: string;
  readonly line: number;
  readonly text: string;
}
export interface Exportability {
  /** How many sinks the notebook has. */
  readonly sinks: number;
  /** The cells of the job. Their ids are those of the notebook, so the uids are too. */
  readonly cells: readonly ModuleCell[];
  readonly keeps: readonly (StatementPlace & { readonly because: string })[];
  readonly drops: readonly (StatementPlace & { readonly reason: DropReason })[];
  readonly captured: readonly CapturedValue[];
  /** What the export evaluates. */
  readonly constants: Constants;
  /** Those of them that an editor may evaluate while the user types. */
  readonly steady: Constants;
  readonly modules: JobModules;
  readonly graph: readonly GraphNode[];
  /** The types of the rows of each stream. */
  readonly streams: readonly StreamType[];
  /** Kafka connections by name; '' is the default one. */
  readonly connections: readonly string[];
  readonly registries: Registries;
  /** The texts of schema files by path. */
  readonly schemas: Readonly<Record<string, string>>;
  readonly paramDefaults: Readonly<Record<string, ParamDefault>>;
  /** With an error among them, the notebook cannot be exported. */
  readonly problems: readonly CellDiagnostic[];
}

/** `notebook`: its absolute path. */
export function exportability(notebook: string, target: Target, typed: TypedModule): Exportability {
  const { resolution } = typed;
  const statements = statementsOf(typed);
  const { pruned, counted } = pruneWithIds(statements, typed);
  const kept = pruned.kept.map(({ statement }) => statement);
  const running = [...kept, ...counted].sort((a, b) => a.start - b.start);
  const captured = capturedValues(running, typed);
  const streams = streamTypes(running, typed);
  const modules = jobModules(notebook, running, resolution, typed);
  const roots = withModules(
    running.map(({ node }) => node),
    typed,
  );
  const connections = usedConnections(roots, typed);
  const placed = (node: ts.Node, problem: Problem): CellDiagnostic => atNode(typed, running, node, problem);
  const schemas = usedSchemaFiles(notebook, roots, typed);
  const problems = [
    ...(pruned.sinks.length === 0 ? [noSink(target)] : []),
    ...clockedSinks(kept, typed).map(({ sink, isSure }) => placed(sink, clockProblem(isSure))),
    ...modules.problems.map((found) => atPlace(typed, { ...found, code: 'not-bundled' })),
    ...captured.flatMap((value) => problemsOf(value, target, typed)),
    ...capturedMutations(kept, typed).map((mutation) => mutationProblem(mutation, typed)),
    ...connections.problems.map((found) => placed(found.call, found)),
    ...schemas.problems.map((found) => placed(found.call, found)),
    ...(target === 'flink' ? untypedStreams(streams).map((found) => placed(found.call, found)) : []),
    ...[...counted].flatMap((statement) =>
      uncountedProblem(statement, typed).map((problem) => placed(statement.node, problem)),
    ),
    ...capturedAssignments(resolution).map(({ cell, offset, length, code, message }) =>
      diagnostic(typed.module.cells[cell]!.id, typed.module.lines(cell), { offset, length, code, message }),
    ),
  ];
  const constantsIn = (values: readonly CapturedValue[]): Constants =>
    constantsOf(values, running, statements, typed, ({ capturedAt, name }) => {
      const place = { offset: capturedAt, length: name.length, code: '', message: '' };
      const { cell, offset, length, line, column } = atPlace(typed, place);
      return { cell, offset, length, line, column };
    });
  const placeOf = (statement: Statement): StatementPlace => statementPlace(statement, typed);
  return {
    sinks: pruned.sinks.length,
    cells: prunedCells(pruned, counted, typed),
    keeps: pruned.kept.map(({ statement, because }) => ({ ...placeOf(statement), because })),
    drops: pruned.dropped.map(({ statement, reason }) => ({ ...placeOf(statement), reason })),
    captured,
    constants: constantsIn(captured),
    steady: constantsIn(steadyValues(captured, running, typed)),
    modules,
    graph: jobGraph(kept, typed),
    streams,
    connections: connections.names,
    registries: { names: connections.registries, isUsed: connections.usesRegistry },
    schemas: schemas.texts,
    paramDefaults: paramDefaults(roots, typed),
    problems,
  };
}

/** What a dropped statement counts for ids uses names too, so it may keep more. */
function pruneWithIds(
  statements: readonly Statement[],
  typed: TypedModule,
): { readonly pruned: Pruned; readonly counted: ReadonlySet<Statement> } {
  const counted = new Set<Statement>();
  for (;;) {
    const pruned = prune(statements, typed, counted);
    const more = countedStatements(pruned, typed).filter((statement) => !counted.has(statement));
    if (more.length === 0) return { pruned, counted };
    for (const statement of more) counted.add(statement);
  }
}

function statementPlace(statement: Statement, { module }: TypedModule): StatementPlace {
  const { cell, start } = statement;
  const { line } = module.lines(cell).position(module.toCell(start)!.offset);
  return { cell: module.cells[cell]!.id, line: line + 1, text: statementText(statement) };
}

// ---------------------------------------------------------------------------------------- problems

function clockProblem(isSure: boolean): Problem {
  const asks = isSure ? 'asks' : 'may ask';
  const message = `This sink ${asks} for exactly-once, but its rows follow the clock alone: what is read again after a restart gives other rows. Give the source a timestamp, or ask for delivery: 'at-least-once'.`;
  return { code: 'exactly-once-by-clock', severity: isSure ? 'error' : 'warning', message };
}

function noSink(target: Target): CellDiagnostic {
  const message = `This notebook has no sink, so a ${target === 'node' ? 'Node' : 'Flink'} job of it would do nothing. Add one: to(), toFile() or sink().`;
  return { cell: '', code: 'no-sink', message, severity: 'error', offset: 0, length: 0, line: 1, column: 1 };
}

function problemsOf(value: CapturedValue, target: Target, typed: TypedModule): readonly CellDiagnostic[] {
  const { name, what, cell: owner, dependences, capturedAt } = value;
  const place = { offset: capturedAt, length: name.length };
  if (value.kind === 'live')
    return [
      atPlace(typed, { ...place, code: 'captured-live', message: liveMessage(name, owner, what ?? 'an object') }),
    ];
  const { on, changer } = dependences;
  if (on.length === 0) return [];
  const captures = `This function captures ${name} of cell "${owner}"`;
  if (changer) {
    const { cell, line } = statementPlace(changer, typed);
    const message = `${captures}, which line ${line} of cell "${cell}" changes by ${listed(on)}. Each start would change it anew. Compute it in its definition.`;
    return [atPlace(typed, { ...place, code: 'captured-unsteady', message })];
  }
  const isOfExport = value.kind === 'constant' && !dependences.isOfStart;
  const forbidden = !isOfExport && target === 'flink';
  return [
    atPlace(typed, {
      ...place,
      code: 'captured-unsteady',
      severity: forbidden ? 'error' : 'warning',
      message: `${captures}, which depends on ${listed(on)}. ${whenText(isOfExport, target)}`,
    }),
  ];
}
function whenText(isOfExport: boolean, target: Target): string {
  if (isOfExport) return 'The job has the value of the export. Give it as a param() to choose it when the job starts.';
  return target === 'node'
    ? 'The job evaluates it where it starts. Give it as a param() to see it in its configuration.'
    : 'Every task manager would evaluate it for itself. Give it as a param(), or write the value.';
}
function mutationProblem({ use, how }: Mutation, typed: TypedModule): CellDiagnostic {
  const { name, at } = use.declared;
  const owner = typed.module.cells[at.cell]!.id;
  return atPlace(typed, {
    ...{ offset: use.offset, length: name.length, code: 'captured-mutation' },
    message: `This function changes ${name} of cell "${owner}", which it captures (${how}): the change would be neither saved nor shared. Keep it in keyed state, or in the elements.`,
  });
}
function uncountedProblem(statement: Statement, typed: TypedModule): readonly Problem[] {
  if (streamExpressions(statement, typed) !== undefined) return [];
  const message =
    'The job drops this statement, and the ids of operators behind it in this cell count its operators. Give those operators an .id(), or move this statement into a cell of its own.';
  return [{ code: 'ids-move', message }];
}
