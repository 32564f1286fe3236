// A reporter of vitest for .ci/test.ts. It sends a message for each test file that has ended, and
// one for the end of the run.
import type { UserConsoleLog } from 'vitest';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

export interface FileResult {
  readonly kind: 'file';
  readonly path: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The names of the failed tests and hooks. */
  readonly failures: readonly string[];
  /** Each test on a line, then the file's console output, then the errors. */
  readonly output: string;
  readonly seconds: number;
}

/** A test file has begun. */
export interface FileBegun {
  readonly kind: 'begun';
  readonly path: string;
}

/**
 * The run has ended. `errors` belong to no test: a rejected promise that nobody awaits, or a worker
 * that crashed.
 */
export interface RunEnd {
  readonly kind: 'end';
  readonly errors: readonly string[];
}

export type Message = FileResult | FileBegun | RunEnd;

export default class FileReporter implements Reporter {
  #vitest: Vitest | undefined;
  readonly #logs = new Map<string, string[]>();
  readonly #sent = new Set<string>();

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onUserConsoleLog(log: UserConsoleLog): void {
    const entity = log.taskId === undefined ? undefined : this.#vitest?.state.getReportedEntityById(log.taskId);
    if (entity === undefined) return void process.stdout.write(log.content);
    const { moduleId } = entity.type === 'module' ? entity : entity.module;
    const logs = this.#logs.get(moduleId);
    if (logs) logs.push(log.content);
    else this.#logs.set(moduleId, [log.content]);
  }

  async onTestModuleQueued(module: TestModule): Promise<void> {
    await send({ kind: 'begun', path: module.relativeModuleId });
  }

  async onTestModuleEnd(module: TestModule): Promise<void> {
    this.#sent.add(module.moduleId);
    await send(resultOf(module, this.#logs.get(module.moduleId) ?? []));
  }

  async onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): Promise<void> {
    for (const module of modules) if (!this.#sent.has(module.moduleId)) await this.onTestModuleEnd(module);
    await send({ kind: 'end', errors: errors.map(textOf) });
  }
}

function resultOf(module: TestModule, logs: readonly string[]): FileResult {
  const tests = [...module.children.allTests()];
  const suites = [module, ...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
  const inState = (state: string): TestCase[] => tests.filter((test) => test.result().state === state);
  // A test is pending if its worker ended before it did.
  const failed: readonly (TestCase | TestSuite | TestModule)[] = [
    ...inState('failed'),
    ...inState('pending'),
    ...suites,
  ];
  const errors = failed.flatMap((task) => {
    const texts = errorsOf(task).map(textOf);
    return texts.length > 0 ? [`✖ ${nameOf(task)}\n${texts.join('\n')}`] : [];
  });
  const { collectDuration, duration } = module.diagnostic();
  return {
    kind: 'file',
    path: module.relativeModuleId,
    passed: inState('passed').length,
    failed: failed.length,
    skipped: inState('skipped').length,
    failures: failed.map(nameOf),
    output: [tests.map(lineOf).join('\n'), logs.join('').trimEnd(), ...errors]
      .filter((part) => part !== '')
      .join('\n\n'),
    seconds: (collectDuration + duration) / 1000,
  };
}

function errorsOf(task: TestCase | TestSuite | TestModule): readonly SerializedError[] {
  return (task.type === 'test' ? task.result().errors : task.errors()) ?? [];
}

function nameOf(task: TestCase | TestSuite | TestModule): string {
  return task.type === 'module' ? 'the file itself' : task.fullName;
}

function lineOf(test: TestCase): string {
  const result = test.result();
  const millis = test.diagnostic()?.duration.toFixed(1);
  switch (result.state) {
    case 'passed':
      return `✔ ${test.fullName} (${millis} ms)`;
    case 'failed':
      return `✖ ${test.fullName} (${millis} ms)`;
    case 'pending':
      return `✖ ${test.fullName} (did not end)`;
    case 'skipped':
      return `﹣ ${test.fullName} # SKIPPED${result.note === undefined ? '' : `: ${result.note}`}`;
  }
}

function textOf(error: SerializedError): string {
  const text = error.stack ?? `${error.name ?? 'Error'}: ${error.message}`;
  return error.cause === undefined || error.cause === null ? text : `${text}\nCaused by ${textOf(error.cause)}`;
}

/** Waits until the message is written: vitest ends its process soon after the last one. */
function send(message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process.send === undefined) throw new Error('This reporter works for .ci/test.ts only.');
    process.send(message, undefined, {}, (error) => (error ? reject(error) : resolve()));
  });
}
