// Declarations of keyed state, as `state: { last: valueState<Order>() }` holds them. The state itself is in the context of a call.
import { notYet, SluiceError } from '../error.ts';
import { readOptions } from './options.ts';
import { describe, type Parameters } from './parameters.ts';
import type * as S from './surface.ts';

class StateDeclaration {
  readonly kind: 'value';
  constructor(kind: 'value') {
    this.kind = kind;
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
  if (ttl !== undefined || refresh !== undefined) notYet('times to live of state (ttl)');
  return new StateDeclaration('value');
};
export const listState: typeof S.listState = () => notYet('list states');
export const mapState: typeof S.mapState = () => notYet('map states');

/** `parameters.state` of a process operator: by name, what kind of state it is. */
export function stateParameters(spec: unknown): Parameters {
  if (spec === undefined) return {};
  if (spec === null || typeof spec !== 'object')
    throw new SluiceError('bad-state', `The state of process() is { name: valueState(), … }, not ${describe(spec)}.`);
  const entries = Object.entries(spec).map(([name, declared]: [string, unknown]) => {
    if (!(declared instanceof StateDeclaration))
      throw new SluiceError('bad-state', `State "${name}" is ${describe(declared)}. It must be made by valueState().`);
    return [name, { kind: declared.kind }] as const;
  });
  return Object.fromEntries(entries);
}
