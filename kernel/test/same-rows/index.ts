// `npm run same-rows`: each notebook of the set gives the same committed rows in a live session and
// in another target. `--target run` or `node` (the default); words choose notebooks.
import { parseArgs } from 'node:util';
import { startOwnBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import { independentClient } from '../../../engine/test/kafka/independent-client.ts';
import { notebookNamed, notebooks } from './notebooks.ts';
import { writeRecorded } from './recorded.ts';
import { sameRows } from './same-rows.ts';
import { targets } from './targets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { target: { type: 'string', default: 'node' } },
});
const shownFaults = 10;

const missing = whyNoKafka();
if (missing !== undefined) throw new Error(missing);
const [session, ...others] = targets;
const target = others.find(({ name }) => name === values.target);
if (!target) throw new Error(`--target is one of ${others.map(({ name }) => name).join(', ')}.`);
const chosen = positionals.length === 0 ? notebooks : positionals.map(notebookNamed);

const broker = await startOwnBroker();
process.env['SLUICE_BROKERS'] = broker.brokers;
const client = await independentClient(broker.brokers);
let wrong = 0;
try {
  await writeRecorded(client);
  for (const notebook of chosen) {
    const { faults, rows, seconds } = await sameRows(notebook, {
      ...{ client, brokers: broker.brokers },
      targets: [session!, target],
    });
    const counts = Object.entries(rows).map(([name, count]) => `${count} ${name}`);
    const times = Object.entries(seconds).map(([name, time]) => `${name} ${time.toFixed(1)} s`);
    console.log(
      `${faults.length === 0 ? 'same' : 'NOT THE SAME'}  ${notebook.name}: ${counts.join(', ')}; ${times.join(', ')}`,
    );
    for (const fault of faults.slice(0, shownFaults)) console.log(`  ${fault}`);
    if (faults.length > shownFaults) console.log(`  … and ${faults.length - shownFaults} more`);
    if (faults.length > 0) wrong++;
  }
} finally {
  await client.close();
  await broker.stop();
}
console.log(`${chosen.length - wrong} of ${chosen.length} notebooks have the same rows in session and ${target.name}.`);
process.exit(wrong === 0 ? 0 : 1);
