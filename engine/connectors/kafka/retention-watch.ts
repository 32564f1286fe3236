// Counts rows that the topic's retention is about to delete. A broker deletes what is older than
// retention.ms within minutes, so a replay of old data may leave nothing in the topic.
//
// The warning comes before the first such row is written. The sink keeps that row back until
// somebody has read the warning, or nobody has for two seconds.
//
//   quiet ──the first old row──► warns ──the note is read, or 2 s pass──► has warned
import type { KnownSettings } from './sink-topic.ts';

const dayMillis = 86_400_000;
const hourMillis = 3_600_000;
const unreadMillis = 2_000;

/** A topic that deletes rows sooner is rare, and a live row needs no question about it. */
const presentMillis = 60_000;
/** The row is not of the present, so the retention of its topic matters. */
export function isPast(timestamp: number, now: number): boolean {
  return timestamp < now - presentMillis;
}

export class RetentionWatch {
  readonly #topic: string;
  /** Infinity: the topic deletes nothing by age. */
  readonly #retentionMillis: number;
  #rows = 0;
  #oldest = Infinity;
  /** When the warning began. */
  #warnsSince: number | undefined;
  #isRead = false;
  /** Nobody knows the retention: a right is missing. */
  readonly #isDenied: boolean;
  #hasPast = false;

  constructor(topic: string, { values: settings, isDenied }: KnownSettings) {
    this.#topic = topic;
    this.#isDenied = isDenied;
    const millis = Number(settings.get('retention.ms') ?? NaN);
    const deletes = (settings.get('cleanup.policy') ?? '').split(',').includes('delete');
    // With this setting the broker replaces a row's timestamp by the time of its arrival.
    const keepsTimestamps = settings.get('message.timestamp.type') !== 'LogAppendTime';
    this.#retentionMillis = deletes && keepsTimestamps && millis >= 0 ? millis : Infinity;
  }

  isOld(timestamp: number, now: number): boolean {
    return now - timestamp > this.#retentionMillis;
  }
  look(timestamp: number, now: number): void {
    if (this.#isDenied && timestamp >= 0 && isPast(timestamp, now)) this.#hasPast = true;
    if (!this.isOld(timestamp, now)) return;
    this.#rows++;
    if (timestamp < this.#oldest) this.#oldest = timestamp;
  }

  /** An old row may be written. */
  hasWarned(now: number): boolean {
    return this.#isRead || (this.#warnsSince !== undefined && now - this.#warnsSince >= unreadMillis);
  }
  /** An old row waits for the warning. Returns when it waits no longer. */
  warn(now: number): number {
    this.#warnsSince ??= now;
    return this.#warnsSince + unreadMillis;
  }
  /** A sentence, or undefined if no row is too old. */
  readNote(): string | undefined {
    if (this.#rows === 0) return this.#hasPast ? this.#denied : undefined;
    this.#isRead = true;
    const rows = this.#rows.toLocaleString('en-US');
    return `${this.#keeps}, and ${rows} ${this.#rows === 1 ? 'row is' : 'rows are'} older (the oldest ${isoOf(this.#oldest)}): the broker deletes them within minutes. ${wayOut}`;
  }
  /** Of rows that are not written yet. */
  warningOf(oldest: number, now: number): string | undefined {
    if (this.#isDenied && isPast(oldest, now)) return this.#denied;
    if (!this.isOld(oldest, now)) return undefined;
    return `${this.#keeps}, and rows of this sink are older (the oldest ${isoOf(oldest)}): when they are written, the broker deletes them within minutes. ${wayOut}`;
  }
  get #denied(): string {
    return `topic "${this.#topic}" may delete old rows of this sink at once: how long it keeps rows is not known, because the right DESCRIBE_CONFIGS on it is missing`;
  }
  get #keeps(): string {
    return `topic "${this.#topic}" keeps rows for ${span(this.#retentionMillis)}`;
  }
}

const wayOut = 'Raise its retention.ms, or give to() another `timestamp`';

function isoOf(millis: number): string {
  return Number.isNaN(new Date(millis).getTime()) ? `${millis} ms since 1970` : new Date(millis).toISOString();
}

function span(millis: number): string {
  const [amount, unit] =
    millis >= 2 * dayMillis
      ? [millis / dayMillis, 'days']
      : millis >= 2 * hourMillis
        ? [millis / hourMillis, 'hours']
        : [millis / 1000, 'seconds'];
  return `${Number(amount.toFixed(1)).toLocaleString('en-US')} ${unit}`;
}
