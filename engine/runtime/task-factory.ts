// Makes the task of a chain: its head is an operator or a source, of the host or of the plan, or
// stages alone.
import { createSource, type SourceOptions } from '../connectors/registry.ts';
import { createSink } from '../connectors/sinks.ts';
import type { Operator } from '../contract/operator.ts';
import type { Source } from '../contract/source.ts';
import { SluiceError } from '../errors/error.ts';
import type { Chain, TaskEdge } from '../graph/chains.ts';
import { isSource } from '../graph/kinds.ts';
import type { FunctionTable, PlanNode } from '../graph/plan.ts';
import { createOperator, stageOf } from './operator-registry.ts';
import type { RunningLoops } from './running-loops.ts';
import { Task, type TaskHost } from './task.ts';
import type { Head } from './task-head.ts';

export interface TaskParts {
  readonly functions: FunctionTable;
  readonly sources: SourceOptions;
  readonly loops: RunningLoops;
  /** Operators and sources of the host, by kind: displays, pulls, inputs of a test. */
  readonly host?: ((node: PlanNode) => Operator | Source | undefined) | undefined;
}

/** `epoch` is the last one that has entered: the task passes the next barrier first. */
export function createTask(chain: Chain, parts: TaskParts, host: TaskHost, epoch: number): Task {
  const [, ...behind] = chain.nodes;
  const stages = behind.map((node) => stageOf(node, parts.functions)!);
  return new Task(chain, headOf(chain, parts), stages, host, epoch);
}

function headOf(chain: Chain, { functions, sources, loops, host }: TaskParts): Head {
  const node = chain.nodes[0]!;
  const hosted = host?.(node);
  if (hosted) return 'poll' in hosted ? { source: hosted } : { operator: hosted };
  const stage = stageOf(node, functions);
  if (stage) return { stages: [stage] };
  if (isSource(node)) return { source: createSource(node, functions, sources) };
  for (const edge of chain.inputs) standInForLostKey(edge, node, functions);
  const keys = ([0, 1] as const).map((input) => chain.inputs.find((edge) => edge.input === input)?.key);
  return { operator: createSink(node, functions) ?? createOperator(node, functions, keys, loops) };
}

/**
 * The cell of a lost key may be gone, and a new executor does not have its function. No record
 * needs the key until the input is back. Then the operator ends, and a run of its cell makes a
 * successor that has the key.
 */
function standInForLostKey({ from, key }: TaskEdge, { name }: PlanNode, functions: FunctionTable): void {
  if (from !== '' || !key || !('fn' in key) || functions.has(key.fn)) return;
  functions.set(key.fn, () => {
    throw new SluiceError(
      'lost-key',
      `The key of ${name} was in a cell that was deleted before the executor started again. Run the cell of ${name}.`,
    );
  });
}
