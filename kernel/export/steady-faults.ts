// Evaluates constants while the user types, as an export does, but in a process of its own with a
// limit of memory. What needs more is left to `sluice check` and to the export. A thread would not
// do: an array that is too large ends the whole process.
import { fork } from 'node:child_process';
import type { CellDiagnostic } from '../cells/compile.ts';
import { type ConstantFault, placedFault } from './constant-values.ts';
import type { Constants } from './constants.ts';
import { constantsInThread, outOfMemory, usualMillis } from './constants-thread.ts';
import { LatestProblems } from './latest-problems.ts';

type Problems = readonly CellDiagnostic[];
interface Order {
  readonly notebook: string;
  readonly constants: Constants;
  readonly millis: number;
}

export interface SteadyLimits {
  /** Of one statement. */
  readonly millis: number;
  readonly megabytes: number;
}
const usual: SteadyLimits = { millis: usualMillis, megabytes: 256 };

export class SteadyFaults {
  readonly #latest = new LatestProblems<ConstantFault>();
  readonly #file: string;
  readonly #limits: SteadyLimits;

  /** `file`: what the process runs. It calls `answerOrder`. */
  constructor(file: string, limits = usual) {
    this.#file = file;
    this.#limits = limits;
  }

  /** At once, if they are known. A promise: they are being found. */
  problems(notebook: string, constants: Constants): Problems | Promise<Problems> {
    if (constants.captured.length === 0) return [];
    // What is typed in other statements of a cell is blanks here.
    const key = JSON.stringify(constants.cells.map(({ id, text }) => [id, text.replace(/[^\S\n]+/g, ' ').trimEnd()]));
    const found = this.#latest.problems(notebook, key, () =>
      this.#found({ notebook, constants, millis: this.#limits.millis }),
    );
    const placed = (faults: readonly ConstantFault[]): Problems =>
      faults.map((fault) => placedFault(fault, constants.captured));
    return found instanceof Promise ? found.then(placed) : placed(found);
  }
  forget(notebook: string): void {
    this.#latest.forget(notebook);
  }

  async #found(order: Order): Promise<readonly ConstantFault[]> {
    const { megabytes } = this.#limits;
    const child = fork(this.#file, [evaluating], {
      execArgv: [`--max-old-space-size=${megabytes}`, '--disable-warning=ExperimentalWarning'],
      // What cells print goes nowhere: the output of a language server carries its protocol.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const kill = (): void => void child.kill('SIGKILL');
    process.on('exit', kill);
    try {
      return await new Promise((resolve) => {
        child.on('message', ({ faults }: Answer) => resolve(faults));
        // It has no more memory, or has ended itself.
        child.on('error', () => resolve([]));
        child.on('exit', () => resolve([]));
        child.send(order, () => undefined);
      });
    } finally {
      process.off('exit', kill);
      kill();
    }
  }
}

const evaluating = '--constants';
interface Answer {
  readonly faults: readonly ConstantFault[];
}

/** In the child. */
export function isEvaluating(): boolean {
  return process.argv.includes(evaluating);
}
export function answerOrder(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ notebook, constants, millis }: Order) => {
    void constantsInThread(notebook, constants, () => millis).then(({ faults }) => {
      // An export has more memory.
      const sure = faults.filter(({ problem }) => problem.code !== outOfMemory);
      process.send!({ faults: sure } satisfies Answer);
    });
  });
}
