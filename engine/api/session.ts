// Parameters of a notebook and options of its session.
import { notYet, SluiceError } from '../errors/error.ts';
import type { MicroBatchMode } from '../graph/plan.ts';
import { parseDuration } from '../time/duration.ts';
import { builderFor, currentBuilder } from './builder.ts';
import { checkpointSettings, restartStrategy } from './fault-tolerance.ts';
import { oneOf, positiveNumber, readOptions, wholeNumber } from './options.ts';
import { describe } from './parameters.ts';
import type * as S from './surface.ts';

export const configure: typeof S.configure = (options) => {
  const builder = builderFor('configure', undefined);
  builder.options = { ...builder.options, ...checkSessionOptions('configure()', options) };
};

/**
 * Checks the options, and refuses those that this version does not implement. Also for `new
 * Environment(options)`.
 */
export function checkSessionOptions(where: string, given: unknown): S.SessionOptions {
  const known = ['mode', 'parallelism', 'checkpoint', 'restart', 'memory', 'record'];
  const options = readOptions(where, given, known);
  const { mode, parallelism, memory, record } = options;
  if (mode !== undefined && (mode === null || typeof mode !== 'object'))
    oneOf(`The mode of ${where}`, mode, ['continuous']);
  modeOf(options);
  if (parallelism !== undefined) {
    if (wholeNumber(`The parallelism of ${where}`, parallelism) === 0)
      throw new SluiceError('bad-option', `The parallelism of ${where} is 0: nothing would run.`);
    if (parallelism !== 1) notYet('parallel operators (parallelism above 1)');
  }
  const isOfNotebook = where === 'configure()';
  if (checkpointSettings(options) && !isOfNotebook) notYet(`checkpoints of ${where}`);
  const strategy = restartStrategy(options);
  if (strategy && strategy.kind !== 'none' && !isOfNotebook) notYet(`restarts of ${where}`);
  if (memory !== undefined) notYet('memory limits (memory)');
  if (record !== undefined && record !== false) notYet('recordings of sources (record)');
  return { ...options };
}

/** The mode in the plan; undefined: continuous. */
export function modeOf({ mode }: S.SessionOptions): MicroBatchMode | undefined {
  if (mode === undefined || mode === 'continuous') return undefined;
  const { microBatch } = readOptions('The mode', mode, ['microBatch']);
  const microBatchMillis = positiveNumber(
    'The interval of micro-batches',
    parseDuration(microBatch, 'mode.microBatch'),
  );
  return { microBatchMillis };
}

export const param: typeof S.param = <T extends string | number | boolean>(name: string, byDefault: T): T => {
  if (typeof name !== 'string' || name === '')
    throw new SluiceError('bad-param', `param() takes a name and a default, not ${describe(name)}.`);
  if (!['string', 'number', 'boolean'].includes(typeof byDefault))
    throw new SluiceError('bad-param', `param("${name}") needs a default that is a text, a number or a boolean.`);
  const builder = currentBuilder();
  builder?.paramsRead.add(name);
  const params = builder?.settings.params ?? {};
  // Every object inherits a "constructor"; only own properties are parameters.
  const given = Object.hasOwn(params, name) ? params[name] : undefined;
  return given === undefined ? byDefault : (parseParam(name, given, byDefault) as T);
};

function parseParam(name: string, given: string, byDefault: string | number | boolean): string | number | boolean {
  if (typeof byDefault === 'string') return given;
  if (typeof byDefault === 'boolean') return oneOf(`Parameter "${name}"`, given, ['true', 'false']) === 'true';
  const number = given.trim() === '' ? NaN : Number(given);
  if (Number.isFinite(number)) return number;
  throw new SluiceError('bad-param', `Parameter "${name}" is ${describe(given)}, but its default is a number.`);
}
