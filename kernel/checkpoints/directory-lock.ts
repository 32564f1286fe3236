// The lock of a state directory: one opener at a time. It is an exclusive transaction of SQLite on
// an empty file, so the system releases it when its process is killed. A file with a process id
// would fail in containers, where ids begin again. Two openers in one process collide too.
//
// The file `lock` must never be opened and closed by other means in the process that holds it:
// POSIX then releases the lock.
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SluiceError } from '../../engine/errors/error.ts';
import { errnoOf } from './disk.ts';
import { diskError, isDiskFull } from './disk-errors.ts';

export const lockName = 'lock';
const ownerName = 'owner.json';

export interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

export interface DirectoryLock {
  /** Epoch milliseconds: when the directory was used last before. */
  readonly usedAt: number;
  release(): void;
  /** Also removes the file, for a directory that goes as a whole. */
  remove(): void;
}

/**
 * Makes the directory if needed. Errors: `state-in-use`, `state-no-permission`, `state-disk-full`.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, lockName);
  // Each turn but the last finds that the owner removed the whole directory at this moment.
  for (let turn = 0; turn < 100; turn++) {
    const database = begunOn(path, directory);
    if (database) return held(database, directory, path);
  }
  throw inUse(directory);
}

/** undefined: the file was removed or replaced meanwhile. */
function begunOn(path: string, directory: string): DatabaseSync | undefined {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    if (errnoOf(error) !== 'EEXIST') throw cannotLock(error, directory);
  }
  const before = inodeOf(path);
  if (before === undefined) return undefined;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Nothing is ever written, so no journal is needed beside it.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    if (inodeOf(path) === before) return database;
    database.close();
    return undefined;
  } catch (error) {
    database?.close();
    if (inodeOf(path) !== before) return undefined;
    throw cannotLock(error, directory);
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

function held(database: DatabaseSync, directory: string, path: string): DirectoryLock {
  let usedAt: number;
  const ownerPath = join(directory, ownerName);
  try {
    usedAt = statSync(path).mtimeMs;
    touch(path);
    writeOwner(ownerPath);
  } catch (error) {
    database.close();
    throw cannotLock(error, directory);
  }
  let isHeld = true;
  const release = (isRemoved: boolean): void => {
    if (!isHeld) return;
    isHeld = false;
    try {
      rmSync(ownerPath, { force: true });
      // Removed while it is locked, so that nobody locks a file that is gone. Windows cannot do
      // that.
      if (isRemoved && process.platform !== 'win32') rmSync(path, { force: true });
      if (!isRemoved) touch(path);
    } catch {
      // The user has removed the directory, or has taken the rights on it away.
    } finally {
      database.close();
    }
    if (isRemoved && process.platform === 'win32') rmSync(path, { force: true });
  };
  return { usedAt, release: () => release(false), remove: () => release(true) };
}

/** A full disk must not hinder a restore: then only the name of the owner is missing. */
function writeOwner(path: string): void {
  const owner: Owner = { pid: process.pid, host: hostname(), since: Date.now() };
  try {
    // A file that was there may have other rights.
    rmSync(path, { force: true });
    writeFileSync(path, JSON.stringify(owner), { mode: 0o600 });
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

/** The time of the file is the last use of the directory. */
function touch(path: string): void {
  const now = new Date();
  utimesSync(path, now, now);
}

const sqliteBusy = 5;
const sqliteFull = 13;
const sqliteNoDatabase = 26;
/** PERM, READONLY, CANTOPEN */
const sqliteRights: ReadonlySet<number> = new Set([3, 8, 14]);

function cannotLock(error: unknown, directory: string): SluiceError {
  const what = 'The state directory cannot be opened';
  const errcode = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
  if (errcode === undefined) return diskError(error, what, directory);
  if (errcode === sqliteBusy) return inUse(directory);
  if (errcode === sqliteNoDatabase)
    return new SluiceError(
      'checkpoint-failed',
      `${what}: the file ${join(directory, lockName)} is not a lock. Remove it if no session uses the directory.`,
      { directory },
    );
  const errno = errcode === sqliteFull ? 'ENOSPC' : sqliteRights.has(errcode) ? 'EACCES' : undefined;
  return diskError(errno ? Object.assign(error as Error, { code: errno }) : error, what, directory);
}

function inUse(directory: string): SluiceError {
  const owner = ownerOf(directory);
  const by = owner
    ? `process ${owner.pid} on ${owner.host} since ${new Date(owner.since).toISOString()}`
    : 'another process';
  return new SluiceError(
    'state-in-use',
    `The state directory ${directory} is in use by ${by}. Stop that session first, or choose another directory.`,
    { directory, ...owner },
  );
}

function ownerOf(directory: string): Owner | undefined {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(join(directory, ownerName), 'utf8')) as Owner;
    return { pid: Number(pid), host: String(host), since: Number(since) };
  } catch {
    // The owner has not written it yet, or has just removed it.
    return undefined;
  }
}
