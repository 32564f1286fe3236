// One run of a job as `sluice run NOTEBOOK --state DIR` does it, for the comparison `checkpoints`
// of the bench: a thread of operators, a control thread that merges and writes, a directory on
// disk. The last line that it prints is JSON.
//
//     node kernel/bench/checkpointed-job.ts checkpoints SIZE  a checkpoint each second, to disk
//     node kernel/bench/checkpointed-job.ts in-memory SIZE    no --state: snapshots between threads
//     node kernel/bench/checkpointed-job.ts without SIZE      no barrier ever enters
//
// SIZE is a `JobSize` as JSON. Its folder keeps the directory, so that `restore SIZE` measures a
// restart in another process.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCheckpoints } from '../checkpoints/checkpoint-directory.ts';
import type { CheckpointStorage } from '../checkpoints/checkpoint-storage.ts';
import { ViewStore } from '../displays/view-store.ts';
import type { ExecutorPort } from '../executor/executor-protocol.ts';
import { notebookCompiler } from '../server/compiler.ts';
import { Control } from '../server/control.ts';
import { executorThread } from '../server/executor-thread.ts';
import type { StoredCheckpoint } from '../session/checkpoint-state.ts';
import { type FirstRecord, firstName, type JobMeasured, type JobSize, jobSizeName, measuredName } from './hot-keys.ts';

const [mode = '', sizeText = ''] = process.argv.slice(2);
const size = JSON.parse(sizeText) as JobSize;
process.env[jobSizeName] = sizeText;
const notebook = join(size.folder, 'job.sluice.ts');
const directory = join(size.folder, 'state');
const module = relative(size.folder, join(import.meta.dirname, 'hot-keys.ts'))
  .split(sep)
  .join('/');
const text = `import { configure, generate, sum } from 'sluice';
import { recordOf, take } from '${module}';
configure({ checkpoint: { interval: '1s' } });
generate({}, recordOf).keyBy('key').aggregate({ total: sum('n') }).sink(take);`;

const stored: StoredCheckpoint[] = [];
switch (mode) {
  case 'checkpoints':
    console.log(JSON.stringify(await run(await openCheckpoints(directory))));
    break;
  case 'in-memory':
  case 'without':
    console.log(JSON.stringify(await run(undefined)));
    break;
  case 'restore':
    console.log(JSON.stringify(await restore()));
    break;
  default:
    throw new Error(`There is no mode "${mode}".`);
}

function job(storage: CheckpointStorage | undefined): Control {
  writeFileSync(notebook, `// %% id=sums\n${text}\n`);
  const control: Control = new Control({
    settings: { arming: 'all', attach: 'together', idleMillis: Infinity },
    storage,
    compiler: notebookCompiler(() => notebook),
    views: new ViewStore(),
    startExecutor() {
      const port = executorThread(notebook, { isJob: true });
      return mode === 'without' ? withoutSnapshots(port) : port;
    },
    observer: {
      changed() {
        const { last } = control.session.checkpoints;
        if (last && last.id !== stored.at(-1)?.id) stored.push(last);
      },
      runEnded(cell, { error }) {
        if (error) throw new Error(`${cell}: ${error.message}`);
      },
      executorEnded(reason) {
        throw new Error(reason);
      },
      operatorFailed({ name, error }) {
        throw new Error(`${name}: ${error.message}`);
      },
    },
    ended: () => undefined,
  });
  control.start();
  control.dispatch({ kind: 'sync', cells: [{ id: 'sums', kind: 'code', text }] });
  return control;
}
/** The session waits for its first snapshot for ever. */
function withoutSnapshots(port: ExecutorPort): ExecutorPort {
  return {
    post(command) {
      if (command.kind !== 'snapshot') port.post(command);
    },
    onEvent: (listener) => port.onEvent(listener),
    onEnd: (listener) => port.onEnd(listener),
    whereabouts: () => port.whereabouts(),
    terminate: () => port.terminate(),
  };
}

/** Ends like a job that a signal stops: with a last checkpoint, from which another one goes on. */
async function run(storage: CheckpointStorage | undefined): Promise<unknown> {
  const control = job(storage);
  await control.run(['sums']);
  const measured = await written<JobMeasured>(measuredName);
  const { user, system } = process.threadCpuUsage();
  const controlSeconds = (user + system) / 1e6;
  const checkpoints = stored.map(({ bytes, newBytes, millis }) => ({ bytes, newBytes, millis }));
  const { failed } = control.session.checkpoints;
  if (storage && !(await control.checkpoint(60_000))) throw new Error('The last checkpoint was not complete in time.');
  await control.close();
  return { ...measured, controlSeconds, checkpoints, failed, diskBytes: storage ? bytesIn(directory) : 0 };
}

/** From the opening of the directory to the first record at the sink. The process has started. */
async function restore(): Promise<unknown> {
  rmSync(join(size.folder, firstName), { force: true });
  const began = performance.timeOrigin + performance.now();
  const cpu = process.cpuUsage();
  const storage = await openCheckpoints(directory);
  const openedMillis = performance.timeOrigin + performance.now() - began;
  if (!storage.restored) throw new Error(`${directory} has no checkpoint.`);
  const control = job(storage);
  control.dispatch({ kind: 'choose', choice: 'resume' });
  const { at, total } = await written<FirstRecord>(firstName);
  const { user, system } = process.cpuUsage(cpu);
  // Each key was hit before. A record adds 8 to 15.
  if (total < 16) throw new Error(`The first total is ${total}, so the state was not restored.`);
  await control.close();
  return { millis: at - began, openedMillis, cpuMillis: (user + system) / 1000 };
}

async function written<T>(name: string): Promise<T> {
  const path = join(size.folder, name);
  while (!existsSync(path)) await sleep(20);
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
