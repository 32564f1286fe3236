// The environment of an exported job: defaults, forms of a start, and one sentence for each fault.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'vitest';
import { type Configuration, readConfiguration, variablesOf } from '../../job/configuration.ts';
import type { JobData } from '../../job/job-data.ts';

const data: JobData = {
  ...{ name: 'orders', build: '1', notebook: 'orders.sluice.ts', cells: [], modules: [], resolved: {}, packages: [] },
  connections: [],
  registries: { names: [], isUsed: false },
  params: ['limit', 'file', 'least', 'all'],
  paramDefaults: { limit: { type: 'string' }, least: { type: 'number', text: '5' }, all: { type: 'boolean' } },
};
function good(environment: Readonly<Record<string, string>>, more: Partial<JobData> = {}): Configuration {
  const { configuration, problems } = readConfiguration(environment, { ...data, ...more });
  assert.deepEqual(problems, []);
  assert.ok(configuration);
  return configuration;
}
function problemsOf(environment: Readonly<Record<string, string>>, more: Partial<JobData> = {}): readonly string[] {
  const { configuration, problems } = readConfiguration(environment, { ...data, ...more });
  assert.equal(configuration, undefined);
  return problems;
}

test('without variables a job has its defaults', () => {
  assert.deepEqual(good({}), {
    ...{ application: 'orders', stateDirectory: resolve('state', 'orders'), savepoint: undefined },
    ...{ startFrom: undefined, dataDirectory: undefined, checkpointMillis: 10_000, graceMillis: 25_000 },
    ...{ logLevel: 'info', http: { port: 8080, host: '127.0.0.1' }, params: {} },
  });
  assert.equal(good({ SLUICE_HTTP_PORT: 'off' }).http, undefined);
  assert.deepEqual(good({ SLUICE_PARAM_limit: '3' }).params, { limit: '3' });
});

test('another application id starts from the beginning, unless the start is given', () => {
  assert.equal(good({ SLUICE_APPLICATION_ID: 'orders' }).startFrom, undefined);
  assert.equal(good({ SLUICE_APPLICATION_ID: 'orders-2' }).startFrom, 'earliest');
  assert.equal(good({ SLUICE_APPLICATION_ID: 'orders-2', SLUICE_START: 'latest' }).startFrom, 'latest');
});

test('a start is a savepoint, committed, earliest, latest or a time', () => {
  const startOf = (text: string) => good({ SLUICE_START: text });
  assert.equal(startOf('savepoint:/a/b').savepoint, resolve('/a/b'));
  assert.deepEqual(startOf('committed').startFrom, { committed: 'orders' });
  assert.equal(startOf('earliest').startFrom, 'earliest');
  assert.deepEqual(startOf('2026-01-31T12:00:00+01:00').startFrom, { timestamp: Date.UTC(2026, 0, 31, 11) });
  for (const text of ['yesterday', '2026-01-31T12:00:00', 'savepoint:', '2026-99-31T12:00:00Z'])
    assert.match(problemsOf({ SLUICE_START: text })[0]!, /^SLUICE_START is "[^]*It must be savepoint:PATH/);
});

test('every fault is told, each by the name of its variable', () => {
  assert.deepEqual(
    problemsOf(
      {
        SLUICE_APPLICATION_ID: 'a b',
        SLUICE_GRACE_SECONDS: 'x',
        SLUICE_HTTP_PORT: '-1',
        SLUICE_PARAM_limt: '1',
        SLUICE_MEMORY: '0',
      },
      { connections: ['', 'prod'] },
    ),
    [
      'SLUICE_BROKERS is not set. The job uses Kafka: set it to host:port of a broker, or define the connection in SLUICE_CONNECTIONS.',
      'SLUICE_CONNECTION_PROD is not set. The job uses the Kafka connection "prod": set it to host:port of a broker, or define the connection in SLUICE_CONNECTIONS.',
      'SLUICE_APPLICATION_ID is "a b". It must be letters, digits, ".", "_" and "-", 100 at most.',
      'SLUICE_MEMORY is "0". It must be a number of megabytes, like 2048.',
      'SLUICE_HTTP_PORT is "-1". It must be a port from 0 to 65535, or off.',
      'SLUICE_GRACE_SECONDS is "x". It must be a number of seconds above 0.',
      'SLUICE_PARAM_limt is set, and no cell reads the parameter "limt". Closest: "limit".',
    ],
  );
  assert.deepEqual(good({ SLUICE_BROKERS: 'h:1' }, { connections: [''] }).params, {});
});

test('a folder of data must be there, and a definition of connections must be readable', () => {
  assert.deepEqual(problemsOf({ SLUICE_DATA_DIR: '/there/is/none' }), [
    'SLUICE_DATA_DIR is "/there/is/none". It must be a folder that is there.',
  ]);
  assert.equal(good({ SLUICE_DATA_DIR: import.meta.dirname }).dataDirectory, import.meta.dirname);
  const [problem, ...others] = problemsOf({ SLUICE_CONNECTIONS: '{"prod": ' }, { connections: ['prod'] });
  assert.match(problem ?? '', /SLUICE_CONNECTIONS/);
  assert.deepEqual(others, []);
});

test('a parameter has the type of its default', () => {
  assert.deepEqual(
    problemsOf({
      SLUICE_PARAM_least: 'abc',
      SLUICE_PARAM_all: 'yes',
      SLUICE_PARAM_limit: 'abc',
      SLUICE_PARAM_file: '',
    }),
    [
      'SLUICE_PARAM_least is "abc". It must be a number, as its default in the notebook is.',
      'SLUICE_PARAM_all is "yes". It must be true or false, as its default in the notebook is.',
    ],
  );
  assert.equal(problemsOf({ SLUICE_PARAM_least: ' ' }).length, 1);
  const params = { least: ' 1e3', all: 'true' };
  assert.deepEqual(good({ SLUICE_PARAM_least: ' 1e3', SLUICE_PARAM_all: 'true' }).params, params);
});

test('a registry that a cell names must be set, and each one must be a URL', () => {
  const registries = { names: ['staging'], isUsed: true };
  assert.deepEqual(problemsOf({ SLUICE_REGISTRY: 'host:8081' }, { registries }), [
    'SLUICE_REGISTRY_STAGING is not set. The job uses the schema registry "staging": set it to its URL.',
    'SLUICE_REGISTRY is no URL that begins with http:// or https://.',
  ]);
  good({ SLUICE_REGISTRY_STAGING: 'http://h:8081' }, { registries });
  assert.deepEqual(
    variablesOf({ ...data, registries }).flatMap(({ name, isNeeded = false }) =>
      name.startsWith('SLUICE_REGISTRY') ? [[name, isNeeded]] : [],
    ),
    [
      ...[
        ['SLUICE_REGISTRY', false],
        ['SLUICE_REGISTRY_AUTH', false],
        ['SLUICE_REGISTRY_CA', false],
      ],
      ...[
        ['SLUICE_REGISTRY_STAGING', true],
        ['SLUICE_REGISTRY_STAGING_AUTH', false],
      ],
      ['SLUICE_REGISTRY_STAGING_CA', false],
    ],
  );
});

test('a variable that is probably a typing mistake is a warning', () => {
  const { warnings } = readConfiguration(
    { SLUICE_STATE_DIRR: '/a', SLUICE_ORDERS_SERVICE_HOST: '10.0.0.1', OTHER: '1' },
    data,
  );
  assert.deepEqual(warnings, ['SLUICE_STATE_DIRR is set, and the job does not read it. Closest: SLUICE_STATE_DIR.']);
});

test('the connections of the notebook are the variables without a default', () => {
  const needed = variablesOf({ ...data, connections: ['', 'prod'] }).filter(({ isNeeded }) => isNeeded);
  assert.deepEqual(
    needed.map(({ name }) => name),
    ['SLUICE_BROKERS', 'SLUICE_CONNECTION_PROD'],
  );
});
