// A process that uses a state directory, for the tests of permission, locks and SIGKILL. Its first
// argument names its task, the second the directory.
import { chmodSync, existsSync, readdirSync } from 'node:fs';
import { SluiceError } from '../../../engine/errors/error.ts';
import { valueSegment } from '../../../engine/state/segment.ts';
import { openCheckpoints } from '../../checkpoints/checkpoint-directory.ts';
import type { CheckpointContent } from '../../checkpoints/checkpoint-storage.ts';
import { killedContent } from './killed-content.ts';

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
function small(id: number): CheckpointContent {
  const groups = new Map([[0, [valueSegment(`state of ${id}`)]]]);
  return {
    id,
    takenAt: 0,
    kind: 'checkpoint',
    session: id,
    parts: new Map([['sum', { full: true, groups, watermark: 0 }]]),
  };
}

/** Opens, writes and closes again and again, while another process removes what nobody uses. */
async function useAgainAndAgain(directory: string): Promise<void> {
  let turns = 0;
  for (let restored = 0; turns < 60 || restored > 0; turns++) {
    const storage = await openCheckpoints(directory).catch((error: unknown) => {
      // The other process has the lock at this moment.
      if (error instanceof SluiceError && error.code === 'state-in-use') return undefined;
      throw error;
    });
    if (!storage) continue;
    restored = storage.restored?.id ?? 0;
    const { path } = await storage.write(small(storage.nextId));
    if (!existsSync(path)) print(`${path} is gone while its directory is in use`);
    await storage.close();
  }
  print('used');
}

const [task, directory = ''] = process.argv.slice(2);
try {
  if (task === 'use-again-and-again') {
    await useAgainAndAgain(directory);
    process.exit();
  }
  const storage = await openCheckpoints(directory);
  if (task === 'hold') {
    print('held');
    setInterval(() => undefined, 1000);
  } else if (task === 'write-forever') {
    for (;;) {
      const { nextId } = storage;
      await storage.write(killedContent(nextId));
      print(String(nextId));
    }
  } else if (task === 'write-without-right') {
    await storage.write(small(1));
    chmodSync(directory, 0o500);
    await storage.write(small(2)).catch((error: unknown) => {
      print(error instanceof SluiceError ? `${error.code} ${error.message}` : String(error));
    });
    chmodSync(directory, 0o700);
    print(
      `names ${readdirSync(directory)
        .filter((name) => name.startsWith('checkpoint-'))
        .join(' ')}`,
    );
    await storage.write(small(3));
    await storage.close();
    const reopened = await openCheckpoints(directory);
    print(`restored ${reopened.restored?.id}`);
    await reopened.close();
  } else {
    print('opened');
    await storage.close();
  }
} catch (error) {
  print(error instanceof SluiceError ? `${error.code} ${error.message}` : String(error));
  process.exitCode = 1;
}
