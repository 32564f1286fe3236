// The kernel dies after the checkpoint of a change that removes or replaces a sink, and before the
// commit of what that sink had finished: the next kernel commits it. Each row is there once.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startBroker, whyNoKafka, type Broker } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { committedRecords } from '../../../engine/test/kafka/java-records.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import type { CellText } from '../../protocol/messages.ts';
import { bundleKernel } from '../chaos/bundle-kernel.ts';
import { NotebookSession } from '../chaos/notebook-session.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sl-')));
let broker: Broker;
let client: IndependentClient;
let kernelPath: string;
onBroker(startBroker, (started) => ({ broker, client } = started));
const former = process.env['SLUICE_SESSIONS'];
beforeAll(async () => {
  process.env['SLUICE_SESSIONS'] = folder;
  kernelPath = await bundleKernel(folder);
});
afterAll(() => {
  if (former === undefined) delete process.env['SLUICE_SESSIONS'];
  else process.env['SLUICE_SESSIONS'] = former;
  rmSync(folder, { recursive: true, force: true });
});

const rowsOfAll = 20;
type Cells = Readonly<Record<string, string>>;
const cellsOf = (texts: Cells): readonly CellText[] =>
  Object.entries(texts).map(([id, text]) => ({ id, kind: 'code', text }));

/** Only a change of the graph takes a checkpoint: the next one would come after ten minutes. */
const sourceOf = (input: string): string => `import { configure, kafka } from 'sluice';
configure({ checkpoint: { interval: '10m' } });
const rows = kafka<{ n: number }>('${input}', { from: 'latest' });
rows;`;
const to = (topic: string, more = ''): string => `rows.to('${topic}', { delivery: 'exactly-once'${more} });`;

class Notebook {
  readonly #name: string;
  readonly session: NotebookSession;
  readonly input: string;
  readonly output: string;
  constructor(name: string) {
    this.#name = name;
    this.input = `${name}-in-${process.pid}`;
    this.output = `${name}-out-${process.pid}`;
    const notebook = join(folder, `${name}.sluice.ts`);
    writeFileSync(notebook, '');
    this.session = new NotebookSession({ notebook, kernelPath, brokers: broker.brokers, onNews: () => undefined });
  }
  async until(condition: () => boolean, what: string): Promise<void> {
    for (const end = Date.now() + 120_000; !condition(); await sleep(20))
      if (Date.now() > end) throw new Error(`${this.#name} waited for ${what}: ${this.session.described().join('\n')}`);
  }
  cell(id: string) {
    return this.session.state?.cells.find((cell) => cell.id === id);
  }
  /** `out` has taken all rows, and no checkpoint has them. */
  async begin(texts: Cells, written: () => number): Promise<void> {
    const { session } = this;
    await client.createTopic(this.input, 1);
    const cells = cellsOf(texts);
    await session.start();
    const results = await session.run(
      cells,
      cells.map(({ id }) => id),
    );
    for (const { cell, error } of results) if (error) throw new Error(`${cell}: ${error.message}`);
    await session.arm(['out']);
    await this.until(() => this.cell('in')?.phase === 'waiting', 'the end of the topic');
    await this.until(() => this.cell('out')?.sink?.armed === true, 'the armed sink');
    // Two runs and the arming: each change of the graph takes one.
    await this.until(() => session.checkpoints >= 3, 'its checkpoint');
    await session.kill();
    // The next kernel dies before its first commit.
    await session.start('before-commit');
    await session.resume(cells);
    await this.until(() => this.cell('in')?.phase === 'waiting', 'the end of the topic');
    await client.send(
      this.input,
      Array.from({ length: rowsOfAll }, (_, n) => ({ value: { n } })),
    );
    await this.until(() => written() === rowsOfAll, 'the rows to be written');
  }
  async dies(): Promise<void> {
    await this.until(() => !this.session.isAlive, 'the end of the kernel');
    await this.session.gone();
  }
  async resume(texts: Cells): Promise<void> {
    await this.session.start();
    await this.session.resume(cellsOf(texts));
  }
}

describe.skipIf(whyNoKafka() !== undefined)('a sink whose kernel dies before its last commit', () => {
  interface Change {
    readonly what: string;
    readonly name: string;
    /** The topics' sink and what becomes of its cell. */
    readonly out: (output: string) => string;
    readonly change: (notebook: Notebook, cells: Cells, output: string) => Promise<Cells>;
  }
  /** The cell with another text. The kernel dies while it runs. */
  const runAgain = (text: (output: string) => string) => async (notebook: Notebook, cells: Cells, output: string) => {
    const next = { ...cells, out: text(output) };
    await notebook.session.run(cellsOf(next), ['out']).catch(() => undefined);
    return next;
  };
  const changes: readonly Change[] = [
    {
      ...{ what: 'run again with another option', name: 'option' },
      ...{ out: (output) => to(output), change: runAgain((output) => to(output, `, linger: '7ms'`)) },
    },
    {
      ...{ what: 'run again with a prefix of its own', name: 'prefix' },
      ...{ out: (output) => to(output), change: runAgain((output) => to(output, `, transactionalIdPrefix: 'own'`)) },
    },
    {
      ...{ what: 'run again with another topic', name: 'topic' },
      ...{ out: (output) => to(output), change: runAgain((output) => to(`${output}-2`)) },
    },
    {
      ...{ what: 'run again with another delivery', name: 'delivery' },
      ...{ out: (output) => to(output), change: runAgain((output) => `rows.to('${output}');`) },
    },
    {
      ...{ what: 'disarmed', name: 'disarmed' },
      out: (output) => to(output, `, key: ({ n }) => String(n)`),
      change: async ({ session }, cells) => {
        await session.arm(['out'], false).catch(() => undefined);
        return cells;
      },
    },
    {
      ...{ what: 'deleted', name: 'deleted' },
      out: (output) => to(output),
      change: async ({ session }, { out: _gone, ...cells }) => {
        await session.sync(cellsOf(cells)).catch(() => undefined);
        return cells;
      },
    },
    {
      ...{ what: 'moved to another cell', name: 'moved' },
      out: (output) => to(output),
      change: async ({ session }, { out = '', ...cells }) => {
        const next = { ...cells, elsewhere: out };
        await session.run(cellsOf(next), ['elsewhere']).catch(() => undefined);
        return next;
      },
    },
  ];
  for (const { what, name, out, change } of changes)
    test(what, async () => {
      const notebook = new Notebook(name);
      try {
        const { session, input, output } = notebook;
        for (const topic of [output, `${output}-2`]) await client.createTopic(topic, 2);
        const cells = { in: sourceOf(input), out: out(output) };
        await notebook.begin(cells, () => notebook.cell('out')?.sink?.written ?? 0);
        const next = await change(notebook, cells, output);
        await notebook.dies();
        await notebook.resume(next);
        // Nothing is open: the rows are seen, and a record behind them is.
        const rows = await committedRecords(client, broker.brokers, output, rowsOfAll);
        assert.deepEqual(
          rows.map(({ value }) => (JSON.parse(value) as { n: number }).n).toSorted((a, b) => a - b),
          Array.from({ length: rowsOfAll }, (_, n) => n),
        );
        assert.deepEqual(
          session.described().filter((text) => /"errors":\["/.test(text)),
          [],
        );
      } finally {
        await notebook.session.close();
      }
    });

  const files = (path: string): string[] =>
    existsSync(path)
      ? readdirSync(path)
          .filter((file) => !file.startsWith('.'))
          .flatMap((file) => readFileSync(join(path, file), 'utf8').trim().split('\n'))
      : [];
  for (const [what, name] of [
    ['files, disarmed', 'files-disarmed'],
    ['files, deleted', 'files-deleted'],
  ] as const)
    test(what, async () => {
      const notebook = new Notebook(name);
      try {
        const path = join(folder, name);
        const cells: Cells = {
          in: sourceOf(notebook.input),
          out: `import { appendFileSync } from 'node:fs';
rows.map((row) => { appendFileSync(${JSON.stringify(`${path}.seen`)}, '.'); return row; })
  .toFile(${JSON.stringify(`${path}.jsonl`)}, { delivery: 'exactly-once', partitionBy: () => 'all' });`,
        };
        await notebook.begin(cells, () => (existsSync(`${path}.seen`) ? readFileSync(`${path}.seen`).length : 0));
        const { out: _gone, ...rest } = cells;
        const next = name === 'files-disarmed' ? cells : rest;
        if (next === cells) await notebook.session.arm(['out'], false).catch(() => undefined);
        else await notebook.session.sync(cellsOf(next)).catch(() => undefined);
        await notebook.dies();
        assert.deepEqual(files(join(path, 'all')), []);
        await notebook.resume(next);
        await notebook.until(() => files(join(path, 'all')).length >= rowsOfAll, 'the files');
        assert.equal(files(join(path, 'all')).length, rowsOfAll);
      } finally {
        await notebook.session.close();
      }
    });

  for (const what of ['disarmed', 'deleted'])
    test(`a user's own sink, ${what}`, async () => {
      const notebook = new Notebook(`own-${what}`);
      try {
        const target = join(folder, `own-${what}.txt`);
        const cells: Cells = {
          in: sourceOf(notebook.input),
          out: `import { appendFileSync, writeFileSync } from 'node:fs';
const target = ${JSON.stringify(target)};
rows.sink({
  begin: () => [] as string[],
  write(lines: string[], { n }: { n: number }) { lines.push(String(n)); writeFileSync(target + '.open', lines.join()); },
  preCommit: (lines: string[]) => lines,
  commit(lines: string[]) { appendFileSync(target, lines.join('\\n') + '\\n'); },
  abort() {},
});`,
        };
        const linesOf = (path: string, separator: string): number =>
          existsSync(path) ? readFileSync(path, 'utf8').trim().split(separator).length : 0;
        await notebook.begin(cells, () => linesOf(`${target}.open`, ','));
        const { out: _gone, ...rest } = cells;
        const next = what === 'disarmed' ? cells : rest;
        if (next === cells) await notebook.session.arm(['out'], false).catch(() => undefined);
        else await notebook.session.sync(cellsOf(next)).catch(() => undefined);
        await notebook.dies();
        assert.equal(existsSync(target), false);
        await notebook.resume(next);
        await notebook.until(() => linesOf(target, '\n') >= rowsOfAll, 'the commit');
        assert.equal(linesOf(target, '\n'), rowsOfAll);
      } finally {
        await notebook.session.close();
      }
    });
});
