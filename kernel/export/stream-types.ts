// The types of the streams that a job's statements make, by the place of the call that makes each.
// The plan notes the same place for each operator, so its edges get the types from here.
import ts from 'typescript';
import type { CallPlace } from '../../engine/graph/plan.ts';
import type { RowType } from '../../engine/graph/row-type.ts';
import type { TypedModule } from '../cells/language-service.ts';
import { ourCallee } from '../cells/our-callee.ts';
import { TextLines } from '../cells/text-lines.ts';
import { evaluatedNodes } from './evaluated-nodes.ts';
import { rowType } from './row-types.ts';
import type { Statement } from './statements.ts';
import { ourType } from './surface-calls.ts';

export interface StreamType {
  readonly call: ts.CallExpression;
  readonly verb: string;
  /** Absent: the call is in a module of the user. */
  readonly cell?: string;
  readonly file?: string;
  /** Of the verb's name. One-based, as in `CallPlace`. */
  readonly line: number;
  readonly column: number;
  /** By port: 'out', 'late', 'errors', 'timedOut'. */
  readonly ports: Readonly<Record<string, RowType>>;
  /** Of the stream that the verb is called on. */
  readonly input?: RowType;
}

const streams =
  /^(?:Stream|SourceStream|WindowResult|PatternResult|KeyedStream|WindowedStream|BroadcastStream|Table|GroupedTable)$/;
const sideOutputs = ['late', 'errors', 'timedOut'] as const;

/** `running`: the statements of the job. Each call once, in document order. */
export function streamTypes(running: readonly Statement[], typed: TypedModule): readonly StreamType[] {
  const lines = new Map<ts.SourceFile, TextLines>();
  const seen = new Set<ts.Node>();
  return running.flatMap(({ node }) =>
    evaluatedNodes(node, typed.checker).flatMap((call): StreamType[] => {
      if (!ts.isCallExpression(call) || seen.has(call)) return [];
      seen.add(call);
      const verb = ourCallee(call, typed);
      const ports = verb === undefined ? undefined : portsOf(typed.checker.getTypeAtLocation(call), typed);
      if (verb === undefined || !ports) return [];
      const name = ts.isPropertyAccessExpression(call.expression) ? call.expression.name : call.expression;
      const from = ts.isPropertyAccessExpression(call.expression) ? call.expression.expression : undefined;
      const input = from && portsOf(typed.checker.getTypeAtLocation(from), typed)?.['out'];
      return [{ call, verb, ...placeOf(name, typed, lines), ports, ...(input && { input }) }];
    }),
  );
}

/** undefined: it is no stream. */
function portsOf(type: ts.Type, typed: TypedModule): Readonly<Record<string, RowType>> | undefined {
  const out = elementOf(type, typed);
  if (!out) return undefined;
  const ports: Record<string, RowType> = { out: rowType(out, typed) };
  for (const port of sideOutputs) {
    const symbol = type.getProperty(port);
    const element = symbol && elementOf(typed.checker.getTypeOfSymbolAtLocation(symbol, typed.source), typed);
    if (element) ports[port] = rowType(element, typed);
  }
  return ports;
}
/** The type of the elements of a stream, or of the rows of a table. */
function elementOf(type: ts.Type, typed: TypedModule): ts.Type | undefined {
  const name = ourType(type, typed);
  return name !== undefined && streams.test(name)
    ? typed.checker.getTypeArguments(type as ts.TypeReference)[0]
    : undefined;
}

function placeOf(
  name: ts.Node,
  { module, source }: TypedModule,
  lines: Map<ts.SourceFile, TextLines>,
): Pick<StreamType, 'cell' | 'file' | 'line' | 'column'> {
  const file = name.getSourceFile();
  const start = name.getStart(file);
  if (file === source) {
    const at = module.toCell(start)!;
    const { line, column } = module.lines(at.cell).position(at.offset);
    return { cell: module.cells[at.cell]!.id, line: line + 1, column: column + 1 };
  }
  const text = lines.get(file) ?? new TextLines(file.text);
  lines.set(file, text);
  const { line, column } = text.position(start);
  return { file: file.fileName, line: line + 1, column: column + 1 };
}

/** The types of a call by the place that the plan notes for it. */
export function typesByPlace(
  types: readonly StreamType[],
): (group: string, place: CallPlace) => StreamType['ports'] | undefined {
  const key = (where: string, line: number, column: number): string => `${where}\0${line}\0${column}`;
  const byPlace = new Map(
    types.map(({ cell, file, line, column, ports }) => [key(file ?? `cell ${cell}`, line, column), ports] as const),
  );
  return (group, { file, cell = group, line, column }) => byPlace.get(key(file ?? `cell ${cell}`, line, column));
}
