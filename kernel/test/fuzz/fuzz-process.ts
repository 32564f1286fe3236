// The process of one target of the fuzzer: runs the target in a thread and watches it. An exception
// and too much memory are a crash, too much CPU for one input is a hang. CPU is measured, so a busy
// machine makes no hang.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { longestInput } from './mutate.ts';
import { saveInput } from './saved-input.ts';
import type { Finding, FuzzOptions, FuzzResult } from './fuzz.ts';
import { place, type WorkerTask } from './worker-task.ts';

/** CPU of one input, in microseconds. The system takes its part when memory grows, for example. */
const mostCpu = { code: 1_000_000, withSystem: 2_000_000 };
const mostHeapMegabytes = 512;
/** Buffers are not part of the heap. */
const mostResidentBytes = 1024 << 20;
/** An input that uses no CPU and has no end waits for something that never happens. */
const longestWait = 60_000;
/** A thread that is told to end has this long. */
const longestEndMillis = 20_000;
const lookMillis = 20;
/** The rest would be the same fault again. */
const mostFindings = 5;

async function fuzzHere(options: FuzzOptions & { readonly note: string }): Promise<FuzzResult> {
  const header = new Int32Array(new SharedArrayBuffer(4 * 8));
  const input = new Uint8Array(new SharedArrayBuffer(longestInput));
  const findings: Finding[] = [];
  const end = performance.now() + options.seconds * 1000;
  let from = 0;
  while (findings.length < (options.mostFindings ?? mostFindings)) {
    Atomics.store(header, place.input, -1);
    Atomics.store(header, place.done, 0);
    const { target, plant, seed, replay } = options;
    const fault = await watched({ target, plant, seed, from, header, input, replay, note: options.note }, end);
    if (!fault) break;
    const bytes = Buffer.from(input.subarray(0, Atomics.load(header, place.length)));
    findings.push({ ...fault, file: saveInput(options, bytes) });
    from = Atomics.load(header, place.input) + 1;
    if (replay || performance.now() >= end) break;
  }
  const [accepted, rejected] = [Atomics.load(header, place.accepted), Atomics.load(header, place.rejected)];
  return { inputs: accepted + rejected + findings.length, accepted, rejected, findings };
}

/** Gives the fault that ended the thread, or undefined when the time is over. */
async function watched(task: WorkerTask, end: number): Promise<Omit<Finding, 'file'> | undefined> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: task,
    // What the code logs about bad inputs is of no interest.
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: mostHeapMegabytes, stackSizeMb: 4 },
  });
  worker.stdout.resume();
  worker.stderr.resume();
  let fault: Omit<Finding, 'file'> | undefined;
  let hasEnded = false;
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const message = isMemory ? `more than ${mostHeapMegabytes} MB of heap` : (error.stack ?? String(error));
    fault ??= { kind: 'crash', message };
  });
  const ended = new Promise<void>((resolve) =>
    worker.on('exit', (code) => {
      hasEnded = true;
      if (Atomics.load(task.header, place.done) === 0) fault ??= { kind: 'crash', message: `ended with code ${code}` };
      resolve();
    }),
  );
  const isHung = hangs(task.header);
  while (!hasEnded) {
    await Promise.race([ended, sleep(lookMillis)]);
    if (performance.now() >= end && !task.replay) Atomics.store(task.header, place.stop, 1);
    if (hasEnded || fault) continue;
    const hang = isHung();
    if (hang !== undefined) fault = { kind: 'hang', message: hang };
    else if (process.memoryUsage.rss() > mostResidentBytes)
      fault = { kind: 'crash', message: `more than ${mostResidentBytes >> 20} MB of memory` };
    if (!fault) continue;
    // A thread without memory may not end. The process that has started this one counts its end.
    const giveUp = setTimeout(() => process.kill(process.pid, 'SIGKILL'), longestEndMillis);
    await worker.terminate();
    clearTimeout(giveUp);
  }
  return fault;
}

/** Says what is wrong with the input at work, each time it is asked. */
function hangs(header: Int32Array): () => string | undefined {
  let input = -1;
  let cpu = process.cpuUsage();
  let since = performance.now();
  return () => {
    const now = Atomics.load(header, place.input);
    if (now !== input) {
      input = now;
      cpu = process.cpuUsage();
      since = performance.now();
      return undefined;
    }
    const { user, system } = process.cpuUsage(cpu);
    // Before the first input the thread loads its code.
    if (now >= 0 && user > mostCpu.code) return `more than ${mostCpu.code / 1_000_000} s of CPU`;
    if (now >= 0 && user + system > mostCpu.withSystem)
      return `more than ${mostCpu.withSystem / 1_000_000} s of CPU with that of the system`;
    return performance.now() - since > longestWait ? `no end after ${longestWait / 1000} s without work` : undefined;
  };
}

process.on('message', (options: FuzzOptions & { readonly note: string }) => {
  void fuzzHere(options).then((result) => process.send!(result, () => process.exit()));
});
