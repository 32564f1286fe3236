// Downloads Apache Kafka from Maven Central into a cache outside the checkout, once per machine and
// version. SLUICE_KAFKA chooses the version: 4.3 (default) or 3.9.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, filledOnce } from './maven-cache.ts';

const versions: Readonly<Record<string, string>> = { '4.3': '4.3.1', '3.9': '3.9.1' };
const chosen = process.env['SLUICE_KAFKA'] || '4.3';
if (!Object.hasOwn(versions, chosen))
  throw new Error(`SLUICE_KAFKA is "${chosen}"; there are ${Object.keys(versions).join(' and ')}.`);
const version = versions[chosen]!;
/** Tools of Kafka 4 have other names for some options. */
export const isKafka4 = version.startsWith('4');
const cache = cacheFolder(`kafka-${version}`);

export function hasJars(): boolean {
  return existsSync(cacheMarker());
}

function cacheMarker(): string {
  return join(cache, 'lib', '.complete');
}

/** The folder with Kafka's jars. The first call downloads them. */
export async function fetchJars(): Promise<string> {
  const lib = join(cache, 'lib');
  await filledOnce(cache, cacheMarker(), () => {
    const pom = join(cache, 'pom.xml');
    writeFileSync(pom, pomText());
    const maven = spawnSync(
      'mvn',
      // prettier-ignore
      ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'],
      { encoding: 'utf8' },
    );
    if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka ${version}:\n${maven.stdout}${maven.stderr}`);
  });
  return lib;
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
