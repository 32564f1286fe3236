// The list of running sessions: to look at a session does not join it, and it can be shut down.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { runningSessions, shutDownSession } from '../../client/sessions.ts';
import { Kernels } from './kernels.ts';

test('sessions are listed with their cells and memory, without a client more', { timeout: 300_000 }, async (t) => {
  const kernels = new Kernels(t);
  const first = await kernels.connect(kernels.notebook('a.sluice.ts'));
  const second = await kernels.connect(kernels.notebook('b.sluice.ts'));
  await first.request('sync', { cells: [{ id: 'a', kind: 'code', text: 'const n = 1;' }] });
  await first.request('run', { cells: ['a'] });
  const listed = await runningSessions('test');
  assert.deepEqual(
    listed.map(({ entry }) => entry.session),
    [first, second].map(({ welcome }) => welcome.session),
  );
  const { welcome } = listed[0]!;
  assert.equal(welcome?.state.cells[0]?.phase, 'defined');
  assert.ok(welcome.memoryBytes! > 1e6);
  const [again] = await runningSessions('test');
  assert.equal(again?.welcome?.state.clients, 1, 'who looks is no client');
  await shutDownSession(listed[0]!.entry, 'test');
  assert.equal(await first.ended, 'The session was shut down.');
  assert.deepEqual(
    (await runningSessions('test')).map(({ entry }) => entry.session),
    [second.welcome.session],
  );
});
