// A thread whose session sends its executor a command that cannot be read: the value in it is too
// deep for the stack of the executor, and not for the larger one of this thread. Posts what became
// of the session.
import { parentPort, Worker } from 'node:worker_threads';
import { LiveSession } from './live-session.ts';

export interface LostCommand {
  readonly error: string | undefined;
  readonly another: { readonly ok: boolean; readonly shown: unknown };
}

export const levels = 100_000;

async function loseCommand(): Promise<LostCommand> {
  await using session = new LiveSession();
  session.edit('beat', "import { generate } from 'sluice';\ngenerate({ rate: 100 }, ({ n }) => n).show();");
  session.edit('lost', '1 + 1;');
  await session.ran('beat');
  await session.until(
    () => session.total('beat'),
    (total) => total > 0,
    'rows',
  );
  let deep: unknown[] = [];
  for (let level = 0; level < levels; level++) deep = [deep];
  const post = Object.getOwnPropertyDescriptor(Worker.prototype, 'postMessage')!;
  const sent = post.value as (this: Worker, command: object) => void;
  Worker.prototype.postMessage = function (command: { readonly kind?: unknown }) {
    sent.call(this, command.kind === 'evaluate' ? { ...command, deep } : command);
  };
  const [lost] = await session.run('lost');
  Object.defineProperty(Worker.prototype, 'postMessage', post);
  await session.executorReady();
  const [another] = await session.run('lost');
  const total = session.total('beat');
  await session.until(
    () => session.total('beat'),
    (now) => now > total,
    'rows of the cell that runs again',
  );
  await session.until(
    () => session.phase('beat'),
    (phase) => phase === 'live',
    'the cell to be live',
  );
  const [value] = session.parts('lost');
  return {
    error: lost?.error?.message,
    another: { ok: another?.ok === true, shown: value?.kind === 'value' ? value.text : undefined },
  };
}

if (parentPort) parentPort.postMessage(await loseCommand());
