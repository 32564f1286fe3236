// Runs the command as a child process: its JSON lines, the CPU until its first row, and its end.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../../..');

export interface Line {
  readonly cell?: string;
  readonly stream?: string;
  readonly row?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly message: string };
  readonly metrics?: { readonly operators: readonly OperatorFigures[] };
}
export interface OperatorFigures {
  readonly id: string;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly busy: number;
  readonly backpressured: number;
  readonly backpressure: string;
  readonly lateRecordsDropped: number;
}

export function sluice(parameters: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [join(root, 'kernel/cli.ts'), ...parameters], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
export function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('exit', resolve));
}

/**
 * Reads the lines of `run --json`. Ends the run when `isEnough` is true, or returns when the run
 * ends by itself.
 */
export async function runJson(
  notebook: string,
  forDuration: string,
  options: { readonly environment?: NodeJS.ProcessEnv; readonly isEnough?: (line: Line) => boolean } = {},
): Promise<{ readonly lines: Line[]; readonly firstRowCpuMillis: number | undefined; readonly code: number | null }> {
  const child = sluice(['run', notebook, '--json', '--for', forDuration], options.environment);
  const exited = exitCode(child);
  const lines: Line[] = [];
  let hasRow = false;
  let firstRowCpuMillis: number | undefined;
  let hasEnough = false;
  for await (const text of createInterface({ input: child.stdout! })) {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    if (line.row && !hasRow) {
      hasRow = true;
      firstRowCpuMillis = cpuMillis(child.pid!);
    }
    // More lines may follow until the run has ended.
    if (!hasEnough && options.isEnough?.(line)) {
      hasEnough = true;
      child.kill('SIGINT');
    }
  }
  return { lines, firstRowCpuMillis, code: await exited };
}

/** CPU time of a process, in ms; undefined where the system has no /proc. */
function cpuMillis(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  // The name of the program, in parentheses, may hold blanks. utime and stime are the fields 14 and
  // 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

export function rowsOf(lines: readonly Line[], cell: string): Readonly<Record<string, unknown>>[] {
  return lines.flatMap((line) => (line.cell === cell && line.row ? [line.row] : []));
}
