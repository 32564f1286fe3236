// The command behind `cli.ts`. The same file is the entry of the threads that `run` starts.
import { diskModules } from './cells/disk-modules.ts';
import { isReaderThread } from '../engine/connectors/kafka/reader-thread.ts';
import { becomeExecutor } from './executor/worker-entry.ts';

if (!becomeExecutor(diskModules) && !isReaderThread())
  void import('./terminal/commands.ts').then(({ main }) => main(process.argv));
