// Modules and packages that are others now than when the cells of a checkpoint ran.
import { moduleNews } from '../cells/cell-modules.ts';
import type { ModuleFiles } from '../cells/module-files.ts';
import type { ChangedPackage, ModuleNews } from '../cells/used-modules.ts';
import type { SavedSession } from '../session/saved-session.ts';

/** What the cells would import if they ran now. */
export interface PresentModules {
  /** Absolute path of the notebook. */
  readonly notebook: string;
  readonly files: ModuleFiles;
  /** They are inside of an exported job. */
  readonly areInJob: boolean;
}

/** Each once, whoever imports it. */
export async function changedModules(
  { cells }: Pick<SavedSession, 'cells'>,
  { notebook, files }: PresentModules,
): Promise<ModuleNews> {
  const changed = new Map<string, ModuleNews['files'][number]>();
  const packages = new Map<string, ChangedPackage>();
  for (const { active } of cells) {
    if (!active?.used) continue;
    const news = await moduleNews(active.used, notebook, files);
    for (const one of news.files) changed.set(one.path, one);
    for (const one of news.packages) packages.set(packageText(one), one);
  }
  return { files: [...changed.values()], packages: [...packages.values()] };
}

/** "zod, which was 4.0.0 and is 4.1.0 now" */
export function packageText({ name, versions }: ChangedPackage): string {
  return versions ? `${name}, which was ${versions.former} and is ${versions.now} now` : name;
}
