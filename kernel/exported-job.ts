// The runtime of an exported job in one file: the engine and everything around it but the notebook.
// The export adds a call of `start` behind it. The same file is the entry of the job's threads.
import { isReaderThread } from '../engine/connectors/kafka/reader-thread.ts';
import { becomeExecutor } from './executor/worker-entry.ts';
import type { ModuleFiles } from './cells/module-files.ts';
import { embeddedConstants } from './job/embedded-constants.ts';
import { embeddedModules, type LoadPackage } from './job/embedded-modules.ts';
import { runExportedJob } from './job/exported-job.ts';
import type { JobData } from './job/job-data.ts';

/** `loadPackage`: imports a package of the bundle by its place in `data.packages`. */
export function start(data: JobData, loadPackage: LoadPackage): void {
  const modulesOf = (notebook: string): ModuleFiles => embeddedModules(notebook, data, loadPackage);
  if (becomeExecutor(modulesOf, embeddedConstants(data)) || isReaderThread()) return;
  void runExportedJob(data, import.meta.filename).then((code) => process.exit(code));
}
