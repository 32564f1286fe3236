// Loaded into a process that runs a notebook: SIGUSR2 ends its executor's thread at once, whatever
// it is doing, as a crash of that thread would.
import type { Worker } from 'node:worker_threads';

const executors = new Set<Worker>();

process.on('worker', (worker: Worker) => {
  if (worker.threadName !== 'sluice executor') return;
  executors.add(worker);
  worker.once('exit', () => executors.delete(worker));
});
process.on('SIGUSR2', () => {
  for (const executor of executors) void executor.terminate();
});
