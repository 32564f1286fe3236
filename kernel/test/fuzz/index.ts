// `npm run fuzz -- --seconds N --seed S`: feeds mutated inputs to everything that reads what others
// wrote. The seconds are shared by the targets.
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz, type FuzzResult } from './fuzz.ts';
import { targetNames, type TargetName } from './target.ts';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, '.cache/fuzz');

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    target: { type: 'string', multiple: true, default: [...targetNames] },
    replay: { type: 'string' },
  },
});
const [seconds, seed] = [positive('seconds', values.seconds), positive('seed', values.seed)];
const replay = values.replay === undefined ? undefined : readFileSync(values.replay);
const targets =
  values.replay === undefined ? values.target.map(targetOf) : [targetOf(basename(values.replay).split('-')[0]!)];

const results: FuzzResult[] = [];
for (const target of targets) {
  const share = seconds / targets.length;
  const result = await fuzz({ target, seconds: share, seed, folder, ...(replay && { replay }) });
  results.push(result);
  console.log(`${target.padEnd(9)} ${line(result)}`);
  for (const { kind, message, file } of result.findings)
    console.log(
      `  ${kind}: ${message.replaceAll('\n', '\n    ')}\n    Replay it: npm run fuzz -- --replay ${relative(process.cwd(), file)}`,
    );
}
const total = results.reduce((sum, { inputs }) => sum + inputs, 0);
console.log(`seed ${seed}`);
console.log(`${total} inputs, ${found('crash')} crashes, ${found('hang')} hangs`);
process.exitCode = found('crash') + found('hang') > 0 || total === 0 ? 1 : 0;

function found(kind: 'crash' | 'hang'): number {
  return results.flatMap(({ findings }) => findings).filter((finding) => finding.kind === kind).length;
}
function line({ inputs, accepted, rejected, findings }: FuzzResult): string {
  return `${inputs} inputs: ${accepted} accepted, ${rejected} rejected, ${findings.length} crashed or hung`;
}
function targetOf(name: string): TargetName {
  const target = targetNames.find((one) => one === name);
  if (target === undefined) throw new Error(`There is no target "${name}". The targets are ${targetNames.join(', ')}.`);
  return target;
}
function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0 && Number.isFinite(value))) throw new Error(`--${name} ${text} is not a number.`);
  return value;
}
