// What keeps a reader from reading at present: each trouble with its subject (a partition, a
// broker, the first contact), its reason and its begin. The trouble of one subject hides no other.

export interface Trouble {
  /** "orders[3]"; absent: the reason is a sentence of its own. */
  readonly subject?: string;
  /** Without a full stop. */
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** It is tried again. Otherwise the reader waits for others. */
  readonly isRetried: boolean;
  /** It may have begun earlier: `since` is when the reader noticed it. */
  readonly isAtLeast?: boolean;
}

export class Troubles {
  readonly #present = new Map<string, Trouble>();
  readonly #onChange: (troubles: readonly Trouble[]) => void;

  constructor(onChange: (troubles: readonly Trouble[]) => void) {
    this.#onChange = onChange;
  }

  /** Something fails, and is tried again. `subject`: the name of a partition, or `contact`. */
  fails(subject: string, reason: string): void {
    this.#begin(subject, { ...(subject !== contact && { subject }), reason, isRetried: true });
  }
  /** The reader waits for somebody else. `key` is not shown. `since`: its begin, by default now. */
  waits(key: string, sentence: string, begin: { readonly since?: number; readonly isAtLeast?: boolean } = {}): void {
    this.#begin(key, { reason: sentence, isRetried: false, ...begin });
  }
  end(key: string): void {
    if (this.#present.delete(key)) this.#changed();
  }

  #begin(
    key: string,
    { reason: sentence, since: begin, ...trouble }: Omit<Trouble, 'since'> & { since?: number },
  ): void {
    const reason = sentence.replace(/\.$/, '');
    const known = this.#present.get(key);
    const since = begin ?? known?.since ?? Date.now();
    if (known?.reason === reason && known.since === since) return;
    this.#present.set(key, { ...trouble, reason, since });
    this.#changed();
  }
  #changed(): void {
    this.#onChange([...this.#present.values()]);
  }
}

/** Of a source and of a sink. */
export function throttledBy(node: number): string {
  return `broker ${node} makes this client wait because of its quota`;
}

/** The subject of troubles with all brokers. */
export const contact = 'contact';

const dayMillis = 86_400_000;
const shownReasons = 3;
const shownSubjects = 4;
/** A short wait for others is ordinary. */
export const ordinaryWaitMillis = 2_000;

/** As a status shows them; undefined: there is nothing to show. */
export function describeTroubles(troubles: readonly Trouble[], now: number): string | undefined {
  const shown = troubles.filter(({ isRetried, since }) => isRetried || now - since >= ordinaryWaitMillis);
  if (shown.length === 0) return undefined;
  const byReason = [...Map.groupBy(shown, ({ reason }) => reason).values()];
  const texts = byReason.slice(0, shownReasons).map((group) => {
    const subjects = group.flatMap(({ subject }) => subject ?? []);
    const first = group.reduce((a, b) => (b.since < a.since ? b : a));
    const since = `${timeOf(first.since, now)}${first.isAtLeast ? ' or earlier' : ''}`;
    return `${waiting(subjects)}${first.reason} (since ${since})`;
  });
  if (byReason.length > shownReasons) texts.push(`${byReason.length - shownReasons} other troubles`);
  return `${texts.join('; ')}${shown.some(({ isRetried }) => isRetried) ? '; trying again' : ''}`;
}
function waiting(subjects: readonly string[]): string {
  if (subjects.length === 0) return '';
  const rest = subjects.length > shownSubjects ? ` and ${subjects.length - shownSubjects} more` : '';
  return `${subjects.slice(0, shownSubjects).join(', ')}${rest} ${subjects.length > 1 ? 'wait' : 'waits'}: `;
}
/** The time of day is enough for the last day. */
function timeOf(millis: number, now: number): string {
  if (now - millis >= dayMillis) return dayAndTime(millis);
  return new Date(millis).toTimeString().slice(0, 8);
}
/** "2024-05-01 10:04:59", in the zone of this machine. */
export function dayAndTime(millis: number): string {
  return new Date(millis).toLocaleString('sv-SE');
}
