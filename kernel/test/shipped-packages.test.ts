// The bundles contain exactly the packages in the dependencies of package.json. Tools are
// devDependencies.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { test } from 'vitest';
import { externalImports, importedPackages, packageFolders } from '../../.ci/build/bundled-packages.ts';
import { rendererOptions } from '../../.ci/build/bundle-renderer.ts';
import { bundled, bundleOptions, bundles } from '../../.ci/build/bundles.ts';

const root = join(import.meta.dirname, '..', '..');
const options = [...bundles.map(bundleOptions), rendererOptions];
const metafiles = await Promise.all(options.map((bundle) => bundled(root, { ...bundle, write: false })));
/** `sluice export` loads it when a notebook imports packages. It has a part for each system. */
const notBundled = ['esbuild'];
const json = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

test('the dependencies are the packages that a shipped bundle imports, and no others', () => {
  const { dependencies, devDependencies } = json('package.json') as Readonly<
    Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>
  >;
  assert.deepEqual(Object.keys(dependencies).sort(), [...importedPackages(metafiles), ...notBundled].sort());
  assert.deepEqual(
    Object.keys(devDependencies).filter((name) => name in dependencies),
    [],
    'Each package stands in one of the two lists.',
  );
});

test('every package in a bundle comes with the dependencies alone, without the tools', () => {
  const { packages } = json('package-lock.json') as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
  };
  const folders = packageFolders(metafiles);
  assert.ok(folders.length > importedPackages(metafiles).length, 'Packages bring packages of their own.');
  assert.deepEqual(
    folders.filter((folder) => {
      const locked = packages[folder];
      return locked === undefined || locked.dev === true || locked.devOptional === true;
    }),
    [],
  );
});

test('at run time the bundles import only modules of Node and of VS Code, and the bundler of an export', () => {
  assert.deepEqual(
    externalImports(metafiles).filter((name) => !isBuiltin(name)),
    [...notBundled, 'vscode'],
  );
});
