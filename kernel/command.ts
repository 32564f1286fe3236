// The command behind `cli.ts`. The same file is the entry of the threads that it starts.
import { diskModules } from './cells/disk-modules.ts';
import { isReaderThread } from '../engine/connectors/kafka/reader-thread.ts';
import { becomeExecutor } from './executor/worker-entry.ts';
import { evaluatesConstants } from './export/constants-role.ts';

if (!becomeExecutor(diskModules) && !isReaderThread() && !evaluatesConstants())
  void import('./terminal/commands.ts').then(({ main }) => main(process.argv));
