// `sluice`: a notebook from the command line. The same file is the entry of the threads that `run`
// starts.
import { isReaderThread } from '../engine/connectors/kafka/reader-thread.ts';
import { becomeExecutor } from './executor/worker-entry.ts';

if (!becomeExecutor() && !isReaderThread())
  void import('./terminal/commands.ts').then(({ main }) => main(process.argv));
