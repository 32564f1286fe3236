// How this process starts executors: with the file it runs from, which is a thread's entry too.
import type { ExecutorPort } from '../executor/executor-protocol.ts';
import { startWorkerExecutor } from '../executor/worker-port.ts';

export function executorThread(notebook: string, params: Readonly<Record<string, string>> = {}): ExecutorPort {
  return startWorkerExecutor({ notebook, params, entry: entryFile() });
}

/** A bundle is one file with every role in it; from sources an executor has a file of its own. */
function entryFile(): string | URL {
  const self = import.meta.filename;
  return self.endsWith('.ts') ? new URL('../executor/worker-main.ts', import.meta.url) : self;
}
