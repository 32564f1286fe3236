// Records that cannot be read or have no event time. They are counted, and emitted to the port
// `errors` with the cause and the place.
import { variableOf } from '../graph/uid.ts';
import { described } from '../values/kind.ts';
import type { SourceContext, SourceStatus } from '../contract/source.ts';

type RejectedStatus = Pick<SourceStatus, 'emitted' | 'errors' | 'firstRejection' | 'waiting'>;

/** The part of a snapshot that lets the count continue after a restore. */
export interface RejectedState {
  readonly count: number;
  readonly first?: string;
}

export class RejectedRecords {
  count = 0;
  /**
   * Place and problem of the first rejected record, and of the last one since the source was
   * opened.
   */
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

  /**
   * `problem` is a sentence. `place` is the record's place for people, `offset` the same for
   * programs. `raw` is called only when `errors` has a reader.
   */
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

  /**
   * The part of a source's status about rejected records. When no record was usable so far,
   * it is the reason for waiting.
   */
  status(emitted: number, time: { readonly waiting: string | undefined } | undefined): RejectedStatus {
    const last = this.#last ?? this.#first;
    const useless = last !== undefined && emitted === 0 ? `no record was usable so far: ${last}` : undefined;
    const waiting = time?.waiting ?? useless;
    return {
      emitted,
      errors: this.count,
      ...(this.#first !== undefined && { firstRejection: this.#first }),
      ...(waiting !== undefined && { waiting }),
    };
  }
}

/** The user's expression for the side output, if the stream has a name: "orders.errors". */
function errorsOf({ uid, name }: SourceContext): string {
  const variable = variableOf(uid);
  if (variable !== undefined) return `${variable}.errors`;
  return name.includes(' ') ? `the errors of ${name}` : `${name}.errors`;
}

/** An element as a text. An element without a JSON text is described. */
export function rawText(element: unknown): string {
  try {
    return JSON.stringify(element) ?? String(element);
  } catch {
    // It has a cycle or a bigint, or its own method threw.
    return described(element);
  }
}
