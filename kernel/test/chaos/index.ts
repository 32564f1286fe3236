// `npm run chaos -- --kills K --seed S`, or `--minutes N`: kills kernel, executor and broker of a
// running notebook, and compares its topics with a batch computation. Prints the seed, which
// repeats the schedule, and fails if a row is lost, doubled, wrong or late, or if something that
// was planned has never happened. `--delivery at-least-once` shows that doubled rows are found.
// `--late`: one partition, with late records.
import { parseArgs } from 'node:util';
import { whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { deliveries } from './cells.ts';
import { chaos } from './chaos.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    delivery: { type: 'string', default: 'exactly-once' },
    late: { type: 'boolean', default: false },
    pause: { type: 'string', default: '150' },
  },
});
const shownFaults = 20;

const missing = whyNoKafka();
if (missing !== undefined) throw new Error(missing);
const delivery = deliveries.find((one) => one === values.delivery);
if (delivery === undefined) throw new Error(`--delivery is one of ${deliveries.join(', ')}.`);
const until =
  values.minutes === undefined
    ? { kills: whole('kills', values.kills) }
    : { minutes: whole('minutes', values.minutes) };
const seed = whole('seed', values.seed);
const began = Date.now();
console.log(`seed ${seed}`);
const result = await chaos({
  ...{ seed, until, delivery },
  hasLate: values.late,
  pauseMillis: whole('pause', values.pause),
  print: (line) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}`),
});
console.log(`of them ${result.happened}`);
for (const { kind, topic, row, times } of result.faults.slice(0, shownFaults))
  console.log(`${kind}${times > 1 ? ` ${times} times` : ''} in "${topic}": ${row}`);
if (result.faults.length > shownFaults) console.log(`… and ${result.faults.length - shownFaults} more rows`);
console.log(result.line);
process.exit(result.isRight ? 0 : 1);

function whole(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} needs a number of at least 1.`);
  return number;
}
