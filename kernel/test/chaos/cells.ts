// The notebook of the chaos: a topic, and from it a keyed window, a rolling aggregate and an
// interval join, each into a topic of its own; with what could not be read and what is late. Each
// cell has versions that differ in text and give the same rows, so that a run again is a change of
// the graph.
import type { CellText } from '../../protocol/messages.ts';
import { outputs, pairMillis, windowMillis } from './batch-result.ts';
import { boundMillis } from './input.ts';

export const deliveries = ['exactly-once', 'at-least-once'] as const;
export type Delivery = (typeof deliveries)[number];

export const inputTopic = 'events';
/** Cells that are run again. The source is not among them: all others read it. */
export const changedCells = ['counts', 'pairs', ...outputs];

export function cellsOf(delivery: Delivery, versions: ReadonlyMap<string, number>): readonly CellText[] {
  const version = (cell: string): number => versions.get(cell) ?? 0;
  /** Another text of a function, and the same result. */
  const same = (cell: string): string => `.filter(() => ${version(cell)} >= 0)`;
  const to = (cell: string): string =>
    `.to('${cell}', { delivery: '${delivery}', linger: '${5 + (version(cell) % 2)}ms' });`;
  const cells: Record<string, string> = {
    events: `import { configure, count, kafka, sum, tumbling } from 'sluice';
configure({ checkpoint: { interval: '300ms' }, restart: { kind: 'fixed-delay', attempts: 1000000, delay: '100ms' } });
type Event = { n: number; at: number; k: string; side: 'left' | 'right'; isBehind?: boolean };
const events = kafka<Event>('${inputTopic}', {
  from: 'latest', format: 'json', timestamp: 'at', discovery: '500ms',
  watermark: { outOfOrderness: '${boundMillis}ms', idleness: '24h' },
});`,
    counts: `const counts = events${same('counts')}.keyBy('k').window(tumbling('${windowMillis}ms')).aggregate({ c: count(), s: sum('n') });`,
    pairs: `const lefts = events.filter(({ side, isBehind }) => side === 'left' && !isBehind);
const rights = events${same('pairs')}.filter(({ side, isBehind }) => side === 'right' && !isBehind);
const pairs = lefts.keyBy('k').intervalJoin(rights.keyBy('k')).between('-${pairMillis}ms', '${pairMillis}ms')
  .select((left, right) => ({ to: 'joins', k: left.k, left: left.n, right: right.n }));`,
    windows: `counts.map(({ k, windowStart, c, s }) => ({ to: 'windows', k, start: Number(windowStart), c, s }))${same('windows')}${to('windows')}`,
    rolling: `events.keyBy('k').aggregate({ c: count(), s: sum('n') })
  .map(({ k, c, s }) => ({ to: 'rolling', k, c, s }))${same('rolling')}${to('rolling')}`,
    joins: `pairs${same('joins')}${to('joins')}`,
    errors: `events.errors.map(({ partition, offset, raw }) => ({ to: 'errors', partition, offset, raw }))${same('errors')}${to('errors')}`,
    late: `counts.late.map(({ n }) => ({ to: 'late', for: 'windows', n }))
  .union(pairs.late.map(({ n }) => ({ to: 'late', for: 'joins', n })))${same('late')}${to('late')}`,
  };
  return Object.entries(cells).map(([id, text]) => ({ id, kind: 'code', text }));
}
