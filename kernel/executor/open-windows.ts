// The open windows above a display: what they would give now, and when the next one closes. Looking
// at them costs at most a twentieth of the thread's time.
//
// Between window and display there may be `map` and `filter` whose functions are known to have no
// effect. They are called for the rows of the look. An error in them shows no row: it is reported
// when the window closes, if it is there still.
import type { Stage, VisitOpen } from '../../engine/contract/operator.ts';
import { isEffectFree } from '../../engine/graph/effect-free.ts';
import { showsOpenWindows } from '../../engine/graph/kinds.ts';
import { timeOf } from '../../engine/graph/window-spec.ts';
import type { FunctionTable, Plan } from '../../engine/graph/plan.ts';
import { stageOf } from '../../engine/runtime/operator-registry.ts';
import type { Runtime } from '../../engine/runtime/runtime.ts';
import { obstacleIn } from '../../engine/values/leaving.ts';
import { Pace } from './pace.ts';

/** Rows of open windows that a display gets. More than these cannot be told apart. */
const mostRows = 200;
/** One look takes at most about this long. */
const lookMillis = 5;
/** The time between two looks is at least this many times the time that the last one took. */
const restFactor = 20;

export interface OpenResult {
  readonly value: unknown;
  readonly start: number;
  readonly end: number;
}
export interface OpenWindowsLook {
  /** In the order of the windows' ends. */
  readonly results: readonly OpenResult[];
  /** Time until the next window closes. Absent: it is not known, or no window is open. */
  readonly closesInMillis?: number;
  /** There are more rows than these. Absent: no. */
  readonly isCut?: boolean;
}

/** What becomes of a row on its way to the display; `undefined`: it does not get there. */
type Way = (row: unknown) => unknown;
interface Above {
  readonly id: string;
  readonly isEventTime: boolean;
  readonly way: Way;
}

export class OpenWindows {
  readonly #runtime: Runtime;
  readonly #functions: FunctionTable;
  readonly #display: string;
  #plan: Plan | undefined;
  #above: Above | undefined;
  #pace = new Pace();
  #seen = '';
  #closesIn: number | undefined;
  #results: readonly OpenResult[] = [];
  #isCut = false;
  #restUntil = -Infinity;

  /** `display` is the instance of the display. */
  constructor(runtime: Runtime, functions: FunctionTable, display: string) {
    this.#runtime = runtime;
    this.#functions = functions;
    this.#display = display;
  }

  /** What is to be shown; undefined: the same as at the last look. */
  look(now: number): OpenWindowsLook | undefined {
    const { plan, tasks, clock } = this.#runtime;
    if (plan !== this.#plan) {
      this.#plan = plan;
      const above = windowAbove(plan, this.#functions, this.#display);
      if (above?.id !== this.#above?.id) this.#pace = new Pace();
      this.#above = above;
    }
    const above = this.#above;
    const task = above && tasks.get(above.id);
    const operator = task?.status === 'running' ? task.operator : undefined;
    if (!above || !task || !operator?.openResults) return this.#showsNothing();
    const time = above.isEventTime ? task.watermark : clock.now();
    this.#pace.observe(now, time);
    const next = operator.status?.().nextWindow?.end;
    const seen = `${above.id} ${String(task.recordsIn)} ${String(next)}`;
    const closesIn = next === undefined ? undefined : this.#pace.millisTo(next);
    const isSame = seen === this.#seen && sameSecond(closesIn, this.#closesIn);
    if (isSame || now < this.#restUntil) return undefined;
    if (seen !== this.#seen) this.#results = this.#collect((visit) => operator.openResults!(visit), above.way, now);
    this.#seen = seen;
    this.#closesIn = closesIn;
    if (this.#results.length === 0) return this.#showsNothing();
    this.#isShown = true;
    return {
      results: this.#results,
      ...(closesIn !== undefined && { closesInMillis: closesIn }),
      ...(this.#isCut && { isCut: true }),
    };
  }

  #isShown = false;
  #showsNothing(): OpenWindowsLook | undefined {
    const wasShown = this.#isShown;
    this.#isShown = false;
    this.#results = [];
    this.#seen = '';
    return wasShown ? { results: [] } : undefined;
  }

  #collect(each: (visit: VisitOpen) => void, way: Way, now: number): readonly OpenResult[] {
    const results: OpenResult[] = [];
    const begin = performance.now();
    this.#isCut = false;
    each((row, { start, end }) => {
      this.#isCut = results.length >= mostRows || performance.now() - begin >= lookMillis;
      const value = this.#isCut ? undefined : way(row);
      // A row that cannot leave the thread is reported when its window closes.
      if (value !== undefined && obstacleIn(value, 'display') === undefined) results.push({ value, start, end });
      return !this.#isCut;
    });
    this.#restUntil = now + restFactor * (performance.now() - begin);
    return results.sort((a, b) => a.end - b.end);
  }
}

/** The window operator that the display reads, through functions without an effect. */
function windowAbove({ nodes, edges }: Plan, functions: FunctionTable, display: string): Above | undefined {
  const above = (id: string): Plan['nodes'][number] | undefined => {
    const inputs = edges.filter(({ to }) => to === id);
    const [edge] = inputs;
    return inputs.length === 1 && edge?.port === 'out' ? nodes.find((node) => node.id === edge.from) : undefined;
  };
  const ways: Way[] = [];
  let node = above(display);
  for (let stage; node && (stage = stageOf(node, functions)); node = above(node.id)) {
    if (!isEffectFree(stage.f)) return undefined;
    ways.unshift(through[stage.kind](stage.f));
  }
  if (!node || !showsOpenWindows(node)) return undefined;
  return { id: node.id, isEventTime: timeOf(node.parameters.window) === 'event', way: throughAll(ways) };
}

const through: Readonly<Record<Stage['kind'], (f: Stage['f']) => Way>> = {
  map: (f) => f,
  filter: (f) => (row) => (f(row) ? row : undefined),
};
function throughAll(ways: readonly Way[]): Way {
  return (row) => {
    try {
      return ways.reduce((value, way) => (value === undefined ? value : way(value)), row);
    } catch {
      return undefined;
    }
  };
}

function sameSecond(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Math.round(a / 1000) === Math.round(b / 1000);
}
