// Runs notebooks of the set on two targets over the same recorded topics, and compares what they
// have committed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { startAnswers } from './answers.ts';
import { committedTopics } from './committed-topics.ts';
import { countedRows, differences } from './differences.ts';
import type { SetNotebook } from './notebooks.ts';
import type { Target } from './targets.ts';

export interface SameRowsOptions {
  readonly client: IndependentClient;
  readonly brokers: string;
  /** What the others are compared with, and the others. */
  readonly targets: readonly [Target, ...Target[]];
}
/** Of the answers to one target, so many overtake others at least. */
const leastOvertaken = 100;

export interface Verdict {
  /** Empty: all targets have the same rows. */
  readonly faults: readonly string[];
  /** Rows that were compared, by output. */
  readonly rows: Readonly<Record<string, number>>;
  /** By target. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** The recorded topics exist. A topic of an output belongs to one run of one target. */
export async function sameRows(
  { name, text, outputs, asks }: SetNotebook,
  { client, brokers, targets }: SameRowsOptions,
): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-same-rows-'));
  const server = asks && (await startAnswers());
  try {
    const notebook = join(folder, `${name}.sluice.ts`);
    writeFileSync(notebook, text);
    const seconds: Record<string, number> = {};
    const faults: string[] = [];
    const topicOf = (target: Target, output: string): string => `${name}-${target.name}-${output}`;
    for (const target of targets) {
      for (const output of outputs) await client.createTopic(topicOf(target, output.name), 2);
      const own = join(folder, target.name);
      mkdirSync(own);
      const began = performance.now();
      const params = { out: `${name}-${target.name}`, ...(server && { ask: server.address }) };
      await target.run({ notebook, brokers, params, folder: own });
      seconds[target.name] = (performance.now() - began) / 1000;
      if (server && server.takeOvertaken() < leastOvertaken)
        faults.push(`${name}: nearly all answers to ${target.name} were in order`);
    }
    const topics = targets.flatMap((target) => outputs.map((output) => topicOf(target, output.name)));
    const committed = await committedTopics(client, brokers, topics);
    const [first, ...others] = targets;
    const rows: Record<string, number> = {};
    for (const output of outputs) {
      const rowsOf = (target: Target): readonly string[] =>
        countedRows(output.kind, committed.get(topicOf(target, output.name))!);
      const expected = rowsOf(first);
      rows[output.name] = expected.length;
      if (expected.length < output.least)
        faults.push(`${name}, ${output.name}: ${first.name} has only ${expected.length} rows`);
      for (const target of others)
        for (const line of differences(expected, rowsOf(target)))
          faults.push(`${name}, ${output.name}, ${target.name} beside ${first.name}: ${line}`);
    }
    return { faults, rows, seconds };
  } finally {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
