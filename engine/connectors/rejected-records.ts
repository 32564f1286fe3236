// Records that could not be read or have no event time: they are counted, and go to the port `errors` with the cause and the place.
import { variableOf } from '../graph/uid.ts';
import { described } from '../values/kind.ts';
import type { SourceContext } from '../contract/source.ts';

export class RejectedRecords {
  count: number;
  /** What is wrong with the last one, for who wonders why nothing comes. */
  last: string | undefined;
  readonly #context: SourceContext;

  constructor(context: SourceContext, count: number) {
    this.#context = context;
    this.count = count;
  }

  /** `problem` is a sentence; `place` says where the record is, `offset` the same for programs. `raw` is asked for only when somebody reads. */
  add(problem: string, place: string, offset: number, emitted: number, raw: () => string): void {
    this.count++;
    this.last = `${place}: ${problem}`;
    const { output, clock } = this.#context;
    if (!output.hasReader('errors')) return;
    const share = `${this.count.toLocaleString('en-US')} of ${(this.count + emitted).toLocaleString('en-US')} so far`;
    const error = `${this.last} It went to ${errorsOf(this.#context)}; ${share}.`;
    output.emitTo('errors', { offset: String(offset), raw: raw(), error }, clock.now());
  }

  /** For a source's status: nothing has come, and this is why. */
  waiting(emitted: number): { readonly waiting?: string } {
    return this.last !== undefined && emitted === 0 ? { waiting: `no record is usable: ${this.last}` } : {};
  }
}

/** As the user writes it where the stream has a name: "orders.errors". */
function errorsOf({ uid, name }: SourceContext): string {
  const variable = variableOf(uid);
  if (variable !== undefined) return `${variable}.errors`;
  return name.includes(' ') ? `the errors of ${name}` : `${name}.errors`;
}

/** For a source's status: why nothing comes, when there is a reason. */
export function waitingFor(
  time: { readonly waiting: string | undefined } | undefined,
  rejected: RejectedRecords,
  emitted: number,
): { readonly waiting?: string } {
  const waiting = time?.waiting;
  return waiting === undefined ? rejected.waiting(emitted) : { waiting };
}

/** An element as text, when it has no text of its own. */
export function rawText(element: unknown): string {
  try {
    return JSON.stringify(element) ?? String(element);
  } catch {
    // Cyclic, it holds a bigint, or a method of its own threw.
    return described(element);
  }
}
