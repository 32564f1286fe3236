// Which answers of a broker are tried again: those that Java's client retries, as its own classes
// say.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { reportSkipped } from '../../../.ci/in-ci.ts';
import { isRetriable, producerErrorName } from '../../connectors/kafka/produce-outcome.ts';
import { whyNoKafka } from './broker.ts';
import { fetchJars, isKafka4 } from './kafka-jars.ts';

/** `java` compiles the program itself, which needs a JDK. */
function whyNoJdk(): string | undefined {
  const missing = whyNoKafka();
  if (missing !== undefined) return missing;
  if (spawnSync('javac', ['-version'], { stdio: 'ignore' }).error === undefined) return undefined;
  const reason = "NO COMPARISON WITH JAVA'S ERRORS: javac not found. Install a JDK, 17 or later.";
  reportSkipped(reason);
  return reason;
}

const program = `
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;
public class PrintErrors {
  public static void main(String[] none) {
    for (Errors error : Errors.values())
      System.out.println(error.code() + " " + error.name() + " " + (error.exception() instanceof RetriableException));
  }
}
`;

/** Retriable in Java, but no answer to a sink: each with the request that it answers. */
const ofOtherRequests: Readonly<Record<string, string>> = {
  FETCH_SESSION_ID_NOT_FOUND: 'Fetch',
  INVALID_FETCH_SESSION_EPOCH: 'Fetch',
  FETCH_SESSION_TOPIC_ID_ERROR: 'Fetch',
  INCONSISTENT_TOPIC_ID: 'Fetch',
  OFFSET_NOT_AVAILABLE: 'ListOffsets',
  ELIGIBLE_LEADERS_NOT_AVAILABLE: 'ElectLeaders',
  ELECTION_NOT_NEEDED: 'ElectLeaders',
  UNSTABLE_OFFSET_COMMIT: 'OffsetFetch',
  SHARE_SESSION_NOT_FOUND: 'ShareFetch',
  INVALID_SHARE_SESSION_EPOCH: 'ShareFetch',
  SHARE_SESSION_LIMIT_REACHED: 'ShareFetch',
};

test("a sink tries again what Java's client retries", { skip: whyNoJdk() !== undefined || !isKafka4 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-java-'));
  const file = join(folder, 'PrintErrors.java');
  writeFileSync(file, program);
  const printed = execFileSync('java', ['-XX:TieredStopAtLevel=1', '-cp', join(await fetchJars(), '*'), file], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  const errors = printed.trim().split('\n');
  assert.ok(errors.length > 100, printed);
  const wrong = errors.filter((line) => {
    const [code, name, retriable] = line.split(' ') as [string, string, string];
    const expected = retriable === 'true' && ofOtherRequests[name] === undefined;
    const isNamed = !expected || producerErrorName(Number(code)) === name;
    return isRetriable(Number(code)) !== expected || !isNamed;
  });
  assert.deepEqual(wrong, []);
});
