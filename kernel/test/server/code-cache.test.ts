// Compiled code outlives its process, in the folder of this user's sessions. Cells do not see how.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { bundled, bundleOptions, bundles } from '../../../.ci/build/bundles.ts';
import { connectSession } from '../../client/connect.ts';
import { Kernels, code, until, watch } from './kernels.ts';

const root = join(import.meta.dirname, '../../..');
const variable = 'NODE_COMPILE_CACHE';

/** The shipped file of a bundle, in a folder of the test. */
async function bundleInto(folder: string, name: string): Promise<void> {
  const bundle = bundles.find((one) => one.name === name)!;
  await bundled(root, { ...bundleOptions(bundle), outdir: folder });
}
/** For processes that the test starts. */
function setVariable(t: { onTestFinished(end: () => void): void }, value: string | undefined): void {
  const former = process.env[variable];
  const set = (to: string | undefined): void => {
    if (to === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = to;
  };
  set(value);
  t.onTestFinished(() => set(former));
}
const cells = code({ seen: `[process.env.${variable}, process.env.SLUICE_CODE_CACHE].join()` });
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    : [];

test('a kernel leaves its compiled code for the next one, and its cells do not see it', async (t) => {
  const kernels = new Kernels(t);
  await bundleInto(kernels.folder, 'kernel');
  const kernelPath = join(kernels.folder, 'kernel.cjs');
  const seenBy = async (notebook: string): Promise<string> => {
    const connection = await connectSession({
      ...{ notebook: kernels.notebook(notebook), kernelPath, client: 'cli', build: 'test' },
    });
    const seen = watch(connection, 'seen');
    await connection.request('sync', { cells });
    const [result] = await connection.request('run', { cells: ['seen'] });
    assert.equal(result?.ok, true, result?.error?.message);
    await until(() => seen.parts.length > 0, 'the value');
    const [part] = seen.parts;
    await connection.end();
    connection.close();
    return part?.kind === 'value' ? part.text.replaceAll("'", '') : '';
  };
  setVariable(t, undefined);
  assert.equal(await seenBy('a.sluice.ts'), ',');
  const folder = (): string | undefined => readdirSync(kernels.folder).find((name) => /^code-[0-9a-f]{12}$/.test(name));
  const isOfExecutor = (file: string): boolean => file.startsWith('executor/');
  await until(() => {
    const files = filesIn(join(kernels.folder, folder() ?? 'none'));
    return files.some(isOfExecutor) && !files.every(isOfExecutor);
  }, 'code of both threads');
  // A folder that the user has chosen stays, and cells see it as any other variable.
  const own = join(kernels.folder, 'own');
  setVariable(t, own);
  assert.equal(await seenBy('b.sluice.ts'), `${own},`);
  await until(() => filesIn(own).length > 0, 'code in the folder of the user');
});

test('the command leaves its compiled code too, and works where it cannot', async (t) => {
  const kernels = new Kernels(t);
  const place = join(kernels.folder, 'dist');
  await bundleInto(place, 'cli');
  setVariable(t, undefined);
  const version = (sessions: string): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [join(place, 'cli.js'), '--version'], {
      encoding: 'utf8',
      env: { ...process.env, SLUICE_SESSIONS: sessions },
    });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const first = version(kernels.folder);
  const files = filesIn(join(kernels.folder, 'code-of-command'));
  assert.equal(files.length, 1, files.join());
  assert.equal(version(kernels.folder), first);
  assert.deepEqual(filesIn(join(kernels.folder, 'code-of-command')), files, 'it is used again');
  // A file is no folder of sessions.
  assert.equal(version(join(place, 'cli.js')), first);
});
