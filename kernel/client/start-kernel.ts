// THE one function that starts a kernel: a process of its own that outlives who started it, knows nothing of an editor, and keeps running whatever is installed over its file.
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryPath, logPath, newSessionId, realNotebook, shortHash } from './session-folder.ts';
import { entries, type SessionEntry } from './registry.ts';

export interface StartOptions {
  readonly folder: string;
  readonly notebook: string;
  /** The kernel's one file; a `.ts` file when run from sources. */
  readonly kernelPath: string;
  /** Node, or an Electron that can be Node. */
  readonly execPath?: string;
  /** Added to the environment: SLUICE_BROKERS from the editor's settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Minutes without a client after which the session ends. */
  readonly idleMinutes?: number;
}

const startMillis = 20_000;
const lookMillis = 15;

export async function startKernel(options: StartOptions): Promise<SessionEntry> {
  const { folder, notebook, execPath = process.execPath } = options;
  const session = newSessionId();
  const kernel = setAside(folder, options.kernelPath);
  sweep(folder, kernel);
  const args = [kernel, realNotebook(notebook), folder, session];
  if (options.idleMinutes !== undefined) args.push(String(options.idleMinutes));
  const child = spawn(execPath, args, {
    cwd: folder,
    detached: true,
    windowsHide: true,
    stdio: 'ignore',
    env: environment(options.env),
  });
  let ended: string | undefined;
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code, signal) => (ended ??= `it ended with ${signal ?? `code ${code}`}`));
  child.unref();
  return await appearance(options, session, () => ended);
}

/** The kernel writes its entry when it can be reached. */
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
  const said = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n') : '';
  return new Error(`The kernel of ${notebook} could not be started: ${reason}.${said && `\n${said}`}`);
}

/** Nothing of the editor's: its options would change how Node starts, its variables name sockets that close with it. */
function environment(extra: StartOptions['env']): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra, ELECTRON_RUN_AS_NODE: '1' };
  for (const name of Object.keys(env)) if (name === 'NODE_OPTIONS' || name.startsWith('VSCODE_')) delete env[name];
  return env;
}

/** A copy by content: an update replaces the installed file, never the one that runs. Sources stay where they are. */
function setAside(folder: string, kernelPath: string): string {
  if (extname(kernelPath) === '.ts') return kernelPath;
  const copy = join(folder, `kernel-${shortHash(readFileSync(kernelPath))}${extname(kernelPath)}`);
  if (existsSync(copy)) return copy;
  const unfinished = `${copy}.${process.pid}`;
  copyFileSync(kernelPath, unfinished);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    rmSync(unfinished, { force: true });
    // Another starter was first (Windows does not replace a file in use).
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

const keptMillis = 7 * 24 * 3_600_000;
/** Copies that no kernel runs from, and logs that nobody has asked for in a week. */
function sweep(folder: string, kernel: string): void {
  const living = entries(folder);
  const used = new Set([kernel, ...living.map((entry) => entry.kernel)]);
  const sessions = new Set(living.map(({ session }) => session));
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isCopy = /^kernel-[0-9a-f]{12}\.\w+$/.test(name) && !used.has(path);
    const session = /^([0-9a-f]{12})\.log(\.1)?$/.exec(name)?.[1];
    const isOldLog = session !== undefined && !sessions.has(session) && ageOf(path) > keptMillis;
    if (isCopy || isOldLog) rmSync(path, { force: true });
  }
}
function ageOf(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}
