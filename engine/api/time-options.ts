// Event time and watermarks: the options of sources and of assignTimestamps as plan data.
import { SluiceError } from '../errors/error.ts';
import { hashValue } from '../graph/fingerprint.ts';
import type { TimeParameters } from '../graph/parameters.ts';
import type { AlignmentSpec, TimeReading, WatermarkSpec } from '../graph/spec.ts';
import { closestName } from '../errors/closest-name.ts';
import { eventTimeOf } from '../time/event-time.ts';
import { parseDuration } from '../time/duration.ts';
import { zoneOf } from '../time/zone.ts';
import type { DeclaredParameters } from './builder.ts';
import { oneOf, readOptions, text } from './options.ts';
import { selector, UserFunction, userMethod } from './parameters.ts';

/** What all sources have. */
export const sourceOptionNames = ['timestamp', 'zone', 'unit', 'watermark', 'rate', 'id', 'name'];
const units = ['s', 'ms', 'us', 'ns'] as const;

/**
 * `timestamp` and `watermark` of a source. Without `watermark`: outOfOrderness 0 ms and the host's
 * default idleness.
 */
export function timeParameters(
  where: string,
  options: Readonly<Record<string, unknown>>,
  defaultIdlenessMillis: number | undefined,
): TimeParameters<UserFunction> {
  const { timestamp, watermark } = options;
  const time = timeReading(where, options);
  const { alignment, ...spec } = watermarkSpec(where, watermark);
  const idlenessMillis = spec.idlenessMillis ?? defaultIdlenessMillis;
  return {
    ...(timestamp !== undefined && { timestamp: selector(`The timestamp of ${where}`, 'timestamp', timestamp) }),
    ...(time !== undefined && { time }),
    watermark: {
      ...spec,
      ...(idlenessMillis !== undefined && { idlenessMillis }),
      ...(alignment !== undefined && { alignment: { ...alignment } }),
    },
  };
}

function timeReading(
  where: string,
  { timestamp, zone, unit }: Readonly<Record<string, unknown>>,
): TimeReading | undefined {
  if (zone === undefined && unit === undefined) return undefined;
  if (timestamp === undefined)
    throw new SluiceError(
      'bad-option',
      `${where} has a ${zone === undefined ? 'unit' : 'zone'}, which tells how a timestamp is read, but no timestamp. Add timestamp.`,
    );
  return {
    ...(zone !== undefined && { zone: zoneName(where, zone) }),
    ...(unit !== undefined && { unit: oneOf(`The unit of ${where}`, unit, units) }),
  };
}
function zoneName(where: string, given: unknown): string {
  const zone = text(`The zone of ${where}`, given);
  if (zoneOf(zone)) return zone;
  const closest = closestName(zone, Intl.supportedValuesOf('timeZone'));
  throw new SluiceError(
    'bad-option',
    `The zone of ${where} is ${JSON.stringify(zone)}, which is no time zone.${closest === undefined ? '' : ` Closest: "${closest}".`}`,
  );
}

export function assignTimestampsParameters(
  timestamp: unknown,
  watermark: unknown,
): DeclaredParameters<'assignTimestamps'> {
  const assigned = selector('assignTimestamps()', 'timestamp', timestamp);
  const generator = watermarkGenerator(watermark);
  if (generator) return { timestamp: assigned, generator };
  const { alignment, ...spec } = watermarkSpec('assignTimestamps()', watermark);
  if (alignment !== undefined)
    throw new SluiceError(
      'bad-option',
      'assignTimestamps() has an alignment, but only a source can wait for others. Give timestamp and watermark to the source.',
    );
  return { timestamp: assigned, watermark: spec };
}

/** An object with onElement or onPeriodic instead of options. */
function watermarkGenerator(given: unknown): UserFunction | undefined {
  if (given === null || typeof given !== 'object') return undefined;
  const called = ['onElement', 'onPeriodic'];
  if (!called.some((name) => name in given)) return undefined;
  for (const name of Object.keys(given))
    if (/^on[A-Z]/.test(name) && !called.includes(name))
      throw new SluiceError('unknown-option', `A watermark generator has onElement and onPeriodic, not "${name}".`);
  const generator = given as Readonly<Record<string, unknown>>;
  const methods = called.filter((name) => name === 'onElement' || generator[name] !== undefined);
  const [onElement, onPeriodic] = methods.map((name) => userMethod('A watermark generator', given, name));
  // The other fields are the generator's initial state.
  const fields = Object.entries(generator).filter(([name]) => !called.includes(name));
  return new UserFunction('generator', given, (fallback) =>
    hashValue([onElement!.textHash(fallback), onPeriodic?.textHash(fallback), hashValue(fields, fallback)]),
  );
}

function watermarkSpec(where: string, watermark: unknown): WatermarkSpec {
  const named = `the watermark of ${where}`;
  const {
    outOfOrderness = '0ms',
    idleness,
    alignment,
  } = readOptions(named, watermark, ['outOfOrderness', 'idleness', 'alignment']);
  const outOfOrdernessMillis = parseDuration(outOfOrderness, `outOfOrderness of ${named}`);
  const spec = { outOfOrdernessMillis, ...(alignment !== undefined && { alignment: alignmentSpec(named, alignment) }) };
  if (idleness === undefined) return spec;
  const idlenessMillis = parseDuration(idleness, `idleness of ${named}`);
  if (idlenessMillis === 0)
    throw new SluiceError('bad-option', `idleness of ${named} is 0: every partition would always be idle.`);
  return { ...spec, idlenessMillis };
}

function alignmentSpec(named: string, given: unknown): AlignmentSpec {
  const { group, maxDrift } = readOptions(`alignment of ${named}`, given, ['group', 'maxDrift']);
  return {
    group: text(`The group in the alignment of ${named}`, group),
    maxDriftMillis: parseDuration(maxDrift, `maxDrift in the alignment of ${named}`),
  };
}

/** An event time in an option, as epoch milliseconds. */
export function epochMillis(what: string, time: unknown): number {
  const millis = eventTimeOf(time);
  if (typeof millis === 'number') return millis;
  throw new SluiceError('bad-time', `${what} ${millis}.`);
}
