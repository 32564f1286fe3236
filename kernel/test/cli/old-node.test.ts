// `sluice` in a Node that is too old for it.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { start } from './sluice.ts';

test('an old Node is named, with the version that sluice needs', async () => {
  const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } });";
  const environment = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(old)}` };
  const { code, out, err } = await start(['--version'], { environment }).ended;
  assert.equal(err, 'sluice needs Node 24 or newer, and this is Node 20.19.0. Install it from https://nodejs.org.\n');
  assert.equal(out, '');
  assert.equal(code, 2);
});
