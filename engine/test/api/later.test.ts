// Names of the contract that this version does not support. Each exists, and a cell that uses it
// gets an error.
/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- calls without the arguments that nobody looks at yet */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import * as sluice from '../../index.ts';
import { evaluate, nodeOf } from './evaluate.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
const api: any = sluice;

const later: Readonly<Record<string, () => unknown>> = {
  'graph panels': () => api.graph(),
  'sinks that write protobuf': () => api.from([1]).to('t', { format: 'protobuf' }),
  parallelism: () => api.configure({ parallelism: 2 }),
  memory: () => api.configure({ memory: { state: '1GB' } }),
  record: () => api.configure({ record: { size: '1GB' } }),
};
for (const [what, cell] of Object.entries(later))
  test(`${what} come later`, () => {
    assert.throws(
      () => evaluate(cell),
      (error: { code?: unknown; message?: unknown }) => {
        assert.equal(error.code, 'not-yet');
        assert.match(String(error.message), /^not-yet: .* come in a later version$/);
        assert.ok(String(error.message).includes(what.trim()), `${String(error.message)} does not name ${what}`);
        return true;
      },
    );
  });

test('options that ask for what is there anyway are accepted', () => {
  const fragment = evaluate(() => {
    sluice.configure({
      mode: 'continuous',
      parallelism: 1,
      checkpoint: false,
      restart: { kind: 'none' },
      record: false,
    });
    sluice.from([1]).to('t', { delivery: 'at-least-once', format: 'json' });
  });
  assert.deepEqual(fragment.options, {
    mode: 'continuous',
    parallelism: 1,
    checkpoint: false,
    restart: { kind: 'none' },
    record: false,
  });
  assert.equal(nodeOf(fragment, 'kafkaSink').parameters['delivery'], 'at-least-once');
});

test('every value of the contract is there', () => {
  const contract = readFileSync(new URL('../../api/surface.ts', import.meta.url), 'utf8');
  const names = [...contract.matchAll(/^export declare (?:function|const|class) (\w+)/gm)].map((match) => match[1]!);
  assert.ok(names.length > 40);
  for (const name of new Set(names)) assert.ok(name in sluice, `${name} is missing`);
});
