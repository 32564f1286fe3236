// The runtime of a job: one file with the engine, and its source map. In a packed build both lie
// beside this bundle. From sources they are bundled now, in the way of the build.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { loadBundler } from './bundler.ts';

export interface JobRuntime {
  readonly code: string;
  readonly map: string;
}

const packed = 'job.cjs';

export async function jobRuntime(): Promise<JobRuntime> {
  const here = import.meta.dirname;
  const file = join(here, packed);
  if (existsSync(file)) return { code: readFileSync(file, 'utf8'), map: readFileSync(`${file}.map`, 'utf8') };
  return bundledNow(join(here, '../..'));
}

interface Bundles {
  readonly bundles: readonly { readonly name: string }[];
  readonly bundleOptions: (bundle: object) => BuildOptions;
}

async function bundledNow(root: string): Promise<JobRuntime> {
  // The options of the build are no part of what ships, so a bundle does not have them.
  const build = new URL('../../.ci/build/bundles.ts', import.meta.url).href;
  const { bundles, bundleOptions } = (await import(build)) as Bundles;
  const options = bundleOptions(bundles.find(({ name }) => name === 'job')!);
  const { build: bundle } = await loadBundler();
  const { outputFiles = [] } = await bundle({ ...options, absWorkingDir: root, bundle: true, write: false });
  const textOf = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
  return { code: textOf(packed), map: textOf('.map') };
}
