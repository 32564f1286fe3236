// The panels lag() and watermarks() of a session that reads a topic of a real broker.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { startBroker, whyNoKafka } from '../../../engine/test/kafka/broker.ts';
import type { IndependentClient } from '../../../engine/test/kafka/independent-client.ts';
import { onBroker } from '../../../engine/test/kafka/on-broker.ts';
import type { Figure, FigureRow, FiguresPart } from '../../protocol/displays.ts';
import { LiveSession } from '../session-live/live-session.ts';

const skip = whyNoKafka() !== undefined;
let client: IndependentClient;
onBroker(startBroker, (started) => ({ client } = started));

test(
  'lag() counts down to 0 with the rate, and watermarks() names the partition without records',
  { skip },
  async () => {
    const topic = `panels-${process.pid}`;
    await client.createTopic(topic, 3);
    const begin = Date.now() - 3_600_000;
    const messages = [800, 400].flatMap((count, partition) =>
      Array.from({ length: count }, (_, n) => ({ partition, value: { n }, timestamp: begin + n })),
    );
    await client.send(topic, messages);
    await using session = new LiveSession();
    session.edit(
      'rows',
      `import { kafka, lag, tumbling, view, watermarks, count } from 'sluice';
const rows = kafka('${topic}', { from: 'earliest', format: 'json', rate: 80, watermark: { outOfOrderness: '1s', idleness: '1h' } });
rows.keyBy('n').window(tumbling('365d')).aggregate({ c: count() }).show();`,
    );
    session.edit('panels', 'view(lag(), watermarks())');
    await session.ran('rows', 'panels');
    const rowsOf = (part: number): readonly FigureRow[] =>
      (session.parts('panels')[part] as FiguresPart | undefined)?.groups.find(({ id }) => id !== 'windows')?.rows ?? [];
    const figures = (part: number, id: string): readonly Figure[] =>
      rowsOf(part).find((row) => row.id === id)?.figures ?? [];
    const count = (figure: Figure | undefined): number =>
      typeof figure === 'object' && figure !== null && 'count' in figure ? figure.count : NaN;

    await session.until(
      () => rowsOf(0),
      (rows) =>
        rows.length === 4 &&
        rows.every(({ id, figures: [, position] }) => id === 'all partitions' || position !== null),
      'all partitions',
    );
    await session.until(
      () => figures(0, 'all partitions'),
      ([, , , lag, , rate]) => count(lag) > 0 && count(lag) < 1_200 && rate !== null,
      'lag and rate',
    );
    const [, position, end, lag, behind] = figures(0, '0');
    assert.equal(count(end), 800);
    assert.equal(count(lag), 800 - count(position));
    if (count(lag) > 0 && count(position) > 0) assert.ok((behind as { millis: number }).millis > 3_500_000);
    await session.until(
      () => figures(0, 'all partitions'),
      ([, , , rest]) => count(rest) === 0,
      'the end',
    );
    assert.deepEqual(
      ['0', '1', '2'].map((id) => count(figures(0, id)[1])),
      [800, 400, 0],
    );
    await session.until(
      () => figures(1, '2'),
      (found) => found.at(-1) === 'holds time back: no record yet',
      'the partition without records',
    );
    assert.equal(session.state('panels')!.phase, 'live');
  },
);
