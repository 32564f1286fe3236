// Declarations of keyed state, as `state: { last: valueState<Order>() }` holds them. The state itself is in the context of a call.
import { notYet, SluiceError } from '../error.ts';
import type { Json } from '../graph/plan.ts';
import type { ValueStateSpec } from '../state/value-state.ts';
import { parseDuration } from '../time/duration.ts';
import { oneOf, positiveNumber, readOptions } from './options.ts';
import { describe, type Parameters } from './parameters.ts';
import type * as S from './surface.ts';

class StateDeclaration {
  readonly spec: ValueStateSpec;
  constructor(spec: ValueStateSpec) {
    this.spec = spec;
  }
  get state(): never {
    throw new SluiceError(
      'misplaced-state',
      'A state declaration holds no state: use the one in the context, onElement(element, { state }).',
    );
  }
}

export const valueState: typeof S.valueState = (options) => {
  const { ttl, refresh } = readOptions('valueState()', options, ['ttl', 'refresh']);
  if (ttl === undefined) {
    if (refresh !== undefined) throw new SluiceError('bad-option', 'valueState() has a refresh but no ttl. Add ttl.');
    return new StateDeclaration({ kind: 'value' });
  }
  const ttlMillis = positiveNumber('The ttl of valueState()', parseDuration(ttl, 'The ttl of valueState()'));
  return new StateDeclaration({
    kind: 'value',
    ttlMillis,
    ...(refresh !== undefined && {
      refresh: oneOf('The refresh of valueState()', refresh, ['write', 'read-write'] as const),
    }),
  });
};
export const listState: typeof S.listState = () => notYet('list states');
export const mapState: typeof S.mapState = () => notYet('map states');

/** `parameters.state` of a process operator, by name; and what its state looks like. */
export function stateParameters(spec: unknown): { parameters: Parameters; shape: Json } {
  if (spec === undefined) return { parameters: {}, shape: [] };
  if (spec === null || typeof spec !== 'object')
    throw new SluiceError('bad-state', `The state of process() is { name: valueState(), … }, not ${describe(spec)}.`);
  const specs = Object.entries(spec).map(([name, declared]: [string, unknown]) => {
    if (!(declared instanceof StateDeclaration))
      throw new SluiceError('bad-state', `State "${name}" is ${describe(declared)}. It must be made by valueState().`);
    return [name, declared.spec] as const;
  });
  return {
    parameters: Object.fromEntries(specs.map(([name, declared]) => [name, { ...declared }])),
    // Another time to live keeps the state; whether there is one changes what is stored.
    shape: specs.map(([name, { kind, ttlMillis }]) => [name, kind, ttlMillis !== undefined]),
  };
}
