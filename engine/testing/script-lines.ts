// The lines of a script as data: inputs, and under each input the expected results. surface.ts
// describes each sign at `runScript`.
import { SluiceError } from '../errors/error.ts';

export type Side = 0 | 1;
/** The input in a line. */
export type Action =
  | { readonly kind: 'element'; readonly side: Side; readonly timestamp: number; readonly fields: readonly string[] }
  | { readonly kind: 'watermark'; readonly side: Side | 'both'; readonly time: number }
  | { readonly kind: 'idle' | 'active'; readonly side: Side | 'both' }
  | { readonly kind: 'clock'; readonly to: number };
export type Expectation =
  | { readonly kind: 'row'; readonly fields: readonly string[]; readonly text: string }
  | { readonly kind: 'late'; readonly timestamp: number; readonly fields: readonly string[]; readonly text: string }
  | { readonly kind: 'entries'; readonly count: number; readonly text: string };
export interface Step {
  readonly action: Action;
  readonly text: string;
  readonly expected: Expectation[];
}
export interface Script {
  readonly steps: readonly Step[];
  readonly columns: { readonly inputs: (readonly string[] | undefined)[]; rows: readonly string[] | undefined };
}

/** Text after three blanks or more is the reason, for people. */
const reason = /\s{3,}.*$/;
const sign = /^([>|~][LR]?|<|!|@|=)(:?)\s*(.*)$/;

export function parseScript(text: string): Script {
  const steps: Step[] = [];
  const columns: Script['columns'] = { inputs: [], rows: undefined };
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('#')) addLine(steps, columns, lineOf(line, index + 1));
  }
  if (steps.length === 0) throw new SluiceError('bad-script', 'The script has no input line.');
  return { steps, columns };
}

interface Line {
  readonly text: string;
  readonly number: number;
  readonly sign: string;
  /** It names columns. */
  readonly isHead: boolean;
  readonly side: Side;
  /** Absent in the sign: both. */
  readonly sided: Side | 'both';
  readonly first: string;
  readonly others: readonly string[];
}

function wrong({ text, number }: Pick<Line, 'text' | 'number'>, what: string): SluiceError {
  return new SluiceError('bad-script', `Script line ${number}, "${text}": ${what}`);
}

function lineOf(text: string, number: number): Line {
  const parts = sign.exec(text);
  if (!parts)
    throw wrong(
      { text, number },
      'begin with > (element), | (watermark), ~ (idle), @ (clock), < (row), ! (late) or = (entries).',
    );
  const [, lead = '', colon, rest = ''] = parts;
  const [first = '', ...others] = fieldsOf(rest.replace(reason, ''));
  const side: Side = lead[1] === 'R' ? 1 : 0;
  const sided = lead.length > 1 ? side : 'both';
  return { ...{ text, number, sign: lead.charAt(0), isHead: colon === ':' }, ...{ side, sided, first, others } };
}

function addLine(steps: Step[], columns: Script['columns'], line: Line): void {
  const { text, side, sided, first, others } = line;
  if (line.isHead) {
    if (line.sign === '<') columns.rows = [first, ...others];
    else if (line.sign === '>') columns.inputs[side] = [first, ...others];
    else throw wrong(line, 'only > and < have columns.');
    return;
  }
  const begin = (action: Action): void => void steps.push({ action, text, expected: [] });
  const expect = (expectation: Expectation): void => {
    if (steps.length === 0) throw wrong(line, 'there is no input line above it.');
    steps.at(-1)!.expected.push(expectation);
  };
  switch (line.sign) {
    case '>':
      begin({ kind: 'element', side, timestamp: timeIn(line), fields: others });
      break;
    case '|':
      begin({ kind: 'watermark', side: sided, time: first === 'end' ? Infinity : timeIn(line) });
      break;
    case '~':
      if (first !== 'idle' && first !== 'active') throw wrong(line, 'an input is idle or active.');
      begin({ kind: first, side: sided });
      break;
    case '@':
      begin({ kind: 'clock', to: timeIn(line) });
      break;
    case '<':
      expect({ kind: 'row', fields: first === '' ? [] : [first, ...others], text });
      break;
    case '!':
      expect({ kind: 'late', timestamp: timeIn(line), fields: others, text });
      break;
    case '=':
      if (!/^\d+$/.test(first)) throw wrong(line, 'the number of kept entries is missing.');
      expect({ kind: 'entries', count: Number(first), text });
      break;
  }
}
function timeIn(line: Line): number {
  const time = parseTime(line.first);
  if (time === undefined)
    throw wrong(line, `"${line.first}" is not a time such as 00:10, 1:00:00.250, -00:05 or an ISO instant.`);
  return time;
}

/** A field is a word, a name with a value, a quoted text, or a text in brackets. */
export function fieldsOf(text: string): string[] {
  return text.match(/(?:[\w$]+=)?(?:"(?:[^"\\]|\\.)*"|\[[^\])]*[\])]|\{[^}]*\})|\S+/g) ?? [];
}

export type ScriptValue = string | number | boolean | bigint | null | undefined | object;
export function valueOf(field: string): ScriptValue {
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(field)) return Number(field);
  if (/^-?\d+n$/.test(field)) return BigInt(field.slice(0, -1));
  if (/^(true|false|null)$|^["{[]/.test(field)) return JSON.parse(field) as ScriptValue;
  return field === '-' ? undefined : field;
}
/** The inverse: writes a value so that `valueOf` reads it. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return '-';
    case 'bigint':
      return `${value}n`;
    case 'string':
      return typeof valueOf(value) === 'string' && fieldsOf(value).length === 1 && fieldsOf(value)[0] === value
        ? value
        : JSON.stringify(value);
    case 'object':
      return value instanceof Date ? timeText(value.getTime()) : (JSON.stringify(value) ?? '-');
    default:
      return String(value);
  }
}

const clockTime = /^(-)?(?:(\d+):)?(\d{1,2}):(\d{2})(?:\.(\d{1,3}))?$/;
export function parseTime(text: string): number | undefined {
  const parts = clockTime.exec(text);
  if (!parts) return /^[-+]?\d{4,6}-\d\d-\d\dT.*(Z|[-+]\d\d:\d\d)$/.test(text) ? Date.parse(text) : undefined;
  const [, minus, hours = '0', minutes, seconds, fraction = '0'] = parts;
  const millis =
    (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000 + Number(fraction.padEnd(3, '0'));
  return minus ? -millis : millis;
}
const twoDigits = (n: number): string => String(n).padStart(2, '0');
/** 01:00, 2:00:00 or 00:59.999. A time more than ten days from zero is a date. */
export function timeText(millis: number): string {
  if (!Number.isFinite(millis)) return String(millis);
  if (Math.abs(millis) >= 864_000_000) return new Date(millis).toISOString();
  const all = Math.abs(millis);
  const [hours, minutes] = [Math.floor(all / 3_600_000), Math.floor(all / 60_000) % 60];
  const [seconds, rest] = [Math.floor(all / 1000) % 60, all % 1000];
  const sign = millis < 0 ? '-' : '';
  const head = hours > 0 ? `${hours}:` : '';
  return `${sign}${head}${twoDigits(minutes)}:${twoDigits(seconds)}${rest > 0 ? `.${String(rest).padStart(3, '0')}` : ''}`;
}
/** Gives all spellings of one time or one window the same form. */
export function normalised(field: string): string {
  const span = /^\[\s*([^,\s]+)\s*,\s*([^,\s]+)\s*\)$/.exec(field);
  if (span) return `[${normalised(span[1]!)}, ${normalised(span[2]!)})`;
  const time = parseTime(field);
  return time === undefined ? field : timeText(time);
}
