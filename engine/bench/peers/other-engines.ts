// The other engines: unchanged programs of ../shared/peers. Each measurement has its own process,
// which prints its figures as one line of JSON.
//
// The folder's own script fetches what they need (Maven and npm packages, compiled Java) once, into
// a cache folder of the user.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Measured, Side } from '../comparison.ts';
import type { QueryName } from './rules.ts';

const folder = join(import.meta.dirname, '../../../../shared/peers');
/** The cache folder with all that other engines need. */
export const libraries: string = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice', 'peers');

export function flinkSide(query: QueryName, sized: (scale: number) => number, goal: number | undefined): Side {
  return {
    name: 'flink-p1',
    ...(goal !== undefined && { goal }),
    isProcess: true,
    missing: whyNoPeers,
    run: (scale) => measuredBy('. ./env.sh; flink FlinkQ "$0" "$1" 1', [query, String(sized(scale))]),
  };
}

export function rxjsSide(query: QueryName, sized: (scale: number) => number): Side {
  return {
    name: 'rxjs',
    isProcess: true,
    missing: whyNoPeers,
    run: (scale) => measuredBy('"$0" js/rx.mjs "$1" "$2"', [process.execPath, query, String(sized(scale))]),
  };
}

let why: { readonly reason: string | undefined } | undefined;

/** The reason why the other engines cannot run. The first call prepares them. */
function whyNoPeers(): string | undefined {
  why ??= { reason: prepare() };
  return why.reason;
}
function prepare(): string | undefined {
  if (!existsSync(join(folder, 'setup.sh'))) return 'the folder ../shared/peers is not beside the repository';
  const absent = whyNoJava();
  if (absent !== undefined) return absent;
  const compiled = join(libraries, 'classes-flink', 'FlinkQ.class');
  const source = join(folder, 'java', 'FlinkQ.java');
  if (existsSync(compiled) && statSync(compiled).mtimeMs >= statSync(source).mtimeMs) return undefined;
  console.log(`  fetching the other engines into ${libraries}`);
  mkdirSync(libraries, { recursive: true });
  try {
    shell('./setup.sh', []);
    return undefined;
  } catch (error) {
    return `${join(folder, 'setup.sh')} failed: ${String(error)}`;
  }
}
/** The reason why no Java program can be built here. */
export function whyNoJava(): string | undefined {
  const absent = ['java', 'javac', 'mvn'].filter((tool) => !isInstalled(tool));
  return absent.length > 0 ? `${absent.join(' and ')} is not installed` : undefined;
}
function isInstalled(tool: string): boolean {
  try {
    execFileSync(tool, [tool === 'mvn' ? '--version' : '-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function shell(command: string, parameters: readonly string[]): string {
  return execFileSync('bash', ['-c', command, ...parameters], {
    cwd: folder,
    env: { ...process.env, LIBS: libraries },
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The line that the programs print. */
interface Line {
  readonly n: number;
  readonly s: number;
  readonly cpu_s: number;
  readonly results: number;
  readonly checksum: number;
}
function measuredBy(command: string, parameters: readonly string[]): Promise<Measured> {
  const output = shell(command, parameters);
  const line = output.split('\n').findLast((text) => text.startsWith('{"impl"'));
  if (line === undefined) throw new Error(`${command} printed no measurement: ${output}`);
  const { n, s, cpu_s, results, checksum } = JSON.parse(line) as Line;
  return Promise.resolve({ records: n, seconds: s, cpuSeconds: cpu_s, results, checksum });
}
