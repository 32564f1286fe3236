// Declarations of keyed state, as in `state: { last: valueState<Order>() }`. The state itself is in
// the context of a call.
import { SluiceError } from '../errors/error.ts';
import type { Json } from '../graph/spec.ts';
import type { StateSpec, StateSpecs } from '../graph/state-spec.ts';
import { parseDuration } from '../time/duration.ts';
import { oneOf, positiveNumber, readOptions } from './options.ts';
import { describe } from './parameters.ts';
import type * as S from './surface.ts';

class StateDeclaration {
  readonly spec: StateSpec;
  constructor(spec: StateSpec) {
    this.spec = spec;
  }
  get state(): never {
    throw new SluiceError(
      'misplaced-state',
      'A state declaration holds no state: use the one in the context, onElement(element, { state }).',
    );
  }
}

/**
 * One value for each key. With `ttl`, the value expires that long after it was set, in processing
 * time. With refresh 'read-write': after it was set or read.
 */
export const valueState: typeof S.valueState = (options) => declared('value', options);
/**
 * A list for each key, in the order of `add`. With `ttl`, each element expires that long after it
 * was added. With 'read-write': after it was added or the list was read.
 */
export const listState: typeof S.listState = (options) => declared('list', options);
/**
 * A map for each key. Its keys may be any key value; a Date or an array is compared by its content.
 * Iteration is in the order in which keys were first set. With `ttl`, each entry expires that long
 * after it was set. With 'read-write': after it was set or read.
 */
export const mapState: typeof S.mapState = (options) => declared('map', options);

function declared(kind: StateSpec['kind'], options: unknown): StateDeclaration {
  const call = `${kind}State()`;
  const { ttl, refresh } = readOptions(call, options, ['ttl', 'refresh']);
  if (ttl === undefined) {
    if (refresh !== undefined) throw new SluiceError('bad-option', `${call} has a refresh but no ttl. Add ttl.`);
    return new StateDeclaration({ kind });
  }
  const ttlMillis = positiveNumber(`The ttl of ${call}`, parseDuration(ttl, `The ttl of ${call}`));
  return new StateDeclaration({
    kind,
    ttlMillis,
    ...(refresh !== undefined && {
      refresh: oneOf(`The refresh of ${call}`, refresh, ['write', 'read-write'] as const),
    }),
  });
}

/** `parameters.state` of a process operator by name, and the form of its state. */
export function stateParameters(spec: unknown, what = 'state'): { parameters: StateSpecs; shape: Json } {
  if (spec === undefined) return { parameters: {}, shape: [] };
  if (spec === null || typeof spec !== 'object')
    throw new SluiceError('bad-state', `The ${what} of process() is { name: valueState(), … }, not ${describe(spec)}.`);
  const specs = Object.entries(spec).map(([name, declared]: [string, unknown]) => {
    if (!(declared instanceof StateDeclaration))
      throw new SluiceError(
        'bad-state',
        `State "${name}" is ${describe(declared)}. It must be made by valueState(), listState() or mapState().`,
      );
    return [name, declared.spec] as const;
  });
  return {
    parameters: Object.fromEntries(specs.map(([name, declared]) => [name, { ...declared }])),
    // The state survives a change of the time to live. Adding or removing it changes the stored
    // form.
    shape: specs.map(([name, { kind, ttlMillis }]) => [name, kind, ttlMillis !== undefined]),
  };
}
