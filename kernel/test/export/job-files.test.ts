// The files of an exported job besides its code: what each promises to npm, Docker and Kubernetes.
import assert from 'node:assert/strict';
import { afterAll, beforeAll, test } from 'vitest';
import { NotebookLanguageService } from '../../cells/language-service.ts';
import { exportability } from '../../export/exportability.ts';
import { jobFiles } from '../../export/job-files.ts';
import { jobName } from '../../export/build-job.ts';
import { exitCodes } from '../../job/exit-codes.ts';
import type { JobData } from '../../job/job-data.ts';

const notebook = '/notebooks/Order Totals.sluice.ts';
const text = `import { count, kafka, param, tumbling } from 'sluice';
const orders = kafka<{ k: string; at: number }>('orders', { timestamp: 'at' });
const totals = orders.filter((o) => o.at > param('limit', 5)).keyBy('k').window(tumbling('1s')).aggregate({ n: count() });
totals.show();
totals.to('order-totals', { connection: 'prod' });
`;
const service = new NotebookLanguageService({ notebook });
afterAll(() => service.dispose());

let files: ReadonlyMap<string, string>;
const fileOf = (name: string): string => files.get(name)!;

beforeAll(() => {
  service.update([{ id: 'orders', kind: 'code', text }]);
  const exported = exportability(notebook, 'node', service.typed());
  const { connections, registries, paramDefaults } = exported;
  const lines = { ...paramDefaults['limit']!, text: 'a\nSLUICE_GROUP=b' };
  const data: JobData = {
    ...{
      name: jobName(notebook),
      build: '1',
      notebook: 'Order Totals.sluice.ts',
      cells: [],
      modules: [],
      resolved: {},
    },
    ...{
      packages: [],
      connections,
      registries,
      params: ['limit', 'lines'],
      paramDefaults: { ...paramDefaults, lines },
    },
  };
  files = jobFiles(
    { data, code: 'code', map: 'map', packages: { dependencies: {}, locked: {}, reasons: {} } },
    exported,
  );
});

test('npm gets a package without dependencies, and a lock file that says so', () => {
  const json = (name: string) => JSON.parse(fileOf(name)) as Readonly<Record<string, unknown>>;
  const { name, dependencies, scripts } = json('package.json');
  assert.deepEqual([name, dependencies], ['order-totals', undefined]);
  assert.match((scripts as { start: string }).start, /^node .*job\.cjs$/);
  const { packages, lockfileVersion } = json('package-lock.json');
  assert.deepEqual([Object.keys(packages as object), lockfileVersion], [[''], 3]);
});

test('the image has two stages, is not run as root, and looks at its health', () => {
  const lines = fileOf('Dockerfile').split('\n');
  const of = (verb: string): readonly string[] => lines.filter((line) => line.trimStart().startsWith(`${verb} `));
  assert.deepEqual(of('FROM'), ['FROM node:24-slim AS build', 'FROM node:24-slim']);
  assert.ok(lines.indexOf('USER 1000:1000') > lines.lastIndexOf(of('RUN').at(-1)!));
  assert.equal(of('HEALTHCHECK').length, 1);
  // Docker itself gets the signals: no shell and no npm stands between.
  assert.equal(
    of('CMD').at(-1),
    'CMD ["node", "--enable-source-maps", "--disable-warning=ExperimentalWarning", "job.cjs"]',
  );
  const copied = of('COPY')
    .flatMap((line) => line.split(' ').slice(1, -1))
    .filter((name) => !name.startsWith('-') && !name.startsWith('/'));
  for (const name of copied) assert.ok(files.has(name), name);
});

test('the manifests run one instance with probes, a volume, and settings and secrets by reference', () => {
  const manifest = fileOf('kubernetes/job.yaml');
  const documents = manifest.split(/^---$/m);
  assert.deepEqual(
    documents.map((one) => /^kind: (\w+)$/m.exec(one)?.[1]),
    ['ConfigMap', 'Service', 'StatefulSet'],
  );
  for (const part of [
    'replicas: 1',
    'startupProbe:',
    'livenessProbe:',
    'readinessProbe:',
    'volumeClaimTemplates:',
    'runAsNonRoot: true',
  ])
    assert.ok(documents[2]!.includes(part), part);
  assert.match(
    documents[2]!,
    /configMapRef: \{ name: order-totals \}[^]*secretRef: \{ name: order-totals, optional: true \}/,
  );
  assert.match(documents[0]!, /^ {2}SLUICE_CONNECTION_PROD: ""$/m);
  assert.match(documents[0]!, /^ {2}# SLUICE_PARAM_limit: "5"$/m);
  assert.match(documents[0]!, /^ {2}# SLUICE_REGISTRY: ""$/m);
  assert.doesNotMatch(manifest, /\t| $/m);
});

test('the example of the environment and the README have every variable, and the README the graph', () => {
  const readme = fileOf('README.md');
  for (const name of [
    'SLUICE_BROKERS',
    'SLUICE_CONNECTION_PROD',
    'SLUICE_STATE_DIR',
    'SLUICE_START',
    'SLUICE_PARAM_limit',
    'SLUICE_REGISTRY',
    'SLUICE_REGISTRY_AUTH',
    'SLUICE_REGISTRY_CA',
  ]) {
    assert.ok(fileOf('.env.example').includes(`${name}=`), name);
    assert.ok(readme.includes(`\`${name}\``), name);
  }
  assert.match(fileOf('.env.example'), /^# SLUICE_PARAM_limit=5$/m);
  assert.match(fileOf('.env.example'), /^# SLUICE_PARAM_lines="a\\nSLUICE_GROUP=b"$/m);
  assert.match(readme, /^\| `SLUICE_PARAM_limit` \| `5` \| The parameter `limit`, a number\. \|$/m);
  for (const code of Object.values(exitCodes)) assert.ok(readme.includes(`| ${code} |`), String(code));
  assert.match(
    readme,
    /n1\["orders<br\/>kafka"\]\n {2}n2\["totals<br\/>filter → keyBy → window → aggregate"\]\n {2}n3\[\("order-totals<br\/>to"\)\]\n {2}n1 --> n2\n {2}n2 --> n3/,
  );
  assert.match(readme, /- cell `orders`, line 4: a display: `totals\.show\(\);`/);
});
