// The only function that starts a kernel. A kernel is a process of its own: it outlives its
// starter, does not depend on an editor,
// and keeps running when an update replaces its installed file.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeVariables } from '../protocol/code-variables.ts';
import type { ConnectionDefinitions } from '../protocol/connections.ts';
import { codeFolder, entryPath, logPath, newSessionId, realNotebook, shortHash } from './session-folder.ts';
import { answeringEntries, type SessionEntry } from './registry.ts';

export interface StartOptions {
  readonly folder: string;
  readonly notebook: string;
  /** The kernel's one file; a `.ts` file when run from sources. */
  readonly kernelPath: string;
  /** Node, or an Electron that can run as Node. */
  readonly execPath?: string;
  /**
   * Added to the environment: SLUICE_MEMORY and others from the editor's settings, and
   * SLUICE_EDITOR.
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * The connections with their secrets (`value` instead of `stored`). They go through a pipe, so
   * that they are in no environment and no list of processes.
   */
  readonly connections?: ConnectionDefinitions;
  /** The session ends after this many minutes without a client. */
  readonly idleMinutes?: number;
}

/** Says that connections come through the standard input. */
export const handOverVariable = 'SLUICE_HANDOVER';

/** A kernel that starts has this long until it answers. */
export const startMillis = 20_000;
const lookMillis = 15;

export async function startKernel(options: StartOptions): Promise<SessionEntry> {
  const { folder, notebook, execPath = process.execPath } = options;
  const session = newSessionId();
  const kernel = setAside(folder, options.kernelPath);
  const args = [kernel, realNotebook(notebook), folder, session];
  if (options.idleMinutes !== undefined) args.push(String(options.idleMinutes));
  const child = spawn(execPath, args, {
    cwd: folder,
    detached: true,
    windowsHide: true,
    stdio: [options.connections ? 'pipe' : 'ignore', 'ignore', 'ignore'],
    env: environment({
      ...options.env,
      ...(kernel !== options.kernelPath && codeVariables(codeFolder(kernel), process.env)),
      ...(options.connections && { [handOverVariable]: 'stdin' }),
    }),
  });
  // A kernel that ends at once closes the pipe. Its end is reported below.
  child.stdin?.on('error', () => undefined).end(JSON.stringify(options.connections));
  let ended: string | undefined;
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, signal) => (ended ??= `it ended with ${signal ?? `code ${code}`}`));
  child.unref();
  const entry = await appearance(options, session, () => ended);
  // The session runs, whatever becomes of old files.
  await sweep(folder).catch(() => undefined);
  return entry;
}

/** Waits for the entry. The kernel writes it when it accepts connections. */
async function appearance(
  { folder, notebook }: StartOptions,
  session: string,
  ended: () => string | undefined,
): Promise<SessionEntry> {
  const path = entryPath(folder, session);
  for (let waited = 0; waited < startMillis; waited += lookMillis) {
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as SessionEntry;
    const reason = ended();
    if (reason !== undefined) throw failure(folder, session, notebook, reason);
    await sleep(lookMillis);
  }
  throw failure(folder, session, notebook, `it did not answer within ${startMillis / 1000} s`);
}

function failure(folder: string, session: string, notebook: string, reason: string): Error {
  const log = logPath(folder, session);
  const tail = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n') : '';
  return new Error(`The kernel of ${notebook} could not be started: ${reason}.${tail && `\n${tail}`}`);
}

/**
 * Without the editor's variables: NODE_OPTIONS would change how Node starts, and others name
 * sockets that close with the editor.
 */
function environment(extra: StartOptions['env']): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra, ELECTRON_RUN_AS_NODE: '1' };
  for (const name of Object.keys(env)) if (name === 'NODE_OPTIONS' || name.startsWith('VSCODE_')) delete env[name];
  // The kernel runs in another folder.
  for (const name of Object.keys(env))
    if (/^SLUICE_CONNECTIONS$|^SLUICE_REGISTRY(_\w+)?_CA$/.test(name) && isPath(env[name]))
      env[name] = resolve(env[name]);
  return env;
}

function isPath(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '' && !value.trim().startsWith('{');
}

/**
 * Copies the file under a name made from its content. An update then replaces the installed file,
 * not the running copy. A copy that is there runs only if it has the same bytes: the name alone
 * proves nothing. Sources are not copied.
 */
export function setAside(folder: string, kernelPath: string): string {
  if (extname(kernelPath) === '.ts') return kernelPath;
  const content = readFileSync(kernelPath);
  const copy = join(folder, `kernel-${shortHash(content)}${extname(kernelPath)}`);
  if (isCopy(copy, content)) {
    // `sweep` spares copies that somebody has just looked at.
    utimesSync(copy, new Date(), new Date());
    return copy;
  }
  const unfinished = `${copy}.${randomUUID()}`;
  try {
    writeFileSync(unfinished, content, { flag: 'wx', mode: 0o600 });
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { force: true });
    // Another starter was first. (Windows does not replace a file in use.)
    if (!isCopy(copy, content)) throw error;
  }
  return copy;
}

function isCopy(path: string, content: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true && readFileSync(path).equals(content);
}

const keptMillis = { ofLog: 7 * 24 * 3_600_000, ofCopy: 2 * startMillis } as const;
/**
 * Removes entries whose sockets do not answer, copies that no kernel uses with their compiled code,
 * and logs of ended sessions that are a week old. A young copy may belong to a kernel that starts
 * at this moment.
 */
async function sweep(folder: string): Promise<void> {
  const living = await answeringEntries(folder);
  const used = new Set(living.map((entry) => entry.kernel));
  const sessions = new Set(living.map(({ session }) => session));
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isUnused = /^kernel-[0-9a-f]{12}\.\w+(\.[\w-]+)?$/.test(name) && !used.has(path);
    const session = /^([0-9a-f]{12})\.(?:log(\.1)?|call)$/.exec(name)?.[1];
    const isEnded = session !== undefined && !sessions.has(session);
    const age = ageOf(path);
    const isOldCopy = isUnused && age > keptMillis.ofCopy;
    if (isOldCopy || (isEnded && age > keptMillis.ofLog)) rmSync(path, { force: true });
    if (isOldCopy) rmSync(codeFolder(path), { recursive: true, force: true });
  }
}
function ageOf(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}
