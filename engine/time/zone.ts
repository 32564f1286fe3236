// Time zones by their names, as the IANA database and Intl know them.
//
// The offset of a zone rarely changes within an hour, so offsets are kept by hour. Only an hour
// with a change is asked for each time.

export interface Zone {
  /** Milliseconds to add to a point in time for its local time. */
  readonly offsetAt: (instant: number) => number;
  /**
   * The point in time of a local time. A local time that exists twice is the earlier one. One that
   * is left out is moved forward by what is left out, as in Java.
   */
  readonly instantOf: (local: number) => number;
}

const hourMillis = 3_600_000;
const dayMillis = 24 * hourMillis;
const mostHours = 50_000;
const zones = new Map<string, Zone | undefined>();

/** undefined: there is no zone of this name. */
export function zoneOf(name: string): Zone | undefined {
  if (!zones.has(name)) {
    // Names come from data, too.
    if (zones.size > 1000) zones.clear();
    zones.set(name, openZone(name));
  }
  return zones.get(name);
}

function openZone(name: string): Zone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    return undefined;
  }
  const asked = (instant: number): number => offsetIn(format.format(Math.max(-8.64e15, Math.min(instant, 8.64e15))));
  const offsets = new Map<number, number>();
  const offsetAt = (instant: number): number => {
    const hour = Math.floor(instant / hourMillis);
    let offset = offsets.get(hour);
    if (offset === undefined) {
      const first = asked(hour * hourMillis);
      offset = first === asked(hour * hourMillis + hourMillis - 1) ? first : NaN;
      if (offsets.size >= mostHours) offsets.clear();
      offsets.set(hour, offset);
    }
    return Number.isNaN(offset) ? asked(instant) : offset;
  };
  const instantOf = (local: number): number => {
    const [before, after] = [offsetAt(local - dayMillis), offsetAt(local + dayMillis)];
    return before === after || offsetAt(local - before) === before || offsetAt(local - after) !== after
      ? local - before
      : local - after;
  };
  return { offsetAt, instantOf };
}

/** "1/31/2024, GMT+01:00" → 3600000. Local mean times have seconds. */
function offsetIn(text: string): number {
  const parts = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text);
  if (!parts) return 0;
  const [, sign, hours, minutes, seconds = '0'] = parts;
  const millis = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -millis : millis;
}

/** The name of the machine's own zone. */
export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
/** +01:00, or with seconds, as local mean times have them. Empty for UTC. */
export function offsetText(offset: number): string {
  if (offset === 0) return '';
  const parts = new Date(Math.abs(offset)).toISOString().slice(11, 19);
  return `${offset < 0 ? '-' : '+'}${parts.endsWith(':00') ? parts.slice(0, 5) : parts}`;
}
