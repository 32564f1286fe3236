// Graphs for the runtime's own tests: plans by hand, with operators that are given by their ids.
import type { Plan, PlanEdge, PlanNode } from '../../graph/plan.ts';
import { FunctionTable } from '../../graph/plan.ts';
import type { Batch, Operator, OperatorContext, StateReader, StateWriter } from '../../contract/operator.ts';
import type { Source, SourceContext, SourceStatus } from '../../contract/source.ts';
import type { RuntimeOptions } from '../../runtime/runtime-options.ts';
import { Runtime } from '../../runtime/runtime.ts';
import { ManualClock } from '../../contract/clock.ts';

/** The kind of operator in an id: "sum2" is a sum. */
const wordOf = (id: string): string => id.replace(/[^a-z]/g, '');

/**
 * Parses edges such as "a>b, b>c.1". The number after the dot is the input. `own` has the text of a
 * node whose text is not its id.
 */
export function planOf(edges: string, own: Readonly<Record<string, string>> = {}): Plan {
  const parsed = edges
    .split(',')
    .map((edge) => edge.trim())
    .filter((edge) => edge !== '')
    .map((edge): PlanEdge => {
      const [from, target] = edge.split('>') as [string, string];
      const [to, input] = target.split('.') as [string, string | undefined];
      return { from, port: 'out', to, input: input === '1' ? 1 : 0, exchange: 'forward' };
    });
  const ids = [...new Set(parsed.flatMap(({ from, to }) => [from, to]))];
  const nodes = ids.map((id): PlanNode => ({
    id,
    uid: id,
    // The host creates every operator. The runtime treats the kind `pull` differently.
    ...(wordOf(id) === 'pull' ? { kind: 'pull', parameters: { leaf: id } } : { kind: 'harnessOutput', parameters: {} }),
    name: id,
    group: id,
    own: own[id] ?? id,
    shape: '',
  }));
  return { version: 1, nodes, edges: parsed };
}

/** A source driven by hand: emits n, n+1, … as far as it is told and as there is room. */
export class Numbers implements Source {
  next = 0;
  until = 0;
  opened = 0;
  #context: SourceContext | undefined;
  open(context: SourceContext): void {
    this.opened++;
    this.#context = context;
  }
  give(count: number): void {
    this.until += count;
    this.#context?.wake();
  }
  watermark(time: number): void {
    this.#context!.output.watermark(time);
  }
  idle(): void {
    this.#context!.output.idle();
  }
  poll(): 'more' | 'wait' {
    while (this.next < this.until) {
      if (this.#context!.output.full) return 'more';
      this.#context!.output.emit(this.next, this.next);
      this.next++;
    }
    return 'wait';
  }
  position(): string {
    return `n=${this.next}`;
  }
  progress() {
    return { n: this.next };
  }
  snapshot(writer: StateWriter): void {
    writer.value(this.next);
  }
  restore(reader: StateReader): void {
    this.next = this.until = (reader.value() as number | undefined) ?? 0;
  }
  status(): SourceStatus {
    return { entries: 0, opened: this.opened, phase: 'live', errors: 0 };
  }
  close(): void {}
}
/** Adds the elements and emits the sum so far. A change of the graph must not lose this state. */
export class Sum implements Operator {
  sum = 0;
  closed = false;
  #context!: OperatorContext;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    for (let i = from; i < batch.length; i++) {
      if (this.#context.output.full) return i;
      this.sum += batch.values[i] as number;
      this.#context.output.emit(this.sum, batch.timestamps[i]!);
    }
    return batch.length;
  }
  snapshot(writer: StateWriter): void {
    writer.value(this.sum);
  }
  restore(reader: StateReader): void {
    this.sum = (reader.value() as number | undefined) ?? 0;
  }
  close(): void {
    this.closed = true;
  }
}
/** Forwards every element. A test can change the action for each record. */
export class Pass implements Operator {
  #context!: OperatorContext;
  f: (value: unknown) => unknown = (value) => value;
  at = 0;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    for (let i = from; i < batch.length; i++) {
      if (this.#context.output.full) return i;
      this.at = i;
      this.#context.output.emit(this.f(batch.values[i]), batch.timestamps[i]!);
    }
    return batch.length;
  }
}
export class Sink implements Operator {
  readonly rows: unknown[] = [];
  readonly watermarks: number[] = [];
  blocked = false;
  #context: OperatorContext | undefined;
  open(context: OperatorContext): void {
    this.#context = context;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    if (this.blocked) return from;
    for (let i = from; i < batch.length; i++) this.rows.push(batch.values[i]);
    return batch.length;
  }
  advance(watermark: number): boolean {
    this.watermarks.push(watermark);
    return true;
  }
  unblock(): void {
    this.blocked = false;
    this.#context?.wake();
  }
}

export function runtimeOf(
  operators: Readonly<Record<string, Operator | Source | (() => Operator | Source)>>,
  more: Partial<RuntimeOptions> = {},
) {
  const made = new Map<string, (Operator | Source)[]>();
  const runtime = new Runtime({
    functions: new FunctionTable(),
    clock: new ManualClock(),
    host: (node) => {
      const given = operators[node.id] ?? operators[wordOf(node.id)];
      const operator = typeof given === 'function' ? given() : given;
      if (operator) made.set(node.id, [...(made.get(node.id) ?? []), operator]);
      return operator;
    },
    ...more,
  });
  const settle = (): void => {
    while (runtime.round());
  };
  return { runtime, settle, made };
}
