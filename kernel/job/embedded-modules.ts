// The modules and schema files of an exported job: compiled, bundled and read at the export, so the
// job reads none from disk.
import { dirname, relative, resolve, sep } from 'node:path';
import { SluiceError } from '../../engine/errors/error.ts';
import type { ModuleFiles, Namespace } from '../cells/module-files.ts';
import type { JobData } from './job-data.ts';

/** Imports the packages of the bundle, by their place in `JobData.packages`. */
export type LoadPackage = (index: number) => Promise<Namespace>;

type EmbeddedData = Pick<JobData, 'modules' | 'resolved' | 'packages' | 'schemas'>;

const loadsNone: LoadPackage = () => Promise.reject(new Error('No packages are loaded in this thread.'));

/** `notebook`: where the notebook would be. The paths of its modules begin at its folder. */
export function embeddedModules(notebook: string, data: EmbeddedData, loadPackage = loadsNone): ModuleFiles {
  const folder = dirname(notebook);
  const nameOf = (path: string): string => relative(folder, path).replaceAll(sep, '/');
  const byName = new Map(data.modules.map((module) => [module.path, module]));
  const importer = (from: string): Readonly<Record<string, string>> =>
    from === notebook ? data.resolved : (byName.get(nameOf(from))?.resolved ?? {});
  const packageOf = (specifier: string, from: string): number => {
    const name = nameOf(from);
    return data.packages.findIndex((one) => one.specifier === specifier && one.from === name);
  };
  return {
    resolve(specifier, from) {
      const name = importer(from)[specifier];
      return name === undefined ? undefined : resolve(folder, name);
    },
    source(path) {
      const found = byName.get(nameOf(path));
      return found ? Promise.resolve({ ...found, path }) : Promise.reject(notInJob(path, folder));
    },
    load(specifier, from) {
      const index = packageOf(specifier, from);
      return index < 0 ? Promise.reject(notInJob(specifier, folder)) : loadPackage(index);
    },
    versionOf: (specifier, from) => data.packages[packageOf(specifier, from)]?.version,
    schemaText: (path) => data.schemas?.[nameOf(path)] ?? data.schemas?.[path],
  };
}

function notInJob(specifier: string, folder: string): SluiceError {
  return new SluiceError(
    'missing-module',
    `"${specifier}" is not in this job (${folder}). Import it by a literal name in the notebook, and export it again.`,
    { specifier },
  );
}
