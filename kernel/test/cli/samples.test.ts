// Every sample runs as it ships: it passes `check`, and runs headless until its promised output is
// there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { exitCode, type OperatorFigures, rowsOf, runJson, sluice } from './json-run.ts';

const samples = readdirSync(join(import.meta.dirname, '../../../samples')).filter((name) =>
  name.endsWith('.sluice.ts'),
);

for (const sample of samples)
  test(`${sample} passes sluice check`, async () => {
    const child = sluice(['check', join('samples', sample)]);
    let output = '';
    child.stdout!.on('data', (text) => (output += String(text)));
    child.stderr!.on('data', (text) => (output += String(text)));
    assert.equal(await exitCode(child), 0, output);
  });

test('01 shows its first earthquake after a few seconds of CPU, then counts and late rows', async () => {
  const { lines, firstRowCpuMillis } = await runJson('samples/01-first-chart.sluice.ts', '300s', {
    isEnough: ({ cell, row }) => cell === 'late' && row !== undefined,
  });
  // CPU depends little on other programs. On an idle machine it is about the time that a user
  // waits: 1.5 s were measured.
  if (firstRowCpuMillis === undefined) console.warn('NOT CHECKED: the CPU until the first row is read on Linux only.');
  else assert.ok(firstRowCpuMillis < 10_000, `${firstRowCpuMillis} ms of CPU`);
  const [first] = rowsOf(lines, 'quakes');
  assert.deepEqual([first?.['place'], first?.['magnitude']], ['81km WNW of Skagway, Alaska', 2.3]);
  const [count] = rowsOf(lines, 'counts');
  assert.deepEqual(
    [count?.['windowStart'], count?.['windowEnd']],
    ['2018-01-31T00:00:00.000Z', '2018-01-31T06:00:00.000Z'],
  );
  const counted = rowsOf(lines, 'quakes').filter(({ time }) => String(time) < '2018-01-31T06:00:00.000Z').length;
  const late = rowsOf(lines, 'late').filter(({ time }) => String(time) < '2018-01-31T06:00:00.000Z').length;
  assert.equal(count?.['quakes'], counted - late);
  assert.ok(late > 0);
  assert.deepEqual(
    lines.filter(({ error }) => error),
    [],
  );
});

test('01 goes on moving for at least five minutes, never more than a few seconds without a point', () => {
  const folder = join(import.meta.dirname, '../../../samples');
  const text = readFileSync(join(folder, '01-first-chart.sluice.ts'), 'utf8');
  const speed = Number(/\bspeed: (\d+)/.exec(text)?.[1]);
  const times = readFileSync(join(folder, 'data/earthquakes.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Date.parse((JSON.parse(line) as { time: string }).time));
  // A record waits for its own time. A late record is emitted at once, after the one before it.
  let due = 0;
  let longest = 0;
  for (const time of times) {
    const next = Math.max(due, (time - times[0]!) / speed);
    longest = Math.max(longest, next - due);
    due = next;
  }
  assert.ok(due >= 300_000, `the replay is over after ${(due / 1000).toFixed(0)} s`);
  assert.ok(longest < 10_000, `nothing for ${(longest / 1000).toFixed(1)} s`);
});

test('02 without a broker is an error at the cell that needs it, with the way to get one, and does not exit with 0', async () => {
  const { lines, code } = await runJson('samples/02-kafka.sluice.ts', '300s', { environment: { SLUICE_BROKERS: '' } });
  const errors = lines.flatMap((line) => (line.error ? [line] : []));
  assert.ok(errors.some(({ cell }) => cell === 'orders'));
  for (const { error } of errors) {
    assert.equal(error?.code, 'kafka-no-connection');
    assert.match(error.message, /Set SLUICE_BROKERS to host:port/);
  }
  assert.notEqual(code, 0);
});

test('03 makes its source wait for the slow cell, loses nothing, and says where the time goes', async () => {
  let averaged = 0;
  const { lines } = await runJson('samples/03-backpressure.sluice.ts', '300s', {
    isEnough: ({ cell, row }) => cell === 'averages' && row !== undefined && (averaged += 1) >= 8,
  });
  const operators = lines.at(-1)?.metrics?.operators ?? [];
  const named = (part: string): OperatorFigures => {
    const found = operators.find(({ id }) => id.includes(part));
    assert.ok(found, `${part} among ${operators.map(({ id }) => id).join(', ')}`);
    return found;
  };
  const [source, slow, averages] = [named('readings'), named('calibrated'), named('averages')];
  assert.equal(source.backpressure, 'HIGH');
  assert.ok(slow.busy > 0.5, `busy ${slow.busy}`);
  const underWay = source.recordsOut - slow.recordsIn;
  // 20 records are 100 ms of its work. It spins by the wall clock, and a busy machine gives it less
  // CPU a record, so more fit. A channel that does not follow its reader holds 4,096.
  assert.ok(underWay <= 1000, `${underWay} records are under way`);
  assert.ok(averages.recordsIn > 0);
  assert.equal(averages.lateRecordsDropped, 0);
  const shown = rowsOf(lines, 'readings').map(({ n }) => n);
  assert.deepEqual(
    shown,
    shown.map((_, n) => n),
  );
  assert.ok(rowsOf(lines, 'averages').length > 0);
});

test('04 predicts each reading before it learns from it, and learns', async () => {
  let predicted = 0;
  const { lines } = await runJson('samples/04-learning.sluice.ts', '300s', {
    isEnough: ({ cell, row }) => cell === 'predictions' && row !== undefined && (predicted += 1) >= 1600,
  });
  assert.deepEqual(
    lines.filter(({ error }) => error),
    [],
  );
  const predictions = rowsOf(lines, 'predictions') as unknown as { house: string; off: number; perDegree: number }[];
  // Later ones, until the run has ended, are of another boiler.
  const rows = predictions.slice(0, 1600);
  for (const [house, perDegree] of [
    ['north', 0.3],
    ['south', 0.2],
  ] as const) {
    const own = rows.filter((row) => row.house === house);
    assert.deepEqual([own[0]?.perDegree, own[0]?.off === 0], [0, false], 'a new model knows nothing');
    const mean = own.slice(-200).reduce((sum, { off }) => sum + off / 200, 0);
    assert.ok(mean < 0.2, `${house} is off by ${mean} kW after ${own.length} readings`);
    assert.ok(Math.abs(own.at(-1)!.perDegree - perDegree) < 0.05, `${house} learned ${own.at(-1)!.perDegree}`);
  }
  assert.ok(rowsOf(lines, 'errors').length > 0);
});
test('05 scores each reading by the model in its file, in order, and says which machine to look at', async () => {
  let alarms = 0;
  const { lines } = await runJson('samples/05-pretrained.sluice.ts', '300s', {
    isEnough: ({ cell, row }) => cell === 'alarms' && row !== undefined && (alarms += 1) >= 2,
  });
  assert.deepEqual(
    lines.filter(({ error }) => error),
    [],
  );
  const scores = rowsOf(lines, 'scores') as unknown as {
    at: string;
    vibration: number;
    celsius: number;
    wear: number;
  }[];
  assert.deepEqual(
    scores.map(({ at }) => at).toSorted(),
    scores.map(({ at }) => at),
  );
  // The model learned this rule (samples/model/train-wear.ts). Counts how often it agrees.
  const agrees = scores.filter(({ vibration, celsius, wear }) => {
    const isWorn = vibration > 8 || (vibration > 4.5 && celsius > 82);
    return isWorn === wear > 0.5;
  });
  assert.ok(agrees.length > 0.95 * scores.length, `${agrees.length} of ${scores.length} agree`);
  assert.ok(rowsOf(lines, 'alarms').every(({ machine }) => machine === 'lathe'));
});
test('the model of 05 is what its script makes, to the byte', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-model-'));
  try {
    const made = join(folder, 'wear.onnx');
    const samples = join(import.meta.dirname, '../../../samples');
    execFileSync(process.execPath, [join(samples, 'model/train-wear.ts'), made]);
    assert.deepEqual(readFileSync(made), readFileSync(join(samples, 'data/wear.onnx')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
test('07 says nothing at check --target node, and what it promises is in the job', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sample-'));
  try {
    const sample = join('samples', '07-export.sluice.ts');
    const text = readFileSync(join(import.meta.dirname, '../../..', sample), 'utf8');
    const said = async (parameters: readonly string[]): Promise<string> => {
      const child = sluice([...parameters]);
      let output = '';
      for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (part) => (output += String(part)));
      assert.equal(await exitCode(child), 0, output);
      return output;
    };
    assert.doesNotMatch(await said(['check', sample, '--target', 'node']), /error|warning/);
    const job = join(folder, 'country-totals');
    const listed = await said(['export', sample, '--target', 'node', '--out', job]);
    assert.match(listed, /2 stay:\n.*cell orders.*\n.*cell totals.*totals\.chart/);
    const readme = readFileSync(join(job, 'README.md'), 'utf8');
    const variables = new Set([...text.matchAll(/\bSLUICE_[A-Z]+(?:_[A-Za-z]+)*/g)].map(([name]) => name));
    assert.ok(variables.size >= 4);
    for (const name of variables) assert.ok(readme.includes(`\`${name}\``), name);
    const { name } = JSON.parse(readFileSync(join(job, 'package.json'), 'utf8')) as { readonly name: string };
    assert.equal(name, '07-export');
    const manifests = readFileSync(join(job, 'kubernetes/job.yaml'), 'utf8');
    assert.match(manifests, /SLUICE_BROKERS: ""/);
    for (const page of ['ready', 'metrics'])
      assert.ok(text.includes(`/${page}\``) && readme.includes(`/${page}\``), page);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
