// An operator's stable identity: its place in the user's text (group, variable, verb and ordinal of
// that verb). Inserting a map moves no state.
import { SluiceError } from '../errors/error.ts';

/**
 * `group/variable/verb#ordinal`. A statement without a variable has `_`. Without a group
 * (Environment), absent parts are left out.
 */
function formatUid(group: string, variable: string, verb: string, ordinal: number): string {
  const place = group === '' ? [variable] : [group, variable === '' ? '_' : variable];
  return [...place, `${verb}#${ordinal}`].filter((part) => part !== '').join('/');
}

/** The variable of an operator. undefined: it has none, or an id of the user's own. */
export function variableOf(uid: string): string | undefined {
  const variable = /([^/]+)\/[^/]+#\d+$/.exec(uid)?.[1];
  return variable === '_' ? undefined : variable;
}
/** The method that the user called: "map". */
export function verbOf(uid: string): string | undefined {
  return /([^/]+)#\d+$/.exec(uid)?.[1];
}

/** Numbers the operators: each (variable, verb) counts from 1. */
export class UidCounter {
  readonly #last = new Map<string, number>();
  readonly #group: string;
  constructor(group: string) {
    this.#group = group;
  }
  next(variable: string, verb: string): string {
    const place = `${variable}\u0000${verb}`;
    const ordinal = (this.#last.get(place) ?? 0) + 1;
    this.#last.set(place, ordinal);
    return formatUid(this.#group, variable, verb, ordinal);
  }
}

/**
 * Checks an argument of `.id()`. A tilde is not allowed, because it separates an instance's lane
 * from its uid.
 */
export function checkUid(uid: unknown): string {
  if (typeof uid !== 'string' || uid.trim() === '')
    throw new SluiceError('bad-id', `An operator's id is a text, not ${JSON.stringify(uid) ?? typeof uid}.`);
  if (/[~\u0000-\u001f]/.test(uid))
    throw new SluiceError('bad-id', `The id ${JSON.stringify(uid)} holds "~" or a control character. Choose another.`);
  return uid;
}
