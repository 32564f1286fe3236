// The values that functions of a plan capture, as JSON.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { constantValues } from '../../export/constants-thread.ts';
import { exportability, targets } from '../../export/exportability.ts';
import { jobPlan } from './job-plan.ts';
import { planValue } from './plan-values.ts';
import { rowTypeText } from '../../export/row-types.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-plan-'));
const notebook = join(folder, 'n.sluice.ts');
const service = new NotebookLanguageService({ notebook });
afterAll(() => {
  service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const values = `import { basename } from 'node:path';
import { from, param } from 'sluice';
const rows = from([1, 2]);
const low = -2;
const big = 9007199254740993n;
const rates = new Map([['CHF', { rate: 0.5, since: new Date(5) }]]);
rates.set('EUR', { rate: 2, since: new Date(7) });
const limit = param('limit', 3);
const twice = (n: number): number => n * 2;
const parts = { twice, low };
`;
const out = 'rows.filter((n) => n > low).sink((n) => void [n, big, rates, limit, twice(n), parts, basename]);';

test('the plan has the values of constants, for each target, and says where others come from', async () => {
  service.update([
    { id: 'values', kind: 'code', text: values },
    { id: 'out', kind: 'code', text: out },
  ]);
  for (const target of targets) {
    const found = exportability(notebook, target, service.typed());
    const { captured, ...plan } = await jobPlan(notebook, found, await constantValues(notebook, found));
    assert.deepEqual(JSON.parse(JSON.stringify(captured)), captured);
    assert.deepEqual(
      captured!.map(({ name, cell, kind, type }) => `${cell} ${name} ${kind} ${type ? rowTypeText(type) : ''}`),
      [
        'values low constant double',
        'values big constant long',
        'values rates constant map<string, row<rate: double, since: timestamp>>',
        'values limit start double',
        'values twice code ',
        'values parts code row<twice: any, low: double>',
        'values basename import ',
      ],
    );
    const valueOf = (name: string): unknown => captured!.find((one) => one.name === name)!.value;
    assert.equal(valueOf('low'), -2);
    assert.deepEqual(valueOf('big'), { type: 'long', text: '9007199254740993' });
    const rate = (one: number, millis: number) => ({
      type: 'row',
      fields: { rate: one, since: { type: 'timestamp', millis } },
    });
    assert.deepEqual(valueOf('rates'), {
      type: 'map',
      entries: [
        ['CHF', rate(0.5, 5)],
        ['EUR', rate(2, 7)],
      ],
    });
    assert.equal(plan.nodes.length, 3);
  }
});

test('each value of data is JSON, and different values are different JSON', () => {
  const data: readonly (readonly [unknown, unknown])[] = [
    [null, null],
    [undefined, { type: 'undefined' }],
    ['long', 'long'],
    [true, true],
    [1.5, 1.5],
    [-0, { type: 'double', text: '-0' }],
    [NaN, { type: 'double', text: 'NaN' }],
    [-Infinity, { type: 'double', text: '-Infinity' }],
    [-3n, { type: 'long', text: '-3' }],
    [new Date(NaN), { type: 'timestamp', millis: null }],
    [
      [1, [2n]],
      [1, [{ type: 'long', text: '2' }]],
    ],
    [new Uint8Array([1, 255]), { type: 'bytes', base64: 'Af8=' }],
    [Buffer.from([1]), { type: 'bytes', base64: 'AQ==' }],
    [new Float32Array([1]), { type: 'numbers', of: 'Float32Array', base64: 'AACAPw==' }],
    [new Uint8Array([1]).buffer, { type: 'numbers', of: 'ArrayBuffer', base64: 'AQ==' }],
    [new Set(['a']), { type: 'set', of: ['a'] }],
    [/a+/gu, { type: 'pattern', source: 'a+', flags: 'gu' }],
    [
      { type: 'long', text: '2' },
      { type: 'row', fields: { type: 'long', text: '2' } },
    ],
  ];
  for (const [value, expected] of data) {
    const found = planValue(value);
    assert.deepEqual(found, expected);
    assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
  }
  const named = planValue(JSON.parse('{"__proto__": 3}')) as { readonly fields: object };
  assert.deepEqual(Object.entries(named.fields), [['__proto__', 3]]);
});
