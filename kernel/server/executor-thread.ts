// Starts executors of this process. A thread runs the same file as the process.
import type { ExecutorPort } from '../executor/executor-protocol.ts';
import { startWorkerExecutor, type WorkerExecutorOptions } from '../executor/worker-port.ts';

export function executorThread(
  notebook: string,
  { params = {}, isJob = false, topics, onOutput }: Partial<Omit<WorkerExecutorOptions, 'notebook' | 'entry'>> = {},
): ExecutorPort {
  return startWorkerExecutor({ notebook, params, isJob, topics, entry: entryFile(), onOutput });
}

/** A bundle contains all roles in one file. From sources, an executor has a file of its own. */
function entryFile(): string | URL {
  const self = import.meta.filename;
  return self.endsWith('.ts') ? new URL('../executor/worker-main.ts', import.meta.url) : self;
}
