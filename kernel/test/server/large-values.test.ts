// Eleven texts and eleven buffers of 50 MB in a display, in a real kernel: it does not keep them,
// and a client gets none.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { keptBytes } from '../../protocol/kept-rows.ts';
import { code, Kernels, until, watch } from './kernels.ts';

/** Flat texts. A repeated one shares its memory. */
const cells = {
  large: `import { from } from 'sluice';
from(Array.from({ length: 11 }, (_, n) => n))
  .map((n) => ({ n, text: Buffer.alloc(50_000_000, 97 + n).toString('latin1'), bytes: new Uint8Array(50_000_000).fill(n) }))
  .show();`,
  good: 'from([1, 2]).show();',
};
/** The values together are 1.1 GB. Texts of half of that had once taken 1.7 GB. */
const mostMegabytes = 1_200;
const mostAtRest = 500;

/** Resident memory of a process in megabytes: now, and the most it has been. */
function residentMegabytes(pid: number): { readonly now: number; readonly most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) / 1024;
  return { now: megabytes('VmRSS'), most: megabytes('VmHWM') };
}

test('the kernel and its client stay far below the memory of all values', { timeout: 300_000 }, async (t) => {
  t.skip(process.platform !== 'linux', 'memory is read from /proc');
  const kernels = new Kernels(t);
  const session = await kernels.connect(kernels.notebook());
  await session.request('sync', { cells: code(cells) });
  const view = watch(session, 'large');
  for (const { ok, error } of await session.request('run', { cells: ['large', 'good'] })) assert.ok(ok, error?.message);
  const total = (): number => view.parts.reduce((sum, part) => sum + (part.kind === 'table' ? part.total : 0), 0);
  await until(() => total() === 11, 'all rows');
  const { most } = residentMegabytes(session.entry.pid);
  assert.ok(most < mostMegabytes, `${most} MB`);
  // Garbage is collected when more is made.
  await until(() => residentMegabytes(session.entry.pid).now < mostAtRest, 'the values to be forgotten');
  const sent = JSON.stringify(view.messages).length;
  assert.ok(sent < keptBytes, `${sent} bytes were sent to the client`);
});
