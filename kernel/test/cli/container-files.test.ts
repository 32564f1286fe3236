// The Dockerfile and the Kubernetes manifests of a job: checked by hadolint and by the schemas of
// Kubernetes where they can be had, and by their structure always. Each step of the Dockerfile is
// performed in a clean folder, and the job runs from there.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { test } from 'vitest';
import { freePorts } from '../../../engine/test/kafka/broker.ts';
import { kubernetesText } from '../../export/kubernetes.ts';
import { performSteps } from './docker-steps.ts';
import { fileCheckers } from './file-checkers.ts';
import { exported, folderOf } from './job-process.ts';

const timeout = { timeout: 600_000 };
const run = promisify(execFile);

const withoutEnd = `// %% id=ticks
import { generate } from 'sluice';
generate({ rate: 20 }, ({ n }) => ({ n })).toFile('state/ticks.jsonl');
export {};
`;
const withKafka = `// %% id=orders
import { kafka } from 'sluice';
kafka('orders', { connection: 'prod' }).to('copies');
export {};
`;

test('Dockerfile and manifests pass hadolint and the schemas of Kubernetes', timeout, async (t) => {
  const job = await exported(folderOf(t, { 'n.sluice.ts': withKafka }));
  const docker = readFileSync(join(job, 'Dockerfile'), 'utf8');
  const manifests = readFileSync(join(job, 'kubernetes/job.yaml'), 'utf8');
  for (const part of [/^FROM node:24-slim AS build$/m, /^USER 1000:1000$/m, /^HEALTHCHECK /m, /^VOLUME \/state$/m])
    assert.match(docker, part);
  for (const part of ['livenessProbe', 'readinessProbe', 'startupProbe', 'configMapRef', 'secretRef', 'runAsNonRoot'])
    assert.ok(manifests.includes(part), part);
  assert.match(manifests, /replicas: 1\n[^]*volumeClaimTemplates:/);
  assert.match(manifests, /SLUICE_CONNECTION_PROD: ""/);
  // A Service whose name begins with a digit would be refused, and no schema says so.
  const data = { ...{ name: '07-export', build: '1', notebook: 'n', cells: [], modules: [] }, resolved: {} };
  const named = kubernetesText({
    ...{ ...data, packages: [], connections: [] },
    ...{ registries: { names: [], isUsed: false }, paramDefaults: {} },
  });
  for (const [, name] of named.matchAll(/^ {2}name: (.*)$/gm)) assert.equal(name, 'job-07-export');

  const checkers = await fileCheckers();
  if (typeof checkers === 'string') {
    console.warn(`CHECKED BY STRUCTURE ONLY: ${checkers}`);
    return;
  }
  assert.equal(checkers.hadolint(join(job, 'Dockerfile')), '');
  for (const version of ['1.27', '1.31', '1.37'])
    assert.equal(checkers.kubernetes(join(job, 'kubernetes/job.yaml'), version), '', version);
  // The checkers can fail.
  const wrong = folderOf(t, {
    Dockerfile: docker.replace('WORKDIR /app', 'RUN cd /app'),
    'job.yaml': manifests.replace('replicas: 1', 'replica: 1'),
  });
  assert.match(checkers.hadolint(join(wrong, 'Dockerfile')), /DL3003/);
  assert.match(checkers.kubernetes(join(wrong, 'job.yaml'), '1.31'), /replica/);
});

test('each step of the Dockerfile works in a clean folder, and the job is healthy there', timeout, async (t) => {
  const job = await exported(folderOf(t, { 'n.sluice.ts': withoutEnd }));
  const root = folderOf(t, {});
  const image = performSteps(readFileSync(join(job, 'Dockerfile'), 'utf8'), job, root);
  assert.deepEqual(
    [image.user, image.volumes, image.ports, image.stopSignal],
    ['1000:1000', ['/state'], [image.environment['SLUICE_HTTP_PORT']], 'SIGTERM'],
  );
  const [port] = await freePorts(1);
  const state = image.folder(image.environment['SLUICE_STATE_DIR']!);
  const environment = {
    ...{ PATH: process.env['PATH'], ...image.environment },
    // As docker run -e would.
    ...{ SLUICE_HTTP_PORT: String(port), SLUICE_HTTP_HOST: '127.0.0.1', SLUICE_STATE_DIR: state },
    SLUICE_DATA_DIR: join(state, '..'),
  };
  const [program, ...parameters] = image.command;
  const child = spawn(program!, parameters, {
    cwd: image.workdir,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  const ended = new Promise((resolve) => child.once('close', resolve));
  t.onTestFinished(() => void child.kill('SIGKILL'));
  const [checker, ...checked] = image.healthcheck;
  const isHealthy = (): Promise<boolean> =>
    run(checker!, checked, { cwd: image.workdir, env: environment }).then(
      () => true,
      () => false,
    );
  while (!(await isHealthy())) {
    assert.equal(child.exitCode, null, said);
    await sleep(200);
  }
  while (!existsSync(join(state, 'ticks.jsonl'))) {
    assert.equal(child.exitCode, null, said);
    await sleep(50);
  }
  child.kill(image.stopSignal as NodeJS.Signals);
  assert.equal(await ended, 0, said);
  assert.ok(existsSync(join(state, 'n')), 'the state is on the volume');
  assert.equal(await isHealthy(), false);
});

test('npm start reads .env, and .env.example as it is starts the job with its defaults', timeout, async (t) => {
  const bounded = withoutEnd.replace('rate: 20', 'limit: 20').replace('state/ticks', 'ticks');
  const job = await exported(folderOf(t, { 'n.sluice.ts': bounded }));
  const example = readFileSync(join(job, '.env.example'), 'utf8');
  assert.match(example, /^# SLUICE_STATE_DIR=\.\/state$/m);
  writeFileSync(join(job, '.env'), `${example}\nSLUICE_HTTP_PORT=off\nSLUICE_APPLICATION_ID=from-the-file\n`);
  const env = { PATH: process.env['PATH'], HOME: job, npm_config_offline: 'true' };
  const { stdout } = await run('npm', ['start', '--silent'], { cwd: job, env });
  assert.match(stdout, /"application":"from-the-file"[^]*The job is done\./);
  assert.ok(existsSync(join(job, 'state/from-the-file')));
});
