// `npm run soak -- --minutes N`: a session of 20,000 records a second with a table, two charts and
// the panel, of which one cell is edited every minute. Prints its memory after collection, and
// fails if it grows: by more than 10 % after the tenth minute, or by half in a shorter run.
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectSession, type Connection } from '../../client/connect.ts';
import { socketPath } from '../../client/session-folder.ts';
import type { CellText } from '../../protocol/messages.ts';
import { ViewCopy } from '../../terminal/view-copy.ts';
import type { MemoryAfterCollection } from './measured-kernel.ts';
import { heapOf, type Minute, rate, verdict } from './verdict.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!Number.isInteger(minutes) || minutes < 2) throw new Error('--minutes needs a number of at least 2.');

const views = ['table', 'perSecond', 'byUser', 'panel'];

function cellsWith(threshold: number): readonly CellText[] {
  const cells = {
    orders: `import { backpressure, count, generate, sum, tumbling } from 'sluice';
const orders = generate({ rate: ${rate}, timestamp: 'at' }, ({ n, now }) => ({ user: 'u' + (n % 1000), amount: (n % 97) + 1, at: now }));`,
    table: 'orders.show()',
    perSecond: `const perSecond = orders.windowAll(tumbling('1s')).aggregate({ n: count(), total: sum('amount') });
perSecond.chart({ x: 'windowEnd', y: 'n', last: '1m' })`,
    byUser: `const large = orders.filter((order) => order.amount > ${threshold}).keyBy('user').window(tumbling('1s')).aggregate({ n: count() });
large.chart({ mark: 'point', x: 'windowEnd', y: 'n', last: '1m' })`,
    panel: 'backpressure()',
  };
  return Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }));
}

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sl-')));
process.env['SLUICE_SESSIONS'] = folder;
let connection: Connection | undefined;
try {
  const notebook = join(folder, 'soak.sluice.ts');
  writeFileSync(notebook, '');
  const kernelPath = join(import.meta.dirname, 'measured-kernel.ts');
  connection = await connectSession({ notebook, kernelPath, client: 'vscode', build: 'soak' });
  const { faults, line } = verdict(await soak(connection), views);
  console.log(line);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await connection?.request('shutdown', null).catch(() => undefined);
  connection?.close();
  rmSync(folder, { recursive: true, force: true });
}

async function soak(session: Connection): Promise<readonly Minute[]> {
  let messages = new Map<string, number>();
  let recordsPerSecond = 0;
  const copies = new Map<string, ViewCopy>();
  session.on('state', (state) => (recordsPerSecond = state.recordsPerSecond));
  session.on('view', (message) => {
    const copy = copies.get(message.view) ?? new ViewCopy();
    copies.set(message.view, copy);
    copy.apply(message);
    messages.set(message.view, (messages.get(message.view) ?? 0) + 1);
  });
  const cells = cellsWith(50);
  await session.request('sync', { cells });
  await run(
    session,
    cells.map(({ id }) => id),
  );
  for (const { id } of cells) await session.request('show', { view: id });
  const result: Minute[] = [];
  for (let minute = 1; minute <= minutes; minute++) {
    messages = new Map();
    await sleep(30_000);
    await session.request('sync', { cells: cellsWith(50 + (minute % 2)) });
    await run(session, ['byUser']);
    await sleep(30_000);
    const measured = { ...(await memory()), recordsPerSecond, messages };
    result.push(measured);
    console.log(
      `minute ${minute}: resident ${megabytes(measured.residentBytes)}, heap after collection ${megabytes(heapOf(measured))} (control ${megabytes(measured.controlHeapBytes)}, executor ${megabytes(measured.threadHeapBytes)}), ${Math.round(recordsPerSecond)} records/s`,
    );
  }
  return result;
}

async function run(session: Connection, ids: readonly string[]): Promise<void> {
  const wrong = (await session.request('run', { cells: ids })).find(({ ok }) => !ok);
  if (wrong) throw new Error(`Cell "${wrong.cell}" failed: ${wrong.error?.message ?? ''}`);
}

async function memory(): Promise<MemoryAfterCollection> {
  const socket = createConnection(socketPath(folder, 'probe'));
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(socket, 'end');
  return JSON.parse(text) as MemoryAfterCollection;
}

function megabytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MB`;
}
