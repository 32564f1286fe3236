// Tells which call of user code lasts, while it lasts: an end of the process leaves no time for it.
// A call that is over within a tenth of a second is not told; an allocation that V8 cannot make
// takes longer, because V8 first collects all garbage.
import type { Whereabouts } from '../executor/executor-protocol.ts';

/** Without a cell: in a timer or a callback, whose cell is not known. */
export type LastingCall = Whereabouts | { readonly cell: undefined; readonly operator?: undefined };

const lookEveryMillis = 50;
const lastsMillis = 100;

export class LastingCalls {
  readonly #look: () => LastingCall | undefined;
  readonly #tell: (call: LastingCall | undefined) => void;
  #told: LastingCall | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(look: () => LastingCall | undefined, tell: (call: LastingCall | undefined) => void) {
    this.#look = look;
    this.#tell = tell;
  }
  start(): void {
    this.#timer = setInterval(() => this.#see(this.#look()), lookEveryMillis);
    this.#timer.unref();
  }
  stop(): void {
    clearInterval(this.#timer);
    this.#see(undefined);
  }

  #see(at: LastingCall | undefined): void {
    const call = at && (!('millis' in at) || at.millis >= lastsMillis) ? at : undefined;
    const told = this.#told;
    if (!call === !told && call?.cell === told?.cell && call?.operator === told?.operator) return;
    this.#told = call;
    this.#tell(call);
  }
}
