// Exports notebooks, and runs the jobs as processes: their log, their HTTP port and their end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { sluice } from './sluice.ts';

/** A folder with these files. */
export function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-export-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
/** The folder of the notebook's job, inside `folder`. */
export async function exported(folder: string, notebook = join(folder, 'n.sluice.ts')): Promise<string> {
  const job = join(folder, 'job');
  const { code, out, err } = await sluice('export', notebook, '--target', 'node', '--out', job);
  assert.equal(code, 0, `${notebook} cannot be exported: ${out}${err}`);
  return job;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly code?: string;
  readonly port?: number;
}
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface Life {
  readonly pid: number;
  readonly log: () => readonly LogLine[];
  readonly ended: Promise<{ readonly code: number | null; readonly err: string }>;
  /** Waits until the job logs its port, or has ended. */
  port(): Promise<number>;
  /** The samples of /metrics. */
  metrics(): Promise<readonly MetricSample[]>;
  /** Polls until it holds. Fails when the job ends before. */
  until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}
export function start(job: string, environment: Readonly<Record<string, string>> = {}, cwd = job): Life {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(job, 'job.cjs')], {
    cwd,
    env: { PATH: process.env['PATH'], SLUICE_HTTP_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  let isOver = false;
  const ended = new Promise<{ code: number | null; err: string }>((resolve) =>
    child.on('close', (code) => {
      isOver = true;
      resolve({ code, err });
    }),
  );
  const log = (): readonly LogLine[] =>
    out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  const port = async (): Promise<number> => {
    for (; !isOver; await sleep(20)) {
      const found = log().find((line) => line.port !== undefined)?.port;
      if (found !== undefined) return found;
    }
    throw new Error(`The job has ended: ${out}${err}`);
  };
  return {
    ...{ pid: child.pid!, log, ended, port },
    async metrics() {
      const response = await fetch(`http://127.0.0.1:${await port()}/metrics`);
      return (await response.text())
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map(metricSample);
    },
    async until(isSo, what) {
      while (!(await isSo())) {
        if (isOver) throw new Error(`The job has ended before ${what}: ${out}${err}`);
        await sleep(100);
      }
    },
    async end(signal) {
      child.kill(signal);
      return (await ended).code;
    },
  };
}

function metricSample(line: string): MetricSample {
  const [, name, labels, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? [];
  if (value === undefined) throw new Error(`That is no sample of a metric: ${line}`);
  const pairs = labels!.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g).map(([, key, text]) => [key!, text!] as const);
  return { name: name!, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) };
}
