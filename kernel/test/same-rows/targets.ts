// What runs a notebook of the set. A target runs it until all of its input is read and all of its
// rows are committed.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ViewStore } from '../../displays/view-store.ts';
import { readNotebook } from '../../terminal/notebook.ts';
import { notebookCompiler } from '../../server/compiler.ts';
import { Control } from '../../server/control.ts';
import { executorThread } from '../../server/executor-thread.ts';
import { allOver } from '../../session/plan-end.ts';
import { exported } from '../cli/job-process.ts';

export interface Target {
  readonly name: string;
  run(run: TargetRun): Promise<void>;
}
export interface TargetRun {
  readonly notebook: string;
  readonly brokers: string;
  readonly params: Readonly<Record<string, string>>;
  /** An empty folder for what the target needs. */
  readonly folder: string;
}

/** A live session as in VS Code, with its sinks armed: the cells run one after the other. */
const session: Target = {
  name: 'session',
  async run({ notebook, params }) {
    const { cells } = readNotebook(notebook);
    const control = new Control({
      settings: { arming: 'all', idleMillis: Infinity, params },
      compiler: notebookCompiler(() => notebook),
      views: new ViewStore(),
      startExecutor: () => executorThread(notebook, { params }),
      ended: () => undefined,
    });
    control.start();
    try {
      control.dispatch({ kind: 'sync', cells });
      for (const { id, kind } of cells) {
        if (kind !== 'code') continue;
        for (const result of await control.run([id]))
          if (!result.ok) throw new Error(`${result.cell}: ${result.error?.message}`);
      }
      while (!allOver(control.session)) {
        for (const { id, errors } of control.view().cells)
          if (errors.length > 0) throw new Error(`${id}: ${errors[0]!.message}`);
        await sleep(50);
      }
      if (!(await control.checkpoint(300_000))) throw new Error('The last checkpoint was not complete.');
      // A complete checkpoint is committed a moment later.
      while (control.view().cells.some(({ sink }) => sink && sink.committed !== sink.written)) await sleep(50);
    } finally {
      await control.close();
    }
  },
};

/** `sluice run`. */
const run: Target = {
  name: 'run',
  async run({ notebook, brokers, params }) {
    const given = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`]);
    await ended(
      [join(import.meta.dirname, '../../cli.ts'), 'run', notebook, '--json', ...given],
      { SLUICE_BROKERS: brokers },
      notebook,
    );
  },
};

/** The exported Node job, as its own process. */
const node: Target = {
  name: 'node',
  async run({ notebook, brokers, params, folder }) {
    const job = await exported(folder, notebook);
    const given = Object.entries(params).map(([name, value]) => [`SLUICE_PARAM_${name}`, value] as const);
    const environment = { SLUICE_BROKERS: brokers, SLUICE_HTTP_PORT: 'off', ...Object.fromEntries(given) };
    await ended([join(job, 'job.cjs')], environment, notebook, job);
  },
};

export const targets: readonly Target[] = [session, run, node];

async function ended(
  parameters: readonly string[],
  environment: Readonly<Record<string, string>>,
  notebook: string,
  cwd?: string,
): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...parameters], {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`${notebook} ended with ${String(code)}: ${said}`);
}
