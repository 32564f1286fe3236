// The panel `lag()`: how far each partition of each topic is behind its end.
import type { Plan } from '../../engine/graph/plan.ts';
import type { OperatorReport } from '../executor/executor-protocol.ts';
import type { Figure, FigureGroup, FigureRow, FiguresPart } from '../protocol/displays.ts';
import type { Metrics } from '../session/state.ts';
import type { PanelFigures } from './fixed-part.ts';

/** More partitions than a person reads. */
const mostRows = 100;
const columns = ['position', 'end', 'lag', 'behind', 'rate', ''];

/** What a source says of a partition. */
export type PartitionStatus = NonNullable<NonNullable<OperatorReport['source']>['partitions']>[number];
type Partition = PartitionStatus & { readonly position: number };
interface Place {
  readonly position: number;
  readonly perSecond: number | undefined;
}

export class LagFigures implements PanelFigures {
  #operators: readonly OperatorReport[] = [];
  #at = 0;
  /** By source and partition. */
  #places: ReadonlyMap<string, Place> = new Map();

  update(_plan: Plan, { operators, at }: Metrics): void {
    const places = new Map<string, Place>();
    const seconds = (at - this.#at) / 1000;
    for (const report of operators)
      for (const { partition, position } of partitionsOf(report)) {
        const before = this.#places.get(placeKey(report, partition));
        const read = before && position - before.position;
        const perSecond = read === undefined || read < 0 || !(seconds > 0) ? undefined : read / seconds;
        places.set(placeKey(report, partition), { position, perSecond });
      }
    this.#places = places;
    this.#operators = operators;
    this.#at = at;
  }

  part(id: string): FiguresPart {
    const groups = this.#operators.flatMap((report): FigureGroup[] => {
      const partitions = partitionsOf(report);
      return partitions.length === 0 ? [] : [this.#group(report, partitions)];
    });
    const none = 'No topic is read at present.';
    return { kind: 'figures', id, title: 'lag', groups, ...(groups.length === 0 && { note: none }) };
  }
  #group(report: OperatorReport, partitions: readonly Partition[]): FigureGroup {
    const { shown, note } = cut(partitions, mostRows, 'those with the largest lag', ({ lag = 0 }) => lag);
    const rates = new Map(
      partitions.map(({ partition }) => [partition, this.#places.get(placeKey(report, partition))?.perSecond]),
    );
    const rows = shown.map((partition) => rowOf(partition, rates.get(partition.partition)));
    const all = partitions.length > 1 ? [totalOf(partitions, [...rates.values()])] : [];
    return {
      ...{ id: report.id, name: groupName(report), columns, rows: [...all, ...rows] },
      ...(note !== undefined && { note }),
    };
  }
}

function partitionsOf({ source }: OperatorReport): readonly Partition[] {
  return (source?.partitions ?? []).filter((one): one is Partition => one.position !== undefined);
}
function placeKey({ id }: OperatorReport, partition: string): string {
  return `${id} ${partition}`;
}

function rowOf(
  { partition, position, end, lag, lagMillis, failed }: Partition,
  perSecond: number | undefined,
): FigureRow {
  return {
    id: partition,
    figures: [
      partition,
      { count: position },
      end === undefined ? null : { count: end },
      lag === undefined ? null : { count: lag },
      lagMillis === undefined ? null : { millis: lagMillis },
      rateOf(perSecond),
      failed === undefined ? null : `stopped: ${failed}`,
    ],
    ...(failed !== undefined && { tone: 'bad' }),
  };
}
function totalOf(partitions: readonly Partition[], rates: readonly (number | undefined)[]): FigureRow {
  const ages = partitions.flatMap(({ lagMillis }) => lagMillis ?? []);
  const known = rates.flatMap((rate) => rate ?? []);
  const unknown = partitions.filter(({ lag }) => lag === undefined).length;
  return {
    id: 'all partitions',
    figures: [
      'all',
      null,
      null,
      { count: partitions.reduce((sum, { lag = 0 }) => sum + lag, 0) },
      ages.length === 0 ? null : { millis: ages.reduce((a, b) => Math.max(a, b)) },
      known.length === 0 ? null : rateOf(known.reduce((a, b) => a + b)),
      unknown === 0 ? null : `${unknown} without a known end`,
    ],
  };
}
function rateOf(perSecond: number | undefined): Figure {
  return perSecond === undefined ? null : { perSecond };
}

/** A copy reads the same topic for cells that came late. */
export function groupName({ name, cell, id, uid }: OperatorReport): string {
  return `${name} · cell ${cell}${id === uid ? '' : ' · copy for a late cell'}`;
}

/** The `most` of the largest, in the order in which they were given. */
export function cut<T>(
  all: readonly T[],
  most: number,
  which: string,
  size: (one: T) => number,
): { readonly shown: readonly T[]; readonly note?: string } {
  if (all.length <= most) return { shown: all };
  const largest = new Set(all.toSorted((a, b) => size(b) - size(a)).slice(0, most));
  const note = `${most} of ${all.length.toLocaleString('en-US')} partitions: ${which}`;
  return { shown: all.filter((one) => largest.has(one)), note };
}
