// The thread that makes inputs and tries them. The input at work stands in shared memory, so that
// the starter has it when this thread spins or ends.
import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { mutated } from './mutate.ts';
import { SeededRandom } from './random.ts';
import { openTarget, type TargetName } from './target.ts';
import { place, type WorkerTask } from './worker-task.ts';

async function work(task: WorkerTask): Promise<void> {
  const { target: name, plant, seed, from, header, input: shared, replay } = task;
  const note = openSync(task.note, 'w');
  const target = await openTarget(name, plant);
  await warmUp(name);
  for (let number = from; Atomics.load(header, place.stop) === 0; number++) {
    const random = new SeededRandom(seed, name, number);
    const input = replay ?? mutated(target.seeds, target.words, random).subarray(0, target.longest);
    shared.set(input);
    writeSync(note, input, 0, input.length, 0);
    ftruncateSync(note, input.length);
    Atomics.store(header, place.length, input.length);
    Atomics.store(header, place.input, number);
    const outcome = await target.attempt(input, random);
    Atomics.add(header, place[outcome], 1);
    if (replay) break;
  }
  await target.close?.();
  Atomics.store(header, place.done, 1);
}

/**
 * The first inputs load and compile code, which takes CPU that is not theirs. They are good ones.
 */
async function warmUp(name: TargetName): Promise<void> {
  const target = await openTarget(name);
  for (const seed of target.seeds) await target.attempt(seed, new SeededRandom(0));
  await target.close?.();
}

await work(workerData as WorkerTask);
// What an input has left open must not keep the thread.
process.exit();
