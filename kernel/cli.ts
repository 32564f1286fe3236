// `sluice`: a notebook from the command line. The same file is the entry of the executor's thread that `run` starts.
import { becomeExecutor } from './executor/worker-entry.ts';

if (!becomeExecutor()) void import('./terminal/commands.ts').then(({ main }) => main(process.argv));
