// The executor's thread when it runs from sources.
import { diskModules } from '../cells/disk-modules.ts';
import { becomeExecutor } from './worker-entry.ts';

becomeExecutor(diskModules);
