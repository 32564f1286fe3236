// How vitest runs the tests: one project for each kind. `npx vitest` alone runs the unit tests.
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { parseCLI } from 'vitest/node';
import { filesOf, integrationKinds, limitSeconds, testFiles } from './.ci/kinds.ts';

export default defineConfig({
  test: {
    ...(runsAll() ? { project: ['unit'] } : {}),
    pool: 'forks',
    maxWorkers: 2,
    // Node itself loads the tests and the sources. Vite's module runner rewrites the text of
    // functions, and fingerprints and fused loops are made of that text. No test mocks a module, so
    // vitest's loader is not needed either.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Most files import the whole engine, which takes longer than their tests. So the files
          // share two processes, and each module is loaded once.
          isolate: false,
          include: [testFiles],
          exclude: ['**/node_modules/**', ...integrationKinds.map(filesOf)],
          testTimeout: limitSeconds.unit * 1000,
          hookTimeout: limitSeconds.unit * 1000,
        },
      },
      ...integrationKinds.map((kind) => ({
        extends: true as const,
        test: {
          name: kind,
          include: [filesOf(kind)],
          // These start processes and servers, so they run one file at a time.
          fileParallelism: false,
          testTimeout: limitSeconds.integration * 1000,
          hookTimeout: limitSeconds.integration * 1000,
        },
      })),
    ],
  },
});

/** True if the command line names no file and no project. An editor has its own command line. */
function runsAll(): boolean {
  if (!/^vitest(\.mjs|\.js)?$/.test(basename(process.argv[1] ?? ''))) return false;
  const { filter, options } = parseCLI(['vitest', ...process.argv.slice(2)]);
  return filter.length === 0 && options.project === undefined;
}
