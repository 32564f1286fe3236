// `npm run kafka`: an Apache Kafka broker for those who have none, with a topic `orders` that is
// written to until Ctrl-C. One process, on this machine only, with data in a temporary folder.
//
//     npm run kafka -- --port 9092 --rate 10     orders per second; the default port is 9092
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, isFree, startOwnCluster, whyNoJava } from './broker.ts';
import { independentClient, type IndependentClient } from './independent-client.ts';

const { values } = parseArgs({ options: { port: { type: 'string' }, rate: { type: 'string', default: '10' } } });
const topic = 'orders';
const partitions = 4;
/** The topic begins with orders of this time, so that the first chart has something to show. */
const historyMillis = 30 * 60_000;
const historyEachMillis = 500;
/** Orders reach the topic up to this much later than they were made. */
const maxDelayMillis = 4_000;
let orders = 0;

const lacking = whyNoJava();
if (lacking !== undefined) {
  console.error(`npm run kafka needs ${lacking}: install Java 17 or later and Maven, which fetches Kafka once.`);
  process.exit(1);
}
const rate = atLeastOne('rate', values.rate);
const port = await portToUse();

console.log('kafka: starting the broker; the first start fetches Apache Kafka from Maven Central …');
const broker = await startOwnCluster(1, undefined, [port]);
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(0));
try {
  await fill();
} catch (error) {
  // A broker that is ending does not answer any more.
  if (!isEnding) {
    console.error(error);
    await end(1);
  }
}

/** Ctrl-C reaches the broker too, which then ends by itself. `stop` waits for its end. */
async function end(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await broker.stop();
  console.log('kafka: stopped, and its data is removed.');
  process.exit(code);
}

async function fill(): Promise<void> {
  const client = await independentClient(broker.brokers);
  await client.createTopic(topic, partitions);
  await writeHistory(client);
  console.log(`kafka: ${broker.brokers} is ready. Topic "${topic}": ${partitions} partitions, ${rate} orders/s.

  In VS Code, set  "sluice.brokers": "${broker.brokers}"  and open samples/02-kafka.sluice.ts. Or:

  SLUICE_BROKERS=${broker.brokers} npm run -s sluice -- serve samples/02-kafka.sluice.ts

  Ctrl-C ends the broker and removes its data.`);
  await writeOn(client);
}

async function writeHistory(client: IndependentClient): Promise<void> {
  const until = Date.now();
  const times: number[] = [];
  for (let time = until - historyMillis; time < until; time += historyEachMillis) times.push(time);
  await client.producer.send({ topic, messages: times.map((time) => message(time)) });
}

async function writeOn(client: IndependentClient): Promise<void> {
  const began = Date.now();
  for (let written = 0; !isEnding;) {
    const due = Math.floor(((Date.now() - began) * rate) / 1000);
    const messages = Array.from({ length: due - written }, () => message(Date.now() - Math.random() * maxDelayMillis));
    if (messages.length > 0) await client.producer.send({ topic, messages });
    written = due;
    await sleep(100);
  }
}

/** An order made at `time`. Countries have different shares and amounts. */
function message(time: number): { key: string; value: string } {
  const countries = ['CH', 'CH', 'CH', 'DE', 'DE', 'FR', 'IT', 'AT'];
  const country = countries[Math.floor(Math.random() * countries.length)]!;
  const customer = `c-${Math.floor(Math.random() * 500)}`;
  const amount = Math.round(Math.exp(2 + Math.random() * 3) * 100) / 100;
  const createdAt = new Date(time).toISOString();
  return { key: customer, value: JSON.stringify({ id: `o-${++orders}`, customer, country, amount, createdAt }) };
}

/** The wanted port, or 9092, or a free one if something else is at 9092. */
async function portToUse(): Promise<number> {
  if (values.port !== undefined) return atLeastOne('port', values.port);
  return (await isFree(9092)) ? 9092 : (await freePorts(1))[0]!;
}

function atLeastOne(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  console.error(`--${option} is a whole number above 0, not "${text}".`);
  process.exit(1);
}
