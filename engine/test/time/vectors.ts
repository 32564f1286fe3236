// Vectors recorded from other engines. They are beside the repository, not in it.
// Without them, tests that need them print that they are skipped. On CI they fail.
import { existsSync, readFileSync } from 'node:fs';
import { reportSkipped } from '../../../.ci/in-ci.ts';

const folder = new URL('../../../../shared/vectors/', import.meta.url);

export function vectors<V>(file: string): { readonly skip: false; readonly data: V } | { readonly skip: true } {
  const path = new URL(file, folder);
  if (existsSync(path)) return { skip: false, data: JSON.parse(readFileSync(path, 'utf8')) as V };
  reportSkipped(`SKIPPED: the vectors ${file} are not at ../shared/vectors`);
  return { skip: true };
}
