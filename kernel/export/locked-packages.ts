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
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}
type Packages = Readonly<Record<string, LockedPackage>>;
interface LockFile {
  readonly file: string;
  readonly packages: Packages;
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
    const lock = lockFileOf(root);
    const found = lock?.packages[`node_modules/${name}`];
    if (!lock || found?.version === undefined || found.link) continue;
    const { entries, missing } = entriesOf(name, lock.packages);
    const local = Object.entries(entries).find(([, one]) => isOfThisMachine(one));
    if (local)
      return { problem: `${local[0]} comes from a path of this machine, so npm cannot install it beside the job.` };
    if (missing) return { problem: incomplete(lock.file, missing) };
    const other = otherInstalled(root, entries);
    if (other !== undefined) return { problem: `${other} ${lock.file} names another one: run npm ci.` };
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

interface Missing {
  readonly name: string;
  /** The package that needs it. */
  readonly by: string;
}
/** npm refuses a lock file that does not name all that a package may need, on any system. */
function incomplete(file: string, { name, by }: Missing): string {
  const what = `${file} beside it does not name ${name}, which ${by} needs`;
  if (file === installed)
    return `${what}: it has what npm has installed on this system. npm install --package-lock-only writes a package-lock.json.`;
  return `${what}, so npm ci would refuse the job. Remove it and node_modules, and npm install writes a complete one.`;
}

function entriesOf(
  name: string,
  packages: Packages,
): { readonly entries: Readonly<Record<string, LockedPackage>>; readonly missing: Missing | undefined } {
  const entries: Record<string, LockedPackage> = {};
  let missing: Missing | undefined;
  const visit = (folder: string): void => {
    const one = packages[folder];
    if (!one || folder in entries) return;
    // In the job it is needed, whatever it was beside the notebook.
    const { dev: _dev, devOptional: _devOptional, peer: _peer, extraneous: _, ...entry } = one as Noted;
    entries[folder] = entry;
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = one;
    for (const other of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const place = placeOf(other, folder, packages);
      if (place !== undefined) visit(place);
      else if (!peerDependenciesMeta?.[other]?.optional)
        missing ??= { name: other, by: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length) };
    }
  };
  visit(`node_modules/${name}`);
  return { entries, missing };
}
type Noted = LockedPackage & Readonly<Record<'dev' | 'devOptional' | 'peer' | 'extraneous', unknown>>;

/** The notebook has run with what is installed, and the job gets what the lock file names. */
function otherInstalled(root: string, entries: Readonly<Record<string, LockedPackage>>): string | undefined {
  for (const [folder, { version }] of Object.entries(entries)) {
    const present = readJson<{ readonly version?: string }>(join(root, folder, 'package.json'))?.version;
    if (present !== undefined && present !== version) return `${folder} is installed in version ${present}.`;
  }
  return undefined;
}

const installed = 'node_modules/.package-lock.json';
/** The file of the user, else what npm has noted of the installed packages. */
function lockFileOf(root: string): LockFile | undefined {
  for (const file of ['package-lock.json', installed]) {
    const packages = readJson<{ readonly packages?: Packages }>(join(root, file))?.packages;
    if (packages) return { file, packages };
  }
  return undefined;
}
/** undefined: it is not there, or it is no JSON. */
function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** As Node finds it: in the folder of the package, or in one above. */
function placeOf(name: string, folder: string, packages: Readonly<Record<string, unknown>>): string | undefined {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (place in packages) return place;
    if (at === '') return undefined;
  }
}
