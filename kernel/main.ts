// The kernel's single file. As a process it is the control thread of a session. As a thread of that
// process it is an executor or the reader of a topic.
//
//   main NOTEBOOK FOLDER SESSION [IDLE-MINUTES]
//   main browse                                 the service that looks into clusters, for an editor
import { diskModules } from './cells/disk-modules.ts';
import { isReaderThread } from '../engine/connectors/kafka/reader-thread.ts';
import { becomeExecutor } from './executor/worker-entry.ts';

// No `await` at the top level: the bundle is CommonJS. What fails here ends the process.
if (!becomeExecutor(diskModules) && !isReaderThread()) void becomeControl();

async function becomeControl(): Promise<void> {
  const [, , notebook, folder, session, idleMinutes] = process.argv;
  if (notebook === 'browse' && folder === undefined) {
    const { runBrowse } = await import('./browse/browse-process.ts');
    return runBrowse();
  }
  if (notebook === undefined || folder === undefined || session === undefined)
    throw new Error('The kernel is started by a client: main NOTEBOOK FOLDER SESSION [IDLE-MINUTES].');
  // An executor's thread needs neither compiler nor server, and it starts faster without them.
  const { runKernel } = await import('./server/kernel-process.ts');
  await runKernel({ notebook, folder, session, ...(idleMinutes && { idleMillis: Number(idleMinutes) * 60_000 }) });
}
