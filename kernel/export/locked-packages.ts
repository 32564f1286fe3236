// The packages that stay dependencies of a job, with the versions of the user's own lock file. So
// the job is made without network, and `npm ci` installs what the notebook ran with.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagesAround } from './package-places.ts';

interface LockedPackage {
  readonly version?: string;
  /** The one of the registry, if it is installed under another one. */
  readonly name?: string;
  readonly link?: boolean;
  /** From where npm has it. */
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}
/** Entries of a lock file by their folder: node_modules/sharp. */
export type LockEntries = Readonly<Record<string, { readonly version?: string }>>;
export type Locked =
  | {
      readonly name: string;
      /** Absolute. */
      readonly folder: string;
      /** As package.json has it. */
      readonly version: string;
      readonly entries: LockEntries;
    }
  | { readonly problem: string };

/**
 * The package of a file, or the outermost one around it: a package inside of another one cannot be
 * installed without that. `path`: a file of the package.
 */
export function lockedPackage(path: string): Locked {
  const around = packagesAround(path);
  for (const { name, folder, root } of around) {
    const packages = lockFileOf(root);
    const found = packages?.[`node_modules/${name}`];
    if (!packages || found?.version === undefined || found.link) continue;
    const entries = entriesOf(name, packages);
    const local = Object.entries(entries).find(([, one]) => isOfThisMachine(one));
    if (local)
      return { problem: `${local[0]} comes from a path of this machine, so npm cannot install it beside the job.` };
    const { name: alias = name } = found;
    const version = alias === name ? found.version : `npm:${alias}@${found.version}`;
    return { name, folder, version, entries };
  }
  const name = around.at(-1)?.name;
  if (name === undefined) return { problem: 'It is in no package, so npm cannot install it beside the job.' };
  return { problem: `No package-lock.json beside it names its version. npm install ${name} writes one.` };
}

function isOfThisMachine({ link, resolved }: LockedPackage): boolean {
  return link === true || resolved?.startsWith('file:') === true;
}

function entriesOf(name: string, packages: Readonly<Record<string, LockedPackage>>): LockEntries {
  const entries: Record<string, LockedPackage> = {};
  const visit = (folder: string): void => {
    const one = packages[folder];
    if (!one || folder in entries) return;
    // In the job it is needed, whatever it was beside the notebook.
    const {
      dev: _dev,
      devOptional: _devOptional,
      peer: _peer,
      ...entry
    } = one as LockedPackage & Record<string, unknown>;
    entries[folder] = entry;
    const needed = { ...one.dependencies, ...one.optionalDependencies, ...one.peerDependencies };
    for (const other of Object.keys(needed)) {
      const place = placeOf(other, folder, packages);
      if (place !== undefined) visit(place);
    }
  };
  visit(`node_modules/${name}`);
  return entries;
}

/** The file of the user, else what npm has noted of the installed packages. */
function lockFileOf(root: string): Readonly<Record<string, LockedPackage>> | undefined {
  for (const file of ['package-lock.json', 'node_modules/.package-lock.json'])
    try {
      const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
        readonly packages?: Readonly<Record<string, LockedPackage>>;
      };
      if (packages) return packages;
    } catch {
      // The next one may be there.
    }
  return undefined;
}

/** As Node finds it: in the folder of the package, or in one above. */
function placeOf(name: string, folder: string, packages: Readonly<Record<string, unknown>>): string | undefined {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (place in packages) return place;
    if (at === '') return undefined;
  }
}
