// What a reader thread runs when there is no bundle.
import { runReaderThread } from './reader-thread.ts';

await runReaderThread();
