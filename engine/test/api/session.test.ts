// Parameters of a notebook and the options of its session.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Builder, runWithBuilder } from '../../api/builder.ts';
import { configure, param } from '../../index.ts';

const withParams = <R>(params: Record<string, string>, cell: () => R): R =>
  runWithBuilder(new Builder({ group: 'cell', params }), cell);

test('a parameter has the type of its default', () => {
  assert.deepEqual(
    withParams({ size: '5m', n: '1e3', dry: 'true' }, () => [
      param<string>('size', '1m'),
      param<number>('n', 7),
      param<boolean>('dry', false),
      param<number>('other', 7),
    ]),
    ['5m', 1000, true, 7],
  );
});

test('a parameter that does not fit its default is an error with its name', () => {
  for (const [name, given, byDefault] of [
    ['n', 'ten', 7],
    ['n', '', 7],
    ['dry', 'yes', false],
  ] as const)
    assert.throws(() => withParams({ [name]: given }, () => param<number | boolean>(name, byDefault)), {
      message: new RegExp(`"${name}"`),
    });
});

test('the builder knows which parameters were asked for', () => {
  const builder = new Builder({ group: 'cell' });
  runWithBuilder(builder, () => param<number>('minutes', 5));
  assert.deepEqual([...builder.paramsRead], ['minutes']);
  assert.equal(param<number>('minutes', 5), 5);
});

test('a later configure adds to an earlier one', () => {
  const builder = new Builder({ group: 'cell' });
  runWithBuilder(builder, () => {
    configure({ parallelism: 1, record: false });
    configure({ mode: 'continuous' });
  });
  assert.deepEqual(builder.fragment().options, { parallelism: 1, record: false, mode: 'continuous' });
});
