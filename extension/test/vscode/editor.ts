// One running VS Code with the packed extension in it: fresh profile, loopback only, no node and no
// npm on its PATH.
// All its processes, kernels included, carry a mark in their environment. Teardown finds and ends
// them by this mark.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Browser } from 'playwright-core';
import { reportSkipped } from '../../../.ci/in-ci.ts';
import { freePorts } from '../../../engine/test/kafka/broker.ts';
import { browserPath } from '../renderer/browser.ts';
import { installCodeServer } from './code-server.ts';
import { logDisplays } from './display-log.ts';
import { longestWait, NotebookWindow } from './notebook-window.ts';

const root = join(import.meta.dirname, '../../..');
const packed = join(root, 'dist', 'sluice.vsix');

export interface EditorOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Folders are trusted unless a test sets this to false. */
  readonly trust?: boolean;
}

/** The reason why VS Code cannot be tested here, or undefined. In CI it must be tested. */
export function whyNoEditor(): string | undefined {
  const reason =
    process.platform !== 'linux' || process.arch !== 'x64'
      ? 'the cached code-server is for Linux on x64'
      : browserPath === undefined
        ? 'there is no Chromium; install it or set CHROMIUM to its path'
        : undefined;
  if (reason === undefined) return undefined;
  const sentence = `NO TESTS IN VS CODE: ${reason}.`;
  reportSkipped(sentence);
  return sentence;
}

/** Screenshots go to SLUICE_SCREENSHOTS, or to a temporary folder whose path is printed. */
const screenshots = process.env['SLUICE_SCREENSHOTS'] ?? mkdtempSync(join(tmpdir(), 'sluice-screenshots-'));
mkdirSync(screenshots, { recursive: true });
console.log(`Screenshots: ${screenshots}`);

export class Editor {
  readonly #mark: string;
  readonly #scratch: string;
  readonly #server: ChildProcess;
  readonly #browser: Browser;
  readonly #log: () => string;
  readonly address: string;
  /** An empty folder of this editor. It is removed with the editor. */
  readonly folder: string;

  constructor(parts: {
    mark: string;
    scratch: string;
    server: ChildProcess;
    browser: Browser;
    address: string;
    folder: string;
    log: () => string;
  }) {
    this.#mark = parts.mark;
    this.#scratch = parts.scratch;
    this.#server = parts.server;
    this.#browser = parts.browser;
    this.#log = parts.log;
    this.address = parts.address;
    this.folder = parts.folder;
  }

  get log(): string {
    return this.#log();
  }

  /**
   * Opens a window on the folder, with a notebook in it. It shares only the disk with other
   * windows. Cells outside the window are not drawn, so a long notebook needs a high window.
   */
  async open(file?: string, { height = 1_800 }: { readonly height?: number } = {}): Promise<NotebookWindow> {
    const context = await this.#browser.newContext({ viewport: { width: 1400, height }, locale: 'en-GB' });
    context.setDefaultTimeout(longestWait);
    const page = await context.newPage();
    await logDisplays(page);
    const window = new NotebookWindow(page, { address: this.address, folder: this.folder, screenshots });
    await window.load(file);
    return window;
  }

  write(name: string, text: string | Uint8Array): string {
    const path = join(this.folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /** All texts that the editor has written: settings, logs, and what its processes may read. */
  writtenTexts(): string[] {
    return [this.log, ...textsIn(this.#scratch)];
  }
  /** The command lines and the environments of all its processes. */
  processTexts(): string[] {
    return marked(this.#mark).flatMap((pid) => [commandLine(pid), environmentOf(pid)]);
  }
  get settings(): string {
    return readFileSync(join(this.#scratch, 'data', 'User', 'settings.json'), 'utf8');
  }

  /** Processes that this editor or one of its kernels started, selected by their command line. */
  processes(holding: string): number[] {
    return marked(this.#mark).filter((pid) => commandLine(pid).includes(holding));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    this.#server.kill('SIGTERM');
    for (let waited = 0; waited < 10_000 && this.#server.exitCode === null; waited += 50) await sleep(50);
    for (const pid of marked(this.#mark)) endProcess(pid);
    for (let waited = 0; waited < 20_000 && marked(this.#mark).length > 0; waited += 50) await sleep(50);
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

export async function startEditor(options: EditorOptions = {}): Promise<Editor> {
  const { node, entry } = await installCodeServer();
  if (!existsSync(packed)) throw new Error(`There is no ${packed}. Run npm run package first.`);
  const mark = randomUUID();
  const scratch = mkdtempSync(join(tmpdir(), 'sluice-vscode-'));
  const at = (...names: string[]): string => {
    const path = join(scratch, ...names);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const [data, extensions, folder] = [at('data'), at('extensions'), at('folder')];
  const config = join(scratch, 'config.yaml');
  writeFileSync(config, 'auth: none\n');
  writeFileSync(join(at('data', 'User'), 'settings.json'), JSON.stringify({ ...quiet, ...options.settings }, null, 2));
  const environment: NodeJS.ProcessEnv = {
    HOME: at('home'),
    TMPDIR: at('tmp'),
    PATH: pathWithoutNode(at('bin')),
    LANG: 'C.UTF-8',
    SLUICE_TEST_MARK: mark,
  };
  const common = ['--config', config, '--user-data-dir', data, '--extensions-dir', extensions];
  const installed = spawnSync(node, [entry, ...common, '--install-extension', packed, '--force'], {
    env: environment,
    encoding: 'utf8',
  });
  if (installed.status !== 0)
    throw new Error(`The extension could not be installed:\n${installed.stdout}${installed.stderr}`);
  const [port] = await freePorts(1);
  const server = spawn(
    node,
    [
      entry,
      ...common,
      ...['--auth', 'none', '--bind-addr', `127.0.0.1:${port}`],
      ...['--disable-telemetry', '--disable-update-check', '--disable-getting-started-override', '--disable-proxy'],
      '--ignore-last-opened',
      ...(options.trust === false ? [] : ['--disable-workspace-trust']),
    ],
    { env: environment, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-50_000)));
  const address = `127.0.0.1:${port}`;
  for (let waited = 0; !(await isHealthy(address)); waited += 100) {
    if (server.exitCode !== null || waited > 180_000) {
      server.kill('SIGKILL');
      throw new Error(`code-server did not start:\n${log}`);
    }
    await sleep(100);
  }
  const browser = await chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
  });
  return new Editor({ mark, scratch, server, browser, address, folder, log: () => log });
}

const quiet = {
  'workbench.startupEditor': 'none',
  // A window that opens a file by its address chooses the editor before it knows the extensions'
  // contributions, unless this setting names it.
  'workbench.editorAssociations': { '*.sluice.ts': 'sluice-notebook' },
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'git.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'security.workspace.trust.startupPrompt': 'never',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'files.simpleDialog.enable': true,
  // The default in a browser is to save after a second.
  'files.autoSave': 'off',
};

/**
 * The shell's tools without node and npm, because the extension contains everything that it needs.
 */
function pathWithoutNode(folder: string): string {
  for (const tool of [
    'sh',
    'bash',
    'env',
    'cat',
    'ls',
    'uname',
    'mkdir',
    'rm',
    'ps',
    'grep',
    'sed',
    'which',
    'sleep',
  ]) {
    const found = ['/usr/bin', '/bin'].map((place) => join(place, tool)).find((path) => existsSync(path));
    if (found !== undefined) symlinkSync(found, join(folder, tool));
  }
  return folder;
}

async function isHealthy(address: string): Promise<boolean> {
  try {
    return (await fetch(`http://${address}/healthz`)).ok;
  } catch {
    return false;
  }
}

/** Of all files below a folder, but the extensions. */
function textsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/extensions/'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}
function marked(mark: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).includes(`SLUICE_TEST_MARK=${mark}`));
}
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has ended meanwhile.
  }
}
