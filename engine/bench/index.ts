// `npm run bench`: what the engine costs beside loops written by hand. Prints machine, versions, and each ratio with its goal. A wrong checksum is an error; a ratio
// below its goal is said, not an error, since machines differ. `npm run bench -- keyed-sum` runs one comparison, `--rounds 5` more rounds than three.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Comparison, Measured } from './comparison.ts';
import { kafkaWindow } from './kafka-window.ts';
import { keyedSum } from './keyed-sum.ts';
import { windowCount } from './window-count.ts';

const comparisons: readonly Comparison[] = [keyedSum, windowCount, kafkaWindow];
const allNames = comparisons.map(({ name }) => name);
type Side = 'sluice' | 'limit';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, side: { type: 'string' } },
});
const unknown = positionals.filter((name) => !allNames.includes(name));
if (unknown.length > 0) throw new Error(`There is no comparison "${unknown[0]}"; there are ${allNames.join(', ')}.`);
const isChosen = (name: string): boolean => positionals.length === 0 || positionals.includes(name);

if (values.side === undefined) await compareAll(Number(values.rounds));
else await runOne(find(positionals[0]), values.side as Side);

function find(name: string | undefined): Comparison {
  return comparisons.find((comparison) => comparison.name === name)!;
}

/** In a process of its own: warms up, measures once, prints the figures. */
async function runOne(comparison: Comparison, side: Side): Promise<void> {
  for (let i = 0; i < comparison.warmUps; i++) await comparison[side]();
  console.log(JSON.stringify(await comparison[side]()));
}

function inOwnProcess(comparison: Comparison, side: Side): Measured {
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', import.meta.filename, comparison.name, '--side', side],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return JSON.parse(output.trim().split('\n').at(-1)!) as Measured;
}

async function compareAll(rounds: number): Promise<void> {
  printMachine();
  let isWrong = false;
  for (const comparison of comparisons) {
    if (!isChosen(comparison.name)) continue;
    console.log(`\n${comparison.name}: ${comparison.title}`);
    const missing = comparison.missing?.();
    if (missing !== undefined) {
      console.log(`  not run: ${missing}`);
      continue;
    }
    const end = await comparison.prepare?.();
    try {
      isWrong = !compare(comparison, rounds) || isWrong;
    } finally {
      await end?.();
    }
  }
  process.exitCode = isWrong ? 1 : 0;
}

/** Rounds alternate, so that a change in the machine's load touches both sides. False: a wrong checksum. */
function compare(comparison: Comparison, rounds: number): boolean {
  const runs: Record<Side, Measured[]> = { limit: [], sluice: [] };
  for (let round = 0; round < rounds; round++)
    for (const side of ['limit', 'sluice'] as const) runs[side].push(inOwnProcess(comparison, side));
  const rate = (side: Side): number => median(runs[side].map(({ records, seconds }) => records / seconds));
  for (const side of ['limit', 'sluice'] as const) {
    const all = runs[side].map(({ records, seconds }) => (records / seconds / 1e6).toFixed(2)).join(', ');
    const micros = median(runs[side].map(({ records, cpuSeconds }) => (cpuSeconds / records) * 1e6));
    console.log(
      `  ${side.padEnd(7)}${(rate(side) / 1e6).toFixed(2)} M records/s (${all}), ${micros.toFixed(2)} µs CPU a record`,
    );
  }
  const ratio = rate('sluice') / rate('limit');
  const verdict = ratio >= comparison.goal ? 'reached' : 'NOT reached';
  console.log(`  ratio  ${ratio.toFixed(2)}, goal ${comparison.goal.toFixed(2)}: ${verdict}`);
  const { results, checksum } = comparison.expected ?? runs.limit[0]!;
  const wrong = [...runs.limit, ...runs.sluice].find((run) => run.results !== results || run.checksum !== checksum);
  console.log(`  ${results.toLocaleString('en-US')} results, checksum ${checksum}`);
  if (wrong)
    console.log(`  WRONG: a run gave ${wrong.results.toLocaleString('en-US')} results, checksum ${wrong.checksum}`);
  return wrong === undefined;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function printMachine(): void {
  const cores = cpus();
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
    version: string;
  };
  console.log(
    `${cores[0]?.model.trim()}, ${cores.length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB, ${type()} ${release()}`,
  );
  console.log(`Node ${process.versions.node}, V8 ${process.versions.v8}, sluice ${version}`);
}
