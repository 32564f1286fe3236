// Apache Flink with incremental checkpoints of RocksDB: the job of ../checkpoints.ts as
// java/CheckpointedSum.java, with and without checkpoints. Each measurement has its own process.
//
// Maven fetches the jars once, into the cache folder of the other engines.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Side } from '../comparison.ts';
import { checkpointsText, type CheckpointedSize, type JobRan, restoreText } from '../checkpoint-report.ts';
import { libraries, whyNoJava } from './other-engines.ts';

const sources = join(import.meta.dirname, 'java');
const jars = join(libraries, 'flink-rocksdb');
const classes = join(libraries, 'classes-flink-rocksdb');

/** Flink reaches into these packages of Java 17. */
const opened = [
  'lang',
  'util',
  'net',
  'io',
  'util.concurrent',
  'util.concurrent.atomic',
  'lang.reflect',
  'text',
  'time',
];
const java = [
  ...['-Xms2g', '-Xmx2g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'],
  ...opened.map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  ...['-cp', `${classes}:${jars}/*`, 'CheckpointedSum'],
];

export function checkpointedFlink(sized: (scale: number) => CheckpointedSize): readonly Side[] {
  const side = (name: string, mode: 'checkpoints' | 'without'): Side => ({
    name,
    isProcess: true,
    missing: whyNoFlink,
    run: (scale) => Promise.resolve(run(mode, sized(scale))),
  });
  return [side('flink-rocksdb', 'checkpoints'), side('flink-without', 'without')];
}

function run(mode: 'checkpoints' | 'without', size: CheckpointedSize): Awaited<ReturnType<Side['run']>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const ran = printed<JobRan>(mode, folder, size);
    if (ran.failed > 0) throw new Error(`${ran.failed} checkpoints of Flink have failed.`);
    if (mode === 'checkpoints') {
      const restored = printed<{ readonly millis: number; readonly cpuMillis: number }>('restore', folder, size);
      console.error(`  Flink: ${checkpointsText(ran)}\n  Flink: ${restoreText(restored)}`);
    }
    const { seconds, cpuSeconds, results, checksum } = ran;
    return { records: size.records, seconds, cpuSeconds, results, checksum };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
function printed<T>(mode: string, folder: string, { keys, hotKeys, perWindow, warmUp, records }: CheckpointedSize): T {
  const output = execFileSync(
    'java',
    [...java, mode, folder, ...[keys, hotKeys, perWindow, warmUp, records].map(String)],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return JSON.parse(output.trim().split('\n').at(-1)!) as T;
}

let why: { readonly reason: string | undefined } | undefined;

/** The reason why Flink cannot run here. The first call prepares it. */
function whyNoFlink(): string | undefined {
  why ??= { reason: prepare() };
  return why.reason;
}
function prepare(): string | undefined {
  const absent = whyNoJava();
  if (absent !== undefined) return absent;
  try {
    if (!isNewer(join(jars, '.ok'), join(sources, 'pom.xml'))) {
      console.log(`  fetching Flink into ${jars}`);
      mkdirSync(jars, { recursive: true });
      const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
      shell('mvn', ['-q', '-B', '-f', join(sources, 'pom.xml'), ...goal]);
      shell('touch', [join(jars, '.ok')]);
    }
    const program = ['CheckpointedSum', 'Numbers'];
    const texts = program.map((name) => join(sources, `${name}.java`));
    const isMade = program.every((name, at) => isNewer(join(classes, `${name}.class`), texts[at]!));
    if (isMade) return undefined;
    mkdirSync(classes, { recursive: true });
    shell('javac', ['-nowarn', '-proc:none', '--release', '17', '-cp', `${jars}/*`, '-d', classes, ...texts]);
    return undefined;
  } catch (error) {
    return `Flink with RocksDB cannot be prepared: ${String(error)}`;
  }
}
function isNewer(made: string, source: string): boolean {
  return existsSync(made) && statSync(made).mtimeMs >= statSync(source).mtimeMs;
}
function shell(command: string, parameters: readonly string[]): void {
  execFileSync(command, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
}
