// The panel `watermarks()`: how far the time of each partition of each source is, which one holds
// the others back, and which window waits for it.
import type { Plan } from '../../engine/graph/plan.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { FigureGroup, FigureRow, FiguresPart } from '../protocol/displays.ts';
import type { Metrics } from '../session/state.ts';
import type { PanelFigures } from './fixed-part.ts';
import { cut, groupName, type PartitionStatus } from './lag-figures.ts';

const mostRows = 100;
const columns = ['watermark', 'behind', 'last record', ''];
const windowColumns = ['watermark', 'first window', 'to go'];

export class WatermarkFigures implements PanelFigures {
  #operators: readonly OperatorReport[] = [];

  update(_plan: Plan, { operators }: Metrics): void {
    this.#operators = operators;
  }
  part(id: string): FiguresPart {
    const sources = this.#operators.flatMap((report): FigureGroup[] => {
      const partitions = report.source?.partitions ?? [];
      return partitions.length === 0 || report.finished ? [] : [groupOf(report, partitions)];
    });
    const windows = this.#operators.flatMap((report) => windowRow(report) ?? []);
    const open = { id: 'windows', name: 'open windows', columns: windowColumns, rows: windows };
    const groups = windows.length === 0 ? sources : [...sources, open];
    const none = 'No source with partitions runs at present.';
    return { kind: 'figures', id, title: 'watermarks', groups, ...(groups.length === 0 && { note: none }) };
  }
}

function groupOf(report: OperatorReport, partitions: readonly PartitionStatus[]): FigureGroup {
  const active = partitions.filter(({ idle }) => !idle);
  const times = active.map(timeOf);
  const [lowest, highest] = [Math.min(...times), Math.max(...times)];
  const isHolder = (one: PartitionStatus): boolean => !one.idle && timeOf(one) === lowest && lowest < highest;
  const { shown, note } = cut(partitions, mostRows, 'the latest ones', (one) => -timeOf(one));
  const rows = shown.map((one) => rowOf(one, highest, isHolder(one)));
  return { id: report.id, name: groupName(report), columns, rows, ...(note !== undefined && { note }) };
}
/** It holds time back as long as it has no record. */
function timeOf({ watermark = -Infinity }: PartitionStatus): number {
  return watermark;
}

function rowOf(one: PartitionStatus, highest: number, holdsBack: boolean): FigureRow {
  const { partition, watermark, idle, lastRecordAt, failed } = one;
  const behind = watermark === undefined || idle || !Number.isFinite(highest) ? undefined : highest - watermark;
  const [state, tone] = stateOf(one, holdsBack);
  return {
    id: partition,
    figures: [
      partition,
      watermark === undefined ? null : { time: watermark },
      behind === undefined ? null : { millis: behind },
      lastRecordAt === undefined ? null : { time: lastRecordAt },
      failed === undefined ? state : `stopped: ${failed}`,
    ],
    ...(tone && { tone }),
  };
}
function stateOf({ watermark, idle, failed }: PartitionStatus, holdsBack: boolean): [string | null, FigureRow['tone']] {
  if (failed !== undefined) return [null, 'bad'];
  if (idle) return ['idle: time does not wait for it', 'quiet'];
  if (holdsBack) return [watermark === undefined ? 'holds time back: no record yet' : 'holds time back', 'slow'];
  return [watermark === undefined ? 'no record yet' : null, undefined];
}

function windowRow(report: OperatorReport): FigureRow | undefined {
  const { id, name, cell, watermark, status, finished } = report;
  const window = status?.nextWindow;
  if (!window || finished) return undefined;
  return {
    id,
    figures: [
      `${name} · cell ${cell}`,
      watermark === undefined ? null : { time: watermark },
      { time: window.end },
      watermark === undefined ? null : { millis: Math.max(0, window.end - watermark) },
    ],
  };
}
