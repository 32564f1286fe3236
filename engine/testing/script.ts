// Runs a script under every schedule that must not change the results: line by line, all at once,
// with a full downstream, restored at every line, and with two instances that share the keys.
import { AssertionError } from 'node:assert';
import { SluiceError } from '../errors/error.ts';
import type { Stream } from '../api/surface.ts';
import { type DrivenHarness, harnessOf } from './harness.ts';
import { mergedSnapshot, type Share } from './key-share.ts';
import {
  fieldsOf,
  normalised,
  parseScript,
  type Script,
  type Side,
  type Step,
  textOf,
  timeText,
  valueOf,
} from './script-lines.ts';
import { type Came, drawReport, type Keyed, pair } from './script-report.ts';
import type { HarnessOptions, OneInputHarness, ScriptOptions, TwoInputHarness } from './surface.ts';

type Driven = DrivenHarness<unknown> & OneInputHarness<unknown, unknown> & TwoInputHarness<unknown, unknown, unknown>;
type Build = (left: Stream<never>, right: Stream<never>) => Stream<unknown>;

/** The actions around a line, or around a run of lines that may be given together. */
interface Schedule {
  readonly name: string;
  readonly together?: true;
  /**
   * Two instances share the keys where each operator meets an element by its key. They simulate
   * parallelism.
   */
  readonly shared?: true;
  before?(player: Player): void;
  after?(player: Player): void;
}
const schedules: readonly Schedule[] = [
  { name: 'line by line' },
  { name: 'all at once', together: true, before: (it) => it.hold(true), after: (it) => it.hold(false) },
  { name: 'downstream full at every line', before: (it) => it.block(), after: (it) => it.unblock() },
  { name: 'downstream full', together: true, before: (it) => it.block(), after: (it) => it.unblock() },
  { name: 'a snapshot at every line', before: (it) => void it.snapshot() },
  { name: 'restored into a new instance at every line', before: (it) => it.restore([all]) },
  { name: 'two instances over split key groups', shared: true },
  {
    name: 'one instance and two in turn, restored at every line',
    shared: true,
    before: (it) => it.restore(it.instances.length === 1 ? halves : [all]),
  },
];
const all: Share = () => true;
const halves: readonly Share[] = [(keyGroup) => keyGroup % 2 === 0, (keyGroup) => keyGroup % 2 === 1];

export function runScript<T, R>(
  build: (input: Stream<T>) => Stream<R>,
  script: string,
  options?: ScriptOptions<T, R>,
): void;
export function runScript<L, R, O>(
  build: (left: Stream<L>, right: Stream<R>) => Stream<O>,
  script: string,
  options?: ScriptOptions<L | R, O>,
): void;
export function runScript(build: (...inputs: never[]) => Stream<unknown>, text: string, options: object = {}): void {
  const script = parseScript(text);
  for (const schedule of schedules) runUnder(schedule, build as Build, script, new Reading(script, options));
}

function runUnder(schedule: Schedule, build: Build, script: Script, reading: Reading): void {
  const player = new Player(build, reading, schedule.shared ? halves : [all]);
  const seen: { step: Step; came: Came[] }[] = [];
  try {
    if (schedule.shared && !player.isShareable) return;
    for (const steps of schedule.together
      ? runsOf(script.steps, player.isBinary)
      : script.steps.map((step) => [step])) {
      schedule.before?.(player);
      for (const step of steps) player.say(step);
      schedule.after?.(player);
      seen.push(...compare(steps, player, steps.at(-1) === script.steps.at(-1)));
    }
  } finally {
    player.close();
  }
  if (seen.every(({ came }) => came.every(({ same }) => same))) return;
  const drawn = (side: 'expected' | 'actual'): string =>
    seen.flatMap(({ step, came }) => [step.text, ...came.flatMap((one) => one[side] ?? [])]).join('\n');
  throw new AssertionError({
    message: `The script does not hold (schedule: ${schedule.name}).\n\n${drawReport(seen)}\n`,
    actual: drawn('actual'),
    expected: drawn('expected'),
    operator: 'runScript',
  });
}

/**
 * Runs of lines that may be given together: of one input, without a movement of the clock. Between
 * two inputs the order would not be determined.
 */
function runsOf(steps: readonly Step[], isBinary: boolean): Step[][] {
  const runs: Step[][] = [];
  const sideOf = ({ action }: Step): unknown =>
    !('side' in action) || (isBinary && action.side === 'both') ? Symbol('alone') : isBinary && action.side;
  for (const step of steps) {
    const run = runs.at(-1);
    if (run && sideOf(run[0]!) === sideOf(step)) run.push(step);
    else runs.push([step]);
  }
  return runs;
}

/**
 * Puts rows that overtook each other into the order of the script. Rows that the script lacks are
 * last.
 */
function inOrderOf(steps: readonly Step[], rows: readonly Keyed[]): Keyed[] {
  const left = [...rows];
  const found = steps
    .flatMap(({ expected }) => expected)
    .flatMap((one) => {
      if (one.kind !== 'row') return [];
      const key = keyOf(one.fields);
      const at = left.findIndex((row) => row.key === key);
      return at < 0 ? [] : left.splice(at, 1);
    });
  return [...found, ...left];
}
/**
 * Divides the results among the steps. Each step gets as many as it expects, and the last step the
 * rest.
 */
function compare(steps: readonly Step[], player: Player, isEnd: boolean): { step: Step; came: Came[] }[] {
  const rows = player.overtaking ? inOrderOf(steps, player.rows()) : player.rows();
  const late = player.late();
  return steps.map((step, index) => {
    const isLast = index === steps.length - 1;
    const expectedRows = step.expected.filter((one) => one.kind === 'row');
    const expectedLate = step.expected.filter((one) => one.kind === 'late');
    const share = <T>(from: T[], count: number): T[] => from.splice(0, isLast ? from.length : count);
    // Between two instances the order is not determined.
    const ordered = step.action.kind === 'element' && player.instances.length === 1;
    const came = [
      ...pair(
        expectedRows.map(({ fields, text }) => ({ key: keyOf(fields), text })),
        share(rows, expectedRows.length),
        ordered,
      ),
      ...pair(
        expectedLate.map(({ timestamp, fields, text }) => ({ key: keyOf([timeText(timestamp), ...fields]), text })),
        share(late, expectedLate.length),
        ordered,
      ),
    ];
    const entries = step.expected.find((one) => one.kind === 'entries') ?? (isEnd && isLast ? nothingLeft : undefined);
    if (entries && isLast) {
      const kept = player.entries();
      came.push({ expected: entries.text, actual: `= ${kept}`, same: kept === entries.count });
    }
    return { step, came };
  });
}
const nothingLeft = { kind: 'entries', count: 0, text: '= 0   nothing is left at the end' } as const;

/** One run of the operators. After a restore it uses other harnesses. */
class Player {
  instances: readonly Driven[];
  readonly isBinary: boolean;
  readonly #build: Build;
  readonly #reading: Reading;
  #now = 0;

  constructor(build: Build, reading: Reading, shares: readonly Share[]) {
    this.#build = build;
    this.#reading = reading;
    this.isBinary = build.length >= 2;
    this.instances = this.#start(shares);
  }
  #start(shares: readonly Share[], options: HarnessOptions = {}): readonly Driven[] {
    const start = (share: Share): Driven =>
      harnessOf(this.isBinary ? 2 : 1, this.#build, { ...options, ...(share !== all && { share }) });
    return shares.map(start);
  }

  say({ action, text }: Step): void {
    const isRight = 'side' in action && action.side !== 0;
    const isLeft = !('side' in action) || action.side !== 1;
    if (isRight && action.side === 1 && !this.isBinary)
      throw new SluiceError('bad-script', `"${text}" is for the right input, but the tested stream has one input.`);
    const element = action.kind === 'element' ? this.#reading.element(action.side, action.fields) : undefined;
    for (const driven of this.instances)
      switch (action.kind) {
        case 'element':
          if (action.side === 1) driven.right(element, action.timestamp);
          else driven.left(element, action.timestamp);
          break;
        case 'watermark':
          if (isLeft) driven.leftWatermark(action.time);
          if (isRight && this.isBinary) driven.rightWatermark(action.time);
          break;
        case 'idle':
          if (isLeft) driven.leftIdle();
          if (isRight && this.isBinary) driven.rightIdle();
          break;
        case 'active':
          if (isLeft) driven.leftActive();
          if (isRight && this.isBinary) driven.rightActive();
          break;
        case 'clock':
          this.#now = action.to;
          driven.advanceProcessingTime(action.to);
          break;
      }
  }
  hold(held: boolean): void {
    for (const driven of this.instances) driven.hold(held);
  }
  block(): void {
    for (const driven of this.instances) driven.blockDownstream(true);
  }
  unblock(): void {
    for (const driven of this.instances) {
      const [early] = [...driven.output(), ...driven.late()];
      if (early) throw new SluiceError('invariant', 'A row came through although downstream was full.');
      driven.blockDownstream(false);
    }
  }
  snapshot(): Uint8Array {
    return mergedSnapshot(this.instances.map((driven) => driven.snapshot()));
  }
  restore(shares: readonly Share[]): void {
    const snapshot = this.snapshot();
    this.close();
    this.instances = this.#start(shares, { restore: snapshot });
    if (this.#now !== 0) for (const driven of this.instances) driven.advanceProcessingTime(this.#now);
  }
  close(): void {
    for (const driven of this.instances) driven.close();
  }
  get isShareable(): boolean {
    return this.instances[0]!.isShareable;
  }
  entries(): number {
    return this.instances.reduce((sum, driven) => sum + driven.entries(), 0);
  }
  get overtaking(): boolean {
    return this.#reading.overtaking;
  }
  rows(): Keyed[] {
    return this.instances
      .flatMap((driven) => driven.output())
      .flatMap((item) => ('element' in item ? [this.#reading.row(item.element, item.timestamp)] : []));
  }
  late(): Keyed[] {
    return this.instances
      .flatMap((driven) => driven.late())
      .map(({ element, timestamp }) => this.#reading.late(element, timestamp));
  }
}

/** Converts lines to elements, and rows to lines. */
class Reading {
  readonly #options: ScriptOptions<unknown, unknown>;
  get overtaking(): boolean {
    return this.#options.overtaking === true;
  }
  readonly #script: Script;
  #linesOf: Map<string, readonly string[]> | undefined;
  constructor(script: Script, options: ScriptOptions<unknown, unknown>) {
    this.#script = script;
    this.#options = options;
  }
  element(side: Side, fields: readonly string[]): unknown {
    if (this.#options.element) return this.#options.element(fields, side === 0 ? 'left' : 'right');
    const columns = this.#script.columns.inputs[side];
    if (columns) {
      if (fields.length === columns.length) return objectOf(columns.map((name, i) => [name, valueOf(fields[i]!)]));
      throw new SluiceError(
        'bad-script',
        `"${fields.join(' ')}" are ${fields.length} values for the columns ${columns.join(', ')}.`,
      );
    }
    const named = fields.map((field) => /^([\w$]+)=(.*)$/s.exec(field));
    if (fields.length > 0 && named.every((one) => one !== null))
      return objectOf(named.map((one) => [one[1]!, valueOf(one[2]!)]));
    if (fields.length === 1) return valueOf(fields[0]!);
    throw new SluiceError(
      'bad-script',
      `"${fields.join(' ')}": write name=value, one value, or the names of the columns (">: name name").`,
    );
  }
  row(row: unknown, timestamp: number): Keyed {
    const fields = this.#options.row
      ? this.#options.row(row, timestamp).map(cellText)
      : this.#fieldsOf(row, timestamp, this.#script.columns.rows ?? []);
    return { key: keyOf(fields), text: `< ${fields.join(' ')}` };
  }
  #fieldsOf(row: unknown, timestamp: number, columns: readonly string[]): string[] {
    const time = columns.map((name) => (name === 'time' ? timeText(timestamp) : undefined));
    if (!isPlain(row)) return columns.length === 0 ? [textOf(row)] : columns.map((_, i) => time[i] ?? textOf(row));
    const { windowStart, windowEnd } = row as { windowStart?: unknown; windowEnd?: unknown };
    const window =
      windowStart instanceof Date && windowEnd instanceof Date
        ? `[${timeText(windowStart.getTime())}, ${timeText(windowEnd.getTime())})`
        : undefined;
    const inColumns = columns.map((name, i) => time[i] ?? (name === 'window' && window ? window : textOf(row[name])));
    const others = Object.keys(row).flatMap((name) => {
      if (columns.includes(name) || (window && name === 'windowEnd')) return [];
      if (window && name === 'windowStart') return columns.includes('window') ? [] : [window];
      return [`${name}=${textOf(row[name])}`];
    });
    return [...inColumns, ...others];
  }
  /**
   * A late element in the form of its input line. An element made by an operator has the form of a
   * row.
   */
  late(element: unknown, timestamp: number): Keyed {
    this.#linesOf ??= new Map(
      this.#script.steps.flatMap(({ action }) =>
        action.kind === 'element'
          ? [[elementKey(this.element(action.side, action.fields)), action.fields] as const]
          : [],
      ),
    );
    const fields = [
      timeText(timestamp),
      ...(this.#linesOf.get(elementKey(element)) ?? this.#fieldsOf(element, timestamp, [])),
    ];
    return { key: keyOf(fields), text: `! ${fields.join(' ')}` };
  }
}

function elementKey(element: unknown): string {
  const named =
    isPlain(element) &&
    Object.keys(element)
      .sort()
      .map((name) => `${name}=${textOf(element[name])}`);
  return named ? named.join(' ') : textOf(element);
}
function keyOf(fields: readonly string[]): string {
  return fields.map(normalised).join(' ');
}
function cellText(value: unknown): string {
  return typeof value === 'string' && fieldsOf(value).length === 1 ? value : textOf(value);
}
/** A field with "-" in the line is absent from the object. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
function isPlain(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
