// Bundles the kernel of the chaos as the kernel ships: so it starts in half the time.
import { join } from 'node:path';
import { bundled, bundleOptions, bundles } from '../../../.ci/build/bundles.ts';

/** The path of the bundle in this folder. */
export async function bundleKernel(folder: string): Promise<string> {
  const shippedKernel = bundles.find(({ name }) => name === 'kernel')!;
  const entries = { killable: 'kernel/test/chaos/killable-kernel.ts' };
  await bundled(join(import.meta.dirname, '../../..'), {
    ...bundleOptions({ ...shippedKernel, entries }),
    outdir: folder,
  });
  return join(folder, 'killable.cjs');
}
