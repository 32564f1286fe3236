// Downloads Apache Kafka from Maven Central into a cache outside the checkout, once per machine.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const version = '4.3.1';

export function hasJars(): boolean {
  return existsSync(cacheMarker());
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sluice', `kafka-${version}`);
}
function cacheMarker(): string {
  return join(cacheFolder(), 'lib', '.complete');
}

/** The folder with Kafka's jars. The first call downloads them, under a lock. */
export async function fetchJars(): Promise<string> {
  const cache = cacheFolder();
  const lib = join(cache, 'lib');
  if (existsSync(cacheMarker())) return lib;
  mkdirSync(cache, { recursive: true });
  const lock = join(cache, 'lock');
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(join(lock, 'pid'), String(process.pid));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (holderIsGone(lock)) rmSync(lock, { recursive: true, force: true });
      await sleep(200);
    }
    if (existsSync(cacheMarker())) return lib;
  }
  try {
    if (existsSync(cacheMarker())) return lib;
    const pom = join(cache, 'pom.xml');
    writeFileSync(pom, pomText());
    const maven = spawnSync(
      'mvn',
      // prettier-ignore
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'],
      { encoding: 'utf8' },
    );
    if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka ${version}:\n${maven.stdout}${maven.stderr}`);
    writeFileSync(cacheMarker(), '');
    return lib;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function holderIsGone(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // Without a pid file the holder is just about to write it.
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function pomText(): string {
  const dependency = (group: string, artifact: string, of: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${of}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>sluice</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging><dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', version)}
${dependency('org.apache.kafka', 'kafka-tools', version)}
${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
</dependencies></project>
`;
}
