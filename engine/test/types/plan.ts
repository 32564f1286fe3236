// The plan as types. Parameters are plain JSON, the kind determines their type, and a builder
// cannot declare others.
import { type Builder } from '../../api/builder.ts';
import type { UserFunction } from '../../api/parameters.ts';
import type { Kind, OperatorKind, SinkKind, SourceKind, StageKind } from '../../graph/kinds.ts';
import type { FunctionRef, Json } from '../../graph/spec.ts';
import type { NodeOf, PlanNode } from '../../graph/plan.ts';

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;
/** The value's type is exactly T. */
declare function expectType<T>(): <V>(value: V, ...wrong: Same<V, T> extends true ? [] : [never]) => void;

declare const node: PlanNode;
declare const builder: Builder;
declare const fn: UserFunction;

// The parameters of every kind are JSON.
export const json: Json = node.parameters;

// The kind determines the type of the parameters.
if (node.kind === 'take') expectType<number>()(node.parameters.n);
if (node.kind === 'map') expectType<FunctionRef>()(node.parameters.fn);
// @ts-expect-error a node of any kind has no parameters of one kind
void node.parameters.n;
declare const take: NodeOf<'take'>;
export const some: PlanNode = take;
// @ts-expect-error another kind has other parameters
export const other: NodeOf<'map'> = take;

// A builder declares the parameters of the kind.
builder.declare({ verb: 'take', kind: 'take', parameters: { n: 3 } });
builder.declare({ verb: 'map', kind: 'map', parameters: { fn } });
// @ts-expect-error `n` is a number
builder.declare({ verb: 'take', kind: 'take', parameters: { n: '3' } });
// @ts-expect-error `fn` is missing
builder.declare({ verb: 'map', kind: 'map', parameters: {} });
// @ts-expect-error a union has no parameters
builder.declare({ verb: 'union', kind: 'union', parameters: { n: 3 } });
// @ts-expect-error a kind is spelled in camel case
builder.declare({ verb: 'mapAsync', kind: 'map-async', parameters: {} });

// The table has the kinds of each role.
declare const source: SourceKind;
declare const sink: SinkKind;
declare const stage: StageKind;
expectType<'generate' | 'from' | 'file' | 'kafka' | 'microBatches'>()(source);
expectType<'kafkaSink' | 'functionSink' | 'twoPhaseSink' | 'fileSink'>()(sink);
expectType<'map' | 'filter'>()(stage);
declare const operator: OperatorKind;
export const kind: Kind = operator;
// @ts-expect-error a source is no operator
export const wrong: OperatorKind = source;
