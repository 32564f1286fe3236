// Fusing: the per-record stages of a chain as one generated loop, and the plain form that it
// replaces.
//
// V8 inlines a user's function only where the call site has seen no other. A loop that all chains
// share sees many functions and stays slow, so every chain gets a loop compiled for it alone. The
// plain form does the same, one stage at a time. A test compares the two. The plain form also
// measures: now and then a few records run through it, and the times split the task's busy time
// between the stages.
import { compiled } from '../codegen/specialize.ts';
import type { Batch, Operator, OperatorContext, Stage } from '../contract/operator.ts';
import { passesFilter } from '../operators/filter.ts';
import { refusePromiseElement } from '../values/promise.ts';
import type { Collector } from './collector.ts';
import type { Port } from './port.ts';

/** Kept up to date by both forms: records that reached each stage, and the place of an error. */
export interface StageCounters {
  readonly reached: Float64Array;
  /** Milliseconds spent per stage, in the measured runs only. */
  readonly millis: Float64Array;
  /** Index of the record and of the stage that threw. */
  at: number;
  stage: number;
  /** A stage behind an operator threw, not the operator itself. */
  threw: boolean;
}
type Loop = (batch: Batch, from: number, collector: Collector, counters: StageCounters) => number;

/** Records of a measured run, and how often one is made. */
const sampleRecords = 16;
const sampleEveryMillis = 100;

export function newCounters(stages: number): StageCounters {
  return { reached: new Float64Array(stages), millis: new Float64Array(stages), at: 0, stage: 0, threw: false };
}

/** Records [from, to) of a batch, for whose results there is room. */
type Run = (batch: Batch, from: number, to: number, out: Port, counters: StageCounters) => void;

/**
 * The fused form. Room and time are checked once for several records, which then go through the
 * generated code.
 */
export function fusedLoop(stages: readonly Stage[]): Loop {
  const { plain, withOrigin } = compiledRuns(stages);
  return (batch, from, collector, counters) => {
    const { length } = batch;
    const { out, budget } = collector;
    const run = batch.partitions === undefined ? plain : withOrigin;
    out.prepare(Math.max(0, Math.min(out.limit - out.length, length - from)));
    if (batch.partitions !== undefined) out.hasOrigin = true;
    let i = from;
    while (i < length && out.length < out.limit && !budget.isSpent) {
      const end = Math.min(length, i + out.limit - out.length, i + Math.max(1, budget.left));
      run(batch, i, end, out, counters);
      budget.left -= end - i - 1;
      i = end;
    }
    return i;
  };
}
/**
 * Partition and offset are copied only when the batch has them: two texts, of which V8 mostly
 * compiles one.
 */
function compiledRuns(stages: readonly Stage[]): { readonly plain: Run; readonly withOrigin: Run } {
  const counts = stages.map((_, k) => `reached[${k}] += n${k};`).join(' ');
  const run = (columns: string, copies: string): string => `
    (batch, from, to, out, counters) => {
      const { values, timestamps } = batch, outValues = out.values, outTimestamps = out.timestamps, reached = counters.reached;
      ${columns}
      let i = from, n = out.length, s = 0${stages.map((_, k) => `, n${k} = 0`).join('')};
      try {
        for (; i < to; i++) {
          const v0 = values[i];
          ${stages.map((_, k) => stageText(stages, k, `n${k}++`, 'continue')).join('\n          ')}
          outValues[n] = v${stages.length};
          outTimestamps[n] = timestamps[i];
          ${copies}
          n++;
        }
      } catch (error) {
        out.length = n;
        ${counts}
        counters.at = i;
        counters.stage = s;
        throw error;
      }
      out.length = n;
      ${counts}
    }`;
  const source = `
    ${stages.map((_, k) => `const f${k} = stages[${k}].f;`).join(' ')}
    return {
      plain: ${run('', '')},
      withOrigin: ${run(
        'const { partitions, offsets } = batch, outPartitions = out.partitions, outOffsets = out.offsets;',
        'outPartitions[n] = partitions[i]; outOffsets[n] = offsets[i];',
      )},
    };`;
  return compiled(source, { stages, passesFilter, refusePromiseElement }, 'stages');
}
/**
 * One stage: `counts` counts the record, `leave` is the statement for a record that a filter drops.
 */
function stageText(stages: readonly Stage[], k: number, counts: string, leave: 'continue' | 'return'): string {
  const stage = stages[k]!;
  // What passed a filter was tested before it.
  const tests = stages[k - 1]?.kind === 'filter' ? '' : ` if (v${k} instanceof Promise) refusePromiseElement(v${k});`;
  const begins = `s = ${k}; ${counts};${tests}`;
  if (stage.kind === 'map') return `${begins} const v${k + 1} = f${k}(v${k});`;
  const answer = `p${k}`;
  return `${begins} const ${answer} = f${k}(v${k}); if (${answer} !== true && !passesFilter(${answer})) ${leave}; const v${k + 1} = v${k};`;
}

/** The plain form: one stage after the other, for up to `limit` records, measured. */
export function plainLoop(stages: readonly Stage[], limit = Number.MAX_SAFE_INTEGER): Loop {
  return (batch, from, collector, counters) => {
    const end = Math.min(batch.length, from + limit);
    let i = from;
    for (; i < end; i++) {
      if (collector.full) break;
      let value = batch.values[i];
      let passes = true;
      for (let k = 0; k < stages.length && passes; k++) {
        const stage = stages[k]!;
        counters.reached[k]!++;
        counters.at = i;
        counters.stage = k;
        // A library's own promise is found here: only some records take this way.
        refusePromiseElement(value);
        const before = performance.now();
        if (stage.kind === 'map') value = stage.f(value);
        else passes = passesFilter(stage.f(value));
        counters.millis[k]! += performance.now() - before;
      }
      if (!passes) continue;
      if (batch.partitions && batch.offsets)
        collector.out.appendAt(value, batch.timestamps[i]!, batch.partitions[i]!, batch.offsets[i]!);
      else collector.out.append(value, batch.timestamps[i]!);
    }
    return i;
  };
}

/** The head of a chain that consists of stages alone. */
export class StageChain implements Operator {
  readonly counters: StageCounters;
  readonly #collector: Collector;
  readonly #fused: Loop;
  readonly #measured: Loop;
  #sampleAt = 0;
  constructor(stages: readonly Stage[], collector: Collector) {
    this.counters = newCounters(stages.length);
    this.#collector = collector;
    this.#fused = fusedLoop(stages);
    this.#measured = plainLoop(stages, sampleRecords);
  }
  open(_context: OperatorContext): void {}
  get at(): number {
    return this.counters.at;
  }
  process(_input: 0 | 1, batch: Batch, from: number): number {
    const now = performance.now();
    if (now < this.#sampleAt) return this.#fused(batch, from, this.#collector, this.counters);
    this.#sampleAt = now + sampleEveryMillis;
    return this.#measured(batch, from, this.#collector, this.counters);
  }
}

/** The emit of an operator with stages behind it, compiled for this chain alone. */
export function stagedEmit(
  stages: readonly Stage[],
  collector: Collector,
  counters: StageCounters,
): (value: unknown, timestamp: number) => void {
  const source = `
    ${stages.map((_, k) => `const f${k} = stages[${k}].f;`).join(' ')}
    const r = counters.reached;
    return function emit(v0, timestamp) {
      let s = 0;
      try {
        ${stages.map((_, k) => stageText(stages, k, `r[${k}]++`, 'return')).join('\n        ')}
        collector.emit(v${stages.length}, timestamp);
      } catch (error) { counters.stage = s; counters.threw = true; throw error; }
    };`;
  return compiled(source, { stages, collector, counters, passesFilter, refusePromiseElement }, 'stages');
}
