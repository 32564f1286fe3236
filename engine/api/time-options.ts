// When an element happened and how far behind time may run: the options of sources and of assignTimestamps as plan data.
import { notYet, SluiceError } from '../error.ts';
import type { WatermarkSpec } from '../graph/plan.ts';
import { eventTimeOf } from '../time/event-time.ts';
import { parseDuration } from '../time/duration.ts';
import { readOptions } from './options.ts';
import { selector, type Parameters } from './parameters.ts';

export const timeOptionNames = ['timestamp', 'watermark', 'id', 'name'];

/** `timestamp` and `watermark` of a source. Without `watermark`: outOfOrderness 0 ms, and the idleness that the host wants. */
export function timeParameters(
  where: string,
  options: Readonly<Record<string, unknown>>,
  defaultIdlenessMillis: number | undefined,
): Parameters {
  const { timestamp, watermark } = options;
  const spec = watermarkSpec(where, watermark);
  const idlenessMillis = spec.idlenessMillis ?? defaultIdlenessMillis;
  return {
    ...(timestamp !== undefined && { timestamp: selector(`The timestamp of ${where}`, 'timestamp', timestamp) }),
    watermark: { ...spec, ...(idlenessMillis !== undefined && { idlenessMillis }) },
  };
}

export function assignTimestampsParameters(timestamp: unknown, watermark: unknown): Parameters {
  const assigned = selector('assignTimestamps()', 'timestamp', timestamp);
  if (watermark !== null && typeof watermark === 'object' && 'onElement' in watermark)
    notYet('custom watermark generators');
  return { timestamp: assigned, watermark: { ...watermarkSpec('assignTimestamps()', watermark) } };
}

function watermarkSpec(where: string, watermark: unknown): WatermarkSpec {
  const named = `the watermark of ${where}`;
  const {
    outOfOrderness = '0ms',
    idleness,
    alignment,
  } = readOptions(named, watermark, ['outOfOrderness', 'idleness', 'alignment']);
  if (alignment !== undefined) notYet('aligned watermarks (alignment)');
  const outOfOrdernessMillis = parseDuration(outOfOrderness, `outOfOrderness of ${named}`);
  if (idleness === undefined) return { outOfOrdernessMillis };
  const idlenessMillis = parseDuration(idleness, `idleness of ${named}`);
  if (idlenessMillis === 0)
    throw new SluiceError('bad-option', `idleness of ${named} is 0: a partition would never count.`);
  return { outOfOrdernessMillis, idlenessMillis };
}

/** A point in event time that an option gives, as epoch milliseconds. */
export function epochMillis(what: string, time: unknown): number {
  const millis = eventTimeOf(time);
  if (typeof millis === 'number') return millis;
  throw new SluiceError('bad-time', `${what} ${millis}.`);
}
