// The executor's thread when it runs from sources.
import { becomeExecutor } from './worker-entry.ts';

becomeExecutor();
