// The folder of this user's sessions. No other user can enter it.
// It contains a socket, an entry and a log per session, and copies of the kernels that run.
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Operating systems allow 104 to 108 bytes for a socket's path. */
const longestSocketPath = 99;

/** SLUICE_SESSIONS names another folder, for tests and for temporary folders with long names. */
export function sessionFolder(): string {
  const folder = process.env['SLUICE_SESSIONS'] ?? join(tmpdir(), `sluice-${userName()}`);
  const isPosix = process.platform !== 'win32';
  // A link is refused before anything is created behind it.
  if (isPosix) assertNoLink(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (isPosix) assertOurs(folder);
  return folder;
}

function userName(): string {
  const { uid, username } = userInfo();
  return uid >= 0 ? String(uid) : username.replace(/\W/g, '_');
}

function assertNoLink(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Error(`${folder} is a symbolic link, which may lead anywhere. Remove it, or ${ownFolder}.`);
}

/**
 * All users can write to the temporary folder, so another user may have created this one first. A
 * folder that others may write can already contain a kernel or a socket of theirs. It is refused,
 * not repaired.
 */
function assertOurs(folder: string): void {
  assertNoLink(folder);
  const stat = lstatSync(folder);
  if (!stat.isDirectory()) throw new Error(`${folder} is not a folder. Remove it, or ${ownFolder}.`);
  if (stat.uid !== process.geteuid?.()) throw new Error(`${folder} belongs to another user. ${capital(ownFolder)}.`);
  if ((stat.mode & 0o022) !== 0)
    throw new Error(
      `Other users may write to ${folder}, so what is in it is not trusted. Remove it, or ${ownFolder} (mode 700).`,
    );
  // Others could only read it.
  if ((stat.mode & 0o077) !== 0) chmodSync(folder, 0o700);
}
const ownFolder = 'set SLUICE_SESSIONS to a folder of your own';
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function newSessionId(): string {
  return randomBytes(6).toString('hex');
}

export function socketPath(folder: string, session: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\sluice-${session}`;
  const path = join(folder, `${session}.sock`);
  if (Buffer.byteLength(path) > longestSocketPath)
    throw new Error(
      `The socket's path ${path} is longer than ${longestSocketPath} bytes. Set SLUICE_SESSIONS to a folder with a short name.`,
    );
  return path;
}
export function entryPath(folder: string, session: string): string {
  return join(folder, `${session}.json`);
}
/** Of the call of user code that lasts: see `last-call.ts`. */
export function callPath(folder: string, session: string): string {
  return join(folder, `${session}.call`);
}
/** Of the compiled code of a copy of the kernel: by its name, so by its content. */
export function codeFolder(kernel: string): string {
  return join(dirname(kernel), basename(kernel).replace(/^kernel-([0-9a-f]+)\.\w+$/, 'code-$1'));
}
export function logPath(folder: string, session: string): string {
  return join(folder, `${session}.log`);
}

/**
 * One path for all names of a file, so that one file has one session. A missing file keeps its
 * path.
 */
export function realNotebook(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

export function shortHash(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
