// Reasons why no row comes: a source in trouble, a watermark below the end of a window, a partition
// that holds time back, a reader that is catching up.
// Reasons are pieces of text and times; clients write times in the user's zone.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { duration } from '../protocol/figures.ts';
import { localZone, offsetText, zoneOf } from '../../engine/time/zone.ts';
import type { Flow } from './flow.ts';

export type Pieces = readonly (string | { readonly time: number })[];

/** A partition is worth mentioning when it has been silent this long and others have not. */
const silenceMillis = 5000;
/** Or when it is this far behind another one. */
const behindMillis = 300_000;

/**
 * Nothing comes from an instance because a source above it is in trouble, because it reads its
 * history, or because a window above it waits. A window waits because of the trouble, too.
 */
export function whyNothingComes(flow: Flow, instance: string): Pieces | undefined {
  return trouble(flow, instance) ?? catchingUp(flow, instance) ?? whyNothingFires(flow, instance);
}

/**
 * A display of `late` came after elements had been late: they are known by their number only.
 * `instance` is the display.
 */
export function lateBefore(flow: Flow, instance: string, port: string): string | undefined {
  if (port !== 'late') return undefined;
  const [from = ''] = flow.inputsOf(instance);
  const known = flow.reportById.get(from)?.late ?? 0;
  const missed = known - (flow.reportById.get(instance)?.recordsIn ?? 0);
  if (missed <= 0) return undefined;
  return `${missed.toLocaleString('en-US')} ${missed === 1 ? 'element was' : 'elements were'} late before`;
}

function trouble(flow: Flow, instance: string): Pieces | undefined {
  const found = flow.sourcesOf([instance]).find(({ source }) => source?.trouble !== undefined);
  return found?.source?.trouble === undefined ? undefined : [found.source.trouble];
}

function whyNothingFires(flow: Flow, instance: string): Pieces | undefined {
  const above = flow.upstream(instance).flatMap((id) => flow.reportById.get(id) ?? []);
  for (const report of above) {
    const reason = whyWindowWaits(flow, report) ?? whyOperatorWaits(report);
    if (reason) return reason;
  }
  return undefined;
}

/** The reason that the operator itself knows. */
export function whyOperatorWaits({ status, finished }: OperatorReport): Pieces | undefined {
  if (status?.waiting === undefined || finished) return undefined;
  const { waiting, waitingSince } = status;
  return waitingSince === undefined ? [waiting] : [`${waiting}; since `, { time: waitingSince }];
}

function whyWindowWaits(flow: Flow, report: OperatorReport): Pieces | undefined {
  const window = report.status?.nextWindow;
  if (!window || report.finished) return undefined;
  const held = partitionThatHolds(flow, report, window.end);
  if (held)
    return [
      `waiting: ${held}; the window `,
      { time: window.start },
      '–',
      { time: window.end },
      ' needs ≥ ',
      { time: window.end },
    ];
  if (report.recordsOut > 0) return undefined;
  if (report.watermark === undefined)
    return ['no window has closed: no watermark yet, first window ends ', { time: window.end }];
  return ['no window has closed: watermark ', { time: report.watermark }, ', first window ends ', { time: window.end }];
}

interface Holder {
  readonly name: string;
  readonly watermark: number;
  readonly silentMillis: number;
  /** The offset of its end, if known. 0: it is empty. */
  readonly end: number | undefined;
}

/**
 * The partition with the lowest watermark of all sources above, if it is not idle and has had no
 * record, is silent, or is far behind a partition that has passed the end of the window.
 */
function partitionThatHolds(flow: Flow, report: OperatorReport, windowEnd: number): string | undefined {
  const active = flow.sourcesOf([report.id]).flatMap(activePartitions);
  if (active.length === 0) return undefined;
  const lowest = active.reduce((a, b) => (b.watermark < a.watermark ? b : a));
  if (lowest.watermark >= windowEnd - 1) return undefined;
  const { name, silentMillis } = lowest;
  const furthest = active.reduce((a, b) => (b.watermark > a.watermark ? b : a));
  if (lowest.watermark === -Infinity && furthest.watermark > -Infinity) return withoutRecord(active);
  if (silentMillis >= silenceMillis) return `${name} has been silent for ${Math.round(silentMillis / 1000)} s`;
  const behind = furthest.watermark - lowest.watermark;
  if (furthest.watermark < windowEnd - 1 || !Number.isFinite(behind) || behind < behindMillis) return undefined;
  return `${name} is ${duration(behind)} behind ${furthest.name}`;
}
function withoutRecord(active: readonly Holder[]): string {
  const [first, ...others] = active.filter(({ watermark }) => watermark === -Infinity) as [Holder, ...Holder[]];
  const isEmpty = [first, ...others].every(({ end }) => end === 0);
  const had = isEmpty ? 'never had a record' : 'had no record yet';
  if (others.length === 0) return `${first.name} has ${had}`;
  return `${first.name} and ${others.length === 1 ? 'another one' : `${others.length} others`} have ${had}`;
}
function activePartitions({ name, source }: OperatorReport): Holder[] {
  // A topic without any record is 'waiting'.
  if (source?.phase !== 'live' && source?.phase !== 'waiting') return [];
  const { partitions = [] } = source;
  return partitions
    .filter(({ idle }) => !idle)
    .map(({ partition, watermark = -Infinity, silentMillis = 0, end }) => ({
      name: partitions.length > 1 ? `partition ${name}[${partition}]` : name,
      watermark,
      silentMillis,
      end,
    }));
}

/** A copy that reads its own history says how far it is behind the operator it was copied from. */
function catchingUp(flow: Flow, instance: string): Pieces | undefined {
  for (const source of flow.sourcesOf([instance])) {
    const original = source.id === source.uid ? undefined : flow.reportById.get(source.uid);
    if (original?.watermark === undefined || source.finished) continue;
    if (source.watermark === undefined) return ['catching up to ', { time: original.watermark }];
    if (source.watermark < original.watermark)
      return ['catching up: ', { time: source.watermark }, ' of ', { time: original.watermark }];
  }
  return undefined;
}

/**
 * Text for a status bar or a terminal: local time, with the offset of a zone that is not UTC, and
 * with the date when it is another day.
 */
export function asText(pieces: Pieces, now: number, zone?: string): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : timeAsText(piece.time, now, zone))).join('');
}

export function timeAsText(time: number, now: number, zone?: string): string {
  if (!Number.isFinite(time)) return time > 0 ? 'the end' : 'the beginning';
  const day = (millis: number): string => new Date(millis).toLocaleDateString('sv-SE', { timeZone: zone });
  const clock = new Date(time).toLocaleTimeString('sv-SE', { timeZone: zone });
  const text = `${clock}${offsetText(zoneOf(zone ?? localZone())?.offsetAt(time) ?? 0)}`;
  return day(time) === day(now) ? text : `${day(time)} ${text}`;
}
