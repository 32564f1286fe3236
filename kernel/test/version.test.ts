// A kernel reports the version of the package that it came in.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { build } from '../protocol/version.ts';

test('the build that kernels and clients compare is the version of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  assert.equal(build, version);
});
