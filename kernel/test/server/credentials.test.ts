// A password in the brokers setting. It appears in no error, page, log or process list.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { connectSession } from '../../client/connect.ts';
import { sluice } from '../cli/sluice.ts';
import { code, kernelPath, Kernels, until, watch } from './kernels.ts';

const secret = 's3cr3t';
const brokers = [`ann:${secret}@broker.example:9092`, `broker.example:9092?password=${secret}`];
const cell = "import { kafka } from 'sluice';\nconst orders = kafka('orders');\norders";

/** Sets the variable for kernels that this process starts. */
function setBrokers(t: TestContext, value: string): void {
  const before = process.env['SLUICE_BROKERS'];
  process.env['SLUICE_BROKERS'] = value;
  t.onTestFinished(() => {
    if (before === undefined) delete process.env['SLUICE_BROKERS'];
    else process.env['SLUICE_BROKERS'] = before;
  });
}

for (const value of brokers)
  for (const from of ['the environment', 'the setting'] as const)
    test(`a password in ${value} of ${from} is seen nowhere`, { skip: process.platform === 'win32' }, async (t) => {
      const kernels = new Kernels(t);
      setBrokers(t, from === 'the environment' ? value : '');
      const env = from === 'the setting' ? { env: { SLUICE_BROKERS: value } } : {};
      const notebook = kernels.notebook();
      const connection = await connectSession({ notebook, kernelPath, client: 'cli', build: 'test', ...env });
      const seen: unknown[] = [connection.welcome];
      for (const name of ['state', 'view', 'cells', 'run'] as const)
        connection.on(name, (params: unknown) => seen.push(params));
      await connection.request('sync', { cells: code({ a: cell }) });
      const view = watch(connection, 'a');
      const results = await connection.request('run', { cells: ['a'] });
      await until(() => view.parts.some(({ kind }) => kind === 'error'), 'the error box');
      assert.match(JSON.stringify(view.parts), /SLUICE_BROKERS has \\"\*\*\*\\", which is not host:port/);
      const files = readdirSync(kernels.folder)
        .map((name) => join(kernels.folder, name))
        .filter((path) => statSync(path).isFile());
      assert.ok(files.some((path) => path.endsWith('.log')));
      // Only the kernel: the name of this test, with the password, may be in other arguments.
      const { pid, session } = connection.entry;
      const kernel = execFileSync('ps', ['-ww', '-p', String(pid), '-o', 'args='], { encoding: 'utf8' });
      assert.ok(kernel.includes(session), kernel);
      const everything = [JSON.stringify([seen, results]), ...files.map((path) => readFileSync(path, 'utf8')), kernel];
      for (const text of everything) assert.ok(!text.includes(secret), text);
      connection.close();
    });

test('the error of a job about its brokers does not contain their password', async (t) => {
  const kernels = new Kernels(t);
  const notebook = kernels.notebook('a.sluice.ts', `// %% id=a\n${cell}\n`);
  for (const value of brokers) {
    setBrokers(t, value);
    for (const json of [[], ['--json']]) {
      const { code: exit, out, err } = await sluice('run', notebook, ...json);
      assert.notEqual(exit, 0);
      assert.match(out + err, /not host:port/);
      assert.ok(!(out + err).includes(secret), out + err);
    }
  }
});
