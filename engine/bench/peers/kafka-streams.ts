// Kafka Streams as a process: the job of ../export.ts as java/StreamsWindow.java. Maven fetches the
// jars once, into the cache folder of the other engines.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { libraries, whyNoJava } from './other-engines.ts';

const sources = join(import.meta.dirname, 'java');
const jars = join(libraries, 'kafka-streams');
const classes = join(libraries, 'classes-kafka-streams');

/** The words of the command. */
export function streamsCommand(parameters: readonly string[]): readonly string[] {
  const options = ['-Xms1g', '-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];
  return ['java', ...options, '-cp', `${classes}:${jars}/*`, 'StreamsWindow', ...parameters];
}

let why: { readonly reason: string | undefined } | undefined;

/** The reason why it cannot run here. The first call prepares it. */
export function whyNoStreams(): string | undefined {
  why ??= { reason: prepare() };
  return why.reason;
}
function prepare(): string | undefined {
  const absent = whyNoJava();
  if (absent !== undefined) return absent;
  const [pom, program] = [join(sources, 'streams-pom.xml'), join(sources, 'StreamsWindow.java')];
  try {
    if (!isNewer(join(jars, '.ok'), pom)) {
      console.log(`  fetching Kafka Streams into ${jars}`);
      mkdirSync(jars, { recursive: true });
      const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
      shell('mvn', ['-q', '-B', '-f', pom, ...goal]);
      shell('touch', [join(jars, '.ok')]);
    }
    if (isNewer(join(classes, 'StreamsWindow.class'), program)) return undefined;
    mkdirSync(classes, { recursive: true });
    shell('javac', ['-nowarn', '-proc:none', '--release', '17', '-cp', `${jars}/*`, '-d', classes, program]);
    return undefined;
  } catch (error) {
    return `Kafka Streams cannot be prepared: ${String(error)}`;
  }
}
function isNewer(made: string, source: string): boolean {
  return existsSync(made) && statSync(made).mtimeMs >= statSync(source).mtimeMs;
}
function shell(command: string, parameters: readonly string[]): void {
  execFileSync(command, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
}
