// Packages as npm serves them: real tarballs over HTTP, and a lock file that names them. npm asks
// no other registry.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';

const run = promisify(execFile);

/** Files by name. `package.json` gets the name, and version 1.0.0. */
export type PackageFiles = Readonly<Record<string, string | Uint8Array>>;

export interface Served {
  /** package.json and package-lock.json of a folder that has the packages. */
  readonly files: Readonly<Record<'package.json' | 'package-lock.json', string>>;
  /** `npm ci` in this folder. */
  install(folder: string): Promise<void>;
}

/** `packages`: by their place, like `node_modules/a/node_modules/b`. */
export async function servedPackages(
  t: TestContext,
  packages: Readonly<Record<string, PackageFiles>>,
): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-npm-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const environment = { PATH: process.env['PATH'], HOME: folder, npm_config_cache: join(folder, 'cache') };
  const tarballs = new Map<string, Buffer>();
  const server = createServer(({ url = '' }, response) => {
    const found = tarballs.get(url.slice(1));
    response.statusCode = found ? 200 : 404;
    response.end(found);
  }).listen(0, '127.0.0.1');
  t.onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const entries: Record<string, object> = {};
  for (const [place, files] of Object.entries(packages)) {
    const name = place.split('node_modules/').at(-1)!;
    const source = join(folder, 'sources', name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(source, path)), { recursive: true });
      writeFileSync(join(source, path), content);
    }
    const written = JSON.parse(String(files['package.json'] ?? '{}')) as { dependencies?: object };
    writeFileSync(join(source, 'package.json'), JSON.stringify({ name, version: '1.0.0', ...written }));
    await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: source, env: environment });
    const tarball = readFileSync(join(folder, `${name}-1.0.0.tgz`));
    tarballs.set(`${name}.tgz`, tarball);
    entries[place] = {
      version: '1.0.0',
      resolved: `http://127.0.0.1:${port}/${name}.tgz`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      ...(written.dependencies && { dependencies: written.dependencies }),
    };
  }
  const outer = Object.keys(packages).filter((place) => place.lastIndexOf('node_modules/') === 0);
  const dependencies = Object.fromEntries(outer.map((place) => [place.slice('node_modules/'.length), '1.0.0']));
  const root = { name: 'notebooks', version: '1.0.0', dependencies };
  return {
    files: {
      'package.json': JSON.stringify(root),
      'package-lock.json': JSON.stringify({ ...root, lockfileVersion: 3, packages: { '': root, ...entries } }),
    },
    install: async (at) => {
      await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: at, env: environment });
    },
  };
}
