// Records that could not be read or have no event time: they are counted, and go to the port `errors` with the cause and the place.
import { variableOf } from '../graph/uid.ts';
import { described } from '../values/kind.ts';
import type { SourceContext, SourceStatus } from '../contract/source.ts';

type RejectedStatus = Pick<SourceStatus, 'emitted' | 'errors' | 'firstRejection' | 'waiting'>;

/** A snapshot carries it: the count goes on after a restore. */
export interface RejectedState {
  readonly count: number;
  readonly first?: string;
}

export class RejectedRecords {
  count = 0;
  /** Place and problem of the first one, and of the last one since the source was opened. */
  #first: string | undefined;
  #last: string | undefined;
  readonly #context: SourceContext;

  constructor(context: SourceContext) {
    this.#context = context;
  }
  restore({ count, first }: RejectedState): void {
    this.count = count;
    this.#first = first;
  }
  snapshot(): RejectedState {
    return { count: this.count, ...(this.#first !== undefined && { first: this.#first }) };
  }

  /** `problem` is a sentence; `place` says where the record is, `offset` the same for programs. `raw` is asked for only when somebody reads. */
  add(problem: string, place: string, offset: number, emitted: number, raw: () => string): void {
    this.count++;
    const last = `${place}: ${problem}`;
    this.#last = last;
    this.#first ??= last;
    const { output, clock } = this.#context;
    if (!output.hasReader('errors')) return;
    const share = `${this.count.toLocaleString('en-US')} of ${(this.count + emitted).toLocaleString('en-US')} so far`;
    const error = `${last} It went to ${errorsOf(this.#context)}; ${share}.`;
    output.emitTo('errors', { offset: String(offset), raw: raw(), error }, clock.now());
  }

  /** For a source's status: what was rejected, and why nothing comes when that is the reason. */
  status(emitted: number, time: { readonly waiting: string | undefined } | undefined): RejectedStatus {
    const last = this.#last ?? this.#first;
    const useless = last !== undefined && emitted === 0 ? `no record is usable: ${last}` : undefined;
    const waiting = time?.waiting ?? useless;
    return {
      emitted,
      errors: this.count,
      ...(this.#first !== undefined && { firstRejection: this.#first }),
      ...(waiting !== undefined && { waiting }),
    };
  }
}

/** As the user writes it where the stream has a name: "orders.errors". */
function errorsOf({ uid, name }: SourceContext): string {
  const variable = variableOf(uid);
  if (variable !== undefined) return `${variable}.errors`;
  return name.includes(' ') ? `the errors of ${name}` : `${name}.errors`;
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
