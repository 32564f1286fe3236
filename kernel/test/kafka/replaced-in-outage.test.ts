// An exactly-once sink is replaced while its broker is away: what a checkpoint has is committed
// when the broker is back, nothing stays open, and the rows that were lost are counted.
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { type OwnBroker, startOwnBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { committedRecords } from '../../../engine/test/kafka/java-records.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import { LiveSession } from '../session-live/live-session.ts';

let broker: OwnBroker;
let client: IndependentClient;
onBroker(startOwnBroker, (started) => ({ broker, client } = started));

describe.skipIf(whyNoKafka() !== undefined)('a sink with rows to commit and rows to write, in an outage', () => {
  const to = (topic: string, more = ''): string => `rows.to('${topic}', { delivery: 'exactly-once'${more} });`;
  interface Change {
    readonly what: string;
    readonly out: (topic: string) => string | undefined;
  }
  const changes: readonly Change[] = [
    { what: 'replaced by another topic', out: (topic) => to(`${topic}-2`) },
    { what: 'replaced with another option', out: (topic) => to(topic, `, linger: '7ms'`) },
    { what: 'deleted', out: () => undefined },
  ];
  for (const { what, out } of changes)
    test(what, async () => {
      const topic = what.replaceAll(' ', '-');
      for (const name of [topic, `${topic}-2`]) await client.createTopic(name, 1);
      await using session = new LiveSession({ files: { 'rows.jsonl': '' } });
      const append = (from: number, to: number): void => {
        for (let n = from; n < to; n++) appendFileSync(join(session.folder, 'rows.jsonl'), `{"n":${n}}\n`);
      };
      const sink = () => session.state('out')?.sink;
      session.edit('in', `import { file } from 'sluice';\nconst rows = file('rows.jsonl', { follow: true });\nrows;`);
      session.edit('out', to(topic));
      await session.ran('in', 'out');
      session.control.dispatch({ kind: 'arm', cell: 'out', armed: true });
      append(0, 10);
      await session.until(
        () => sink()?.committed,
        (rows) => rows === 10,
        'the first rows to be committed',
      );
      let rows = 10;
      let isAway = false;
      const comeBack = async (): Promise<void> => {
        if (isAway) await broker.start();
        isAway = false;
      };
      try {
        // Rows are written, and the broker goes before their transaction is committed.
        do {
          await comeBack();
          append(rows, rows + 10);
          rows += 10;
          await session.until(
            () => sink()?.written,
            (written) => written === rows,
            'the next rows to be written',
          );
          await broker.kill();
          isAway = true;
          await session.until(
            () => session.state('out'),
            (cell) => cell?.trouble !== undefined || cell?.sink?.committed === rows,
            'the commit, or its wait',
            120_000,
          );
        } while (sink()?.committed === rows);
        append(rows, rows + 5);
        await session.until(
          () => session.state('in')?.rows,
          (read) => read === rows + 5,
          'rows that cannot be written',
        );
        const next = out(topic);
        if (next === undefined) session.delete('out');
        else {
          session.edit('out', next);
          await session.ran('out');
        }
      } finally {
        await comeBack();
      }
      // A record behind them is seen too, so nothing is open.
      const records = await committedRecords(client, broker.brokers, topic, rows);
      assert.deepEqual(
        records.map(({ value }) => (JSON.parse(value) as { n: number }).n),
        Array.from({ length: rows }, (_, n) => n),
      );
      if (out(topic) !== undefined)
        assert.match(JSON.stringify(session.state('out')?.errors ?? []), /At least \d+ of its rows were not written/);
    });
});
