// What the check for advisories makes of npm's answers. The question itself is asked by `npm test`.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { lockOf, readReport, shippedPackages } from '../../.ci/advisories.ts';

test('an advisory is named with its package, its versions and its address', () => {
  const advisory = { title: 'Slow expression', range: '<1.0.3', url: 'https://example.org/1', severity: 'high' };
  const answer = {
    auditReportVersion: 2,
    vulnerabilities: { semver: { via: [advisory] }, brings: { via: ['semver'] } },
  };
  assert.deepEqual(readReport(JSON.stringify(answer)), {
    kind: 'checked',
    found: ['semver <1.0.3: Slow expression https://example.org/1'],
  });
});

test('no advisory is none, and a service that does not answer is not taken for none', () => {
  assert.deepEqual(readReport('{"auditReportVersion":2,"vulnerabilities":{}}'), { kind: 'checked', found: [] });
  const refused = '{"message":"405 Method Not Allowed - POST https://example.org/bulk","statusCode":405}';
  assert.deepEqual(readReport(refused), { kind: 'not-reachable', reason: '405 Method Not Allowed - POST' });
  assert.deepEqual(readReport('npm error network'), { kind: 'not-reachable', reason: 'npm error network' });
  assert.deepEqual(readReport(''), { kind: 'not-reachable', reason: 'npm audit printed nothing' });
});

test('npm is asked about every package in a bundle and about no other, two versions of one included', async () => {
  const packages = await shippedPackages();
  const names = packages.map(({ name }) => name);
  assert.ok(
    ['typescript', 'ws', 'vega', 'd3-array'].every((name) => names.includes(name)),
    String(names),
  );
  assert.ok(!names.includes('esbuild') && !names.includes('vitest'));
  const twice = [...packages, { name: 'ws', version: '7.0.0' }];
  const { packages: locked } = lockOf(twice) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  const asked = Object.entries(locked)
    .filter(([folder]) => folder !== '')
    .map(([folder, { version }]) => ({ name: folder.replace(/^.*node_modules\//, ''), version }));
  assert.deepEqual(asked, twice);
});
