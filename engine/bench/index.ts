// `npm run bench`: the cost of the engine beside loops written by hand and beside other engines.
// Prints machine, versions, and each ratio with its goal. A wrong checksum is an error. A ratio
// below its goal is printed but is no error, because machines differ.
//
//     npm run bench -- q5 wc            only these comparisons (also --only q5,wc)
//     npm run bench -- kafka produce    all whose names begin with one of the words
//     npm run bench -- --rounds 5       more rounds than three; --scale 10: a tenth of the records
//     npm run bench -- --without flink  without Flink (or rxjs; several with commas)
//     npm run bench -- page             the served page, with options of its own
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Comparison, Counted, FigureGoal, Measured, Side } from './comparison.ts';
import { checkpointedJob } from './checkpoints.ts';
import { exportedJob } from './export.ts';
import { kafkaAvro } from './kafka-avro.ts';
import { kafkaJson } from './kafka-json.ts';
import { kafkaLatency } from './kafka-latency.ts';
import { kafkaProduce, produceExactlyOnce } from './kafka-produce.ts';
import { kafkaWindow } from './kafka-window.ts';
import { keyedSum } from './keyed-sum.ts';
import { peerComparisons } from './peers/comparisons.ts';
import { snapshotCost } from './snapshots.ts';
import { counted, figureOf, printSummary, ratiosOf, type Runs, verdictOf } from './report.ts';

const comparisons: readonly Comparison[] = [
  ...[keyedSum, snapshotCost, checkpointedJob, ...peerComparisons],
  exportedJob,
  ...[kafkaWindow, kafkaAvro, kafkaProduce, produceExactlyOnce, kafkaJson, kafkaLatency],
];

// The page is no comparison, and its bench needs a browser.
if (process.argv[2] === 'page') {
  const script = join(import.meta.dirname, '../../extension/test/bench/page.ts');
  const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(3)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    without: { type: 'string', default: '' },
    /** For a process that the bench starts: the side to measure once. */
    side: { type: 'string' },
  },
});
const rounds = positive('rounds', values.rounds);
const scale = positive('scale', values.scale);
const allNames = comparisons.map(({ name }) => name);
const wanted = [...positionals, ...words(values.only)].flatMap((word) => {
  const begun = allNames.filter((name) => name.startsWith(`${word}-`));
  return allNames.includes(word) || begun.length === 0 ? [word] : begun;
});
const unwanted = words(values.without);
const unknown = wanted.find((name) => !allNames.includes(name));
if (unknown !== undefined) throw new Error(`There is no comparison "${unknown}"; there are ${allNames.join(', ')}.`);
const chosen = comparisons.filter(({ name }) => wanted.length === 0 || wanted.includes(name));

if (values.side === undefined) await compareAll();
else await runOne(chosen[0]!, values.side);

function positive(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${option} is a whole number above 0, not "${text}".`);
}
function words(text: string): string[] {
  return text.split(',').filter((word) => word !== '');
}

/** Ours first, then its limit, then the requested other engines that can run here. */
function sidesOf(comparison: Comparison): readonly Side[] {
  const isWanted = ({ name }: Side): boolean => !unwanted.some((word) => name.startsWith(word));
  const others = (comparison.others ?? []).filter(isWanted);
  for (const { name, missing } of others) {
    const reason = missing?.();
    if (reason !== undefined) console.log(`  SKIPPED ${name}: ${reason}`);
  }
  const present = others.filter(({ missing }) => missing?.() === undefined);
  const { sluice, isProcess = false } = comparison;
  return [{ name: 'sluice', run: sluice, isProcess }, comparison.limit, ...present];
}

/** Runs in a process that the bench starts: warms up, measures once, prints the figures. */
async function runOne(comparison: Comparison, name: string): Promise<void> {
  const run = name === 'sluice' ? comparison.sluice : comparison.limit.run;
  for (let i = 0; i < comparison.warmUps; i++) await run(scale);
  console.log(JSON.stringify(await run(scale)));
}
function measure(comparison: Comparison, side: Side): Promise<Measured> {
  if (side.isProcess) return side.run(scale);
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', import.meta.filename, comparison.name, '--side', side.name, '--scale', String(scale)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const measured = JSON.parse(output.trim().split('\n').at(-1)!) as Measured;
  // JSON has no NaN: the CPU time of a process that the side starts is not known.
  return Promise.resolve({ ...measured, cpuSeconds: (measured.cpuSeconds as number | null) ?? NaN });
}

async function compareAll(): Promise<void> {
  printMachine();
  const finished: { readonly comparison: Comparison; readonly runs: Runs }[] = [];
  let isWrong = false;
  for (const comparison of chosen) {
    console.log(`\n${comparison.name}: ${comparison.title}${scale > 1 ? `, 1/${scale} of them` : ''}`);
    const missing = comparison.missing?.();
    if (missing !== undefined) {
      console.log(`  SKIPPED: ${missing}`);
      continue;
    }
    const end = await comparison.prepare?.();
    try {
      const runs = await compare(comparison);
      finished.push({ comparison, runs });
      isWrong = !printRuns(comparison, runs) || isWrong;
    } finally {
      await end?.();
    }
  }
  if (finished.length > 1) printSummary(finished);
  process.exitCode = isWrong ? 1 : 0;
}

/**
 * Runs the rounds through all sides, forwards and backwards in turn, so that a change in the
 * machine's load affects all of them. Other engines run only in every third round, because they
 * take long and their ratios are larger.
 */
async function compare(comparison: Comparison): Promise<Runs> {
  const sides = sidesOf(comparison);
  const runs: Runs = new Map(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    const present = round % 3 === 0 ? sides : sides.slice(0, 2);
    for (const side of round % 2 === 0 ? present : present.toReversed())
      runs.get(side)!.push(await measure(comparison, side));
  }
  return runs;
}

/** Returns false for a wrong checksum. */
function printRuns(comparison: Comparison, runs: Runs): boolean {
  for (const [{ name }, measurements] of runs) {
    const rates = measurements.map(({ records, seconds }) => records / seconds / 1e6);
    const rate = 1e-6 / counted(measurements, 'seconds', comparison.counts);
    const micros = counted(measurements, 'cpuSeconds', comparison.counts) * 1e6;
    console.log(
      `  ${name.padEnd(15)}${rate.toFixed(2)} M records/s (${rates.map((one) => one.toFixed(2)).join(', ')})${Number.isNaN(micros) ? '' : `, ${micros.toFixed(3)} µs CPU a record`}`,
    );
  }
  for (const { side, byClock, byCpu } of ratiosOf(runs, comparison.counts)) {
    const verdict =
      side.goal === undefined
        ? ''
        : `; goal ${side.goal.toFixed(2)}${scale > 1 ? ' at full size' : `: ${verdictOf(side.goal, byClock, byCpu)}`}`;
    console.log(
      `  sluice / ${side.name}: ${byClock.toFixed(2)} by the clock${Number.isNaN(byCpu) ? '' : `, ${byCpu.toFixed(2)} by CPU`}${verdict}`,
    );
  }
  for (const figure of comparison.figures ?? []) printFigure(figure, runs, comparison.counts);
  if (comparison.counts === 'median') console.log('  The median of the rounds counts.');
  const { results, checksum } = (scale === 1 ? comparison.expected : undefined) ?? runs.get(comparison.limit)![0]!;
  console.log(`  ${results.toLocaleString('en-US')} results, checksum ${checksum}`);
  let isRight = true;
  for (const [{ name, onlyReads }, measurements] of runs)
    for (const run of onlyReads ? [] : measurements) {
      if (run.results === results && run.checksum === checksum) continue;
      isRight = false;
      console.log(`  WRONG: ${name} gave ${run.results.toLocaleString('en-US')} results, checksum ${run.checksum}`);
    }
  return isRight;
}

function printFigure(figure: FigureGoal, runs: Runs, counts: Counted | undefined): void {
  const { name, unit, most, least } = figure;
  const bound = most ?? least;
  const shown = (one: number): string => (one < 1_000 ? one.toFixed(1) : Math.round(one).toLocaleString('en-US'));
  for (const [index, [side, measurements]] of [...runs].entries()) {
    const values = measurements.flatMap(({ figures }) => figures?.[name] ?? []);
    if (values.length === 0) continue;
    const { value, isReached } = figureOf(values, figure, counts);
    const verdict = scale > 1 ? ' at full size' : `: ${isReached ? 'reached' : 'NOT reached'}`;
    const goal =
      index > 0 || bound === undefined
        ? ''
        : `; goal at ${most === undefined ? 'least' : 'most'} ${shown(bound)} ${unit}${verdict}`;
    console.log(`  ${side.name} ${name}: ${shown(value)} ${unit} (${values.map(shown).join(', ')})${goal}`);
  }
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
