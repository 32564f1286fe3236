// Counts rows that the topic's retention is about to delete. A broker deletes what is older than
// retention.ms within minutes, so a replay of old data may leave nothing in the topic.

const dayMillis = 86_400_000;
const hourMillis = 3_600_000;

export class RetentionWatch {
  readonly #topic: string;
  /** Infinity: the topic deletes nothing by age. */
  readonly #retentionMillis: number;
  #rows = 0;
  #oldest = Infinity;

  constructor(topic: string, settings: ReadonlyMap<string, string>) {
    this.#topic = topic;
    const millis = Number(settings.get('retention.ms') ?? NaN);
    const deletes = (settings.get('cleanup.policy') ?? '').split(',').includes('delete');
    // With this setting the broker replaces a row's timestamp by the time of its arrival.
    const keepsTimestamps = settings.get('message.timestamp.type') !== 'LogAppendTime';
    this.#retentionMillis = deletes && keepsTimestamps && millis >= 0 ? millis : Infinity;
  }

  look(timestamp: number, now: number): void {
    if (now - timestamp <= this.#retentionMillis) return;
    this.#rows++;
    if (timestamp < this.#oldest) this.#oldest = timestamp;
  }

  /** A sentence, or undefined if no row is too old. */
  get note(): string | undefined {
    if (this.#rows === 0) return undefined;
    const rows = this.#rows.toLocaleString('en-US');
    const oldest = new Date(this.#oldest).toISOString();
    return `topic "${this.#topic}" keeps rows for ${span(this.#retentionMillis)}, and ${rows} ${this.#rows === 1 ? 'row is' : 'rows are'} older (the oldest ${oldest}): the broker deletes them within minutes. Raise its retention.ms, or give to() another \`timestamp\``;
  }
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
