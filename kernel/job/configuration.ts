// The configuration of an exported job: environment variables, checked together before anything
// runs. The export writes its documents from the same table.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { connectionNamed, connectionVariable } from '../../engine/connections/connection-named.ts';
import { closestName } from '../../engine/errors/closest-name.ts';
import { isSluiceError, messageOf } from '../../engine/errors/thrown.ts';
import type { StartFrom } from '../../engine/graph/parameters.ts';
import { registryIn, registryVariable } from '../../engine/registry/registry-connection.ts';
import type { JobData, ParamDefault } from './job-data.ts';
import { type Level, levels } from './job-log.ts';

export interface Variable {
  readonly name: string;
  /** '': it has none. */
  readonly byDefault: string;
  readonly meaning: string;
  /** The job does not start without it. */
  readonly isNeeded?: true;
}

/** `name`: the application id by default. */
export function variablesOf({
  name,
  connections,
  registries,
}: Pick<JobData, 'name' | 'connections' | 'registries'>): readonly Variable[] {
  return [
    ...connections.map((connection): Variable => ({
      name: connection === '' ? 'SLUICE_BROKERS' : connectionVariable(connection),
      byDefault: '',
      isNeeded: true,
      meaning:
        connection === ''
          ? 'host:port of Kafka brokers, several behind commas. With TLS or log-in: SLUICE_CONNECTIONS with a connection "default".'
          : `host:port of the connection "${connection}". With TLS or log-in: SLUICE_CONNECTIONS.`,
    })),
    ...registryVariables(registries),
    {
      name: 'SLUICE_APPLICATION_ID',
      byDefault: name,
      meaning:
        'The state belongs to this id, and so does the group that gets the offsets. A new one starts anew and reads topics from the beginning.',
    },
    {
      name: 'SLUICE_STATE_DIR',
      byDefault: './state',
      meaning: 'Folder of the checkpoints, one folder for each application id. It must outlive the container.',
    },
    {
      name: 'SLUICE_START',
      byDefault: '',
      meaning:
        'Where a job without state starts: savepoint:PATH, committed (offsets of the group that is named like the application id), earliest, latest, or a time in ISO 8601. Empty: as the notebook says. It holds for topics without an end; the log names other sources.',
    },
    {
      name: 'SLUICE_DATA_DIR',
      byDefault: '',
      meaning: 'Folder at which relative paths of file() and toFile() begin. Empty: the folder of the job.',
    },
    {
      name: 'SLUICE_CHECKPOINT_SECONDS',
      byDefault: '10',
      meaning: 'Time between checkpoints, unless the notebook says it.',
    },
    {
      name: 'SLUICE_GRACE_SECONDS',
      byDefault: '25',
      meaning:
        'After SIGTERM, the job ends within this long. The last checkpoint has all of it but a fifth, 5 s at most, for closing.',
    },
    { name: 'SLUICE_LOG_LEVEL', byDefault: 'info', meaning: 'error, warn, info or debug.' },
    { name: 'SLUICE_HTTP_PORT', byDefault: '8080', meaning: 'Port of /health, /ready and /metrics; off: none.' },
    { name: 'SLUICE_HTTP_HOST', byDefault: '127.0.0.1', meaning: 'Address of that port; 0.0.0.0 in a container.' },
    {
      name: 'SLUICE_MEMORY',
      byDefault: '',
      meaning: 'Megabytes that the cells may hold. Empty: by the memory of the machine.',
    },
  ];
}

function registryVariables({ names, isUsed }: JobData['registries']): readonly Variable[] {
  const credentials = (variable: string): readonly Variable[] => [
    { name: `${variable}_AUTH`, byDefault: '', meaning: `user:password of ${variable}, if it wants them. A secret.` },
    {
      name: `${variable}_CA`,
      byDefault: '',
      meaning: `Path of the certificate authority of ${variable}, if it has one of its own.`,
    },
  ];
  const named = names.flatMap((registry): readonly Variable[] => {
    const variable = registryVariable(registry);
    const meaning = `URL of the schema registry "${registry}".`;
    return [{ name: variable, byDefault: '', isNeeded: true, meaning }, ...credentials(variable)];
  });
  if (!isUsed) return named;
  const meaning =
    'URL of the schema registry, if records have schema ids. A connection of SLUICE_CONNECTIONS may have its own.';
  return [{ name: 'SLUICE_REGISTRY', byDefault: '', meaning }, ...credentials('SLUICE_REGISTRY'), ...named];
}

export interface Configuration {
  readonly application: string;
  readonly stateDirectory: string;
  readonly savepoint: string | undefined;
  readonly startFrom: StartFrom | undefined;
  readonly dataDirectory: string | undefined;
  readonly checkpointMillis: number;
  readonly graceMillis: number;
  readonly logLevel: Level;
  readonly http: { readonly port: number; readonly host: string } | undefined;
  readonly params: Readonly<Record<string, string>>;
}
export interface ReadConfiguration {
  /** Absent: there are problems. */
  readonly configuration?: Configuration;
  /** One sentence for each variable that is missing or wrong. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;
const paramPrefix = 'SLUICE_PARAM_';

export function readConfiguration(environment: Environment, data: JobData): ReadConfiguration {
  const problems: string[] = [];
  const byDefault = new Map(variablesOf(data).map((variable) => [variable.name, variable.byDefault]));
  const textOf = (name: string): string => environment[name]?.trim() || (byDefault.get(name) ?? '');
  const checked = <V>(name: string, read: (text: string) => V | undefined, wanted: string): V => {
    const value = read(textOf(name));
    if (value === undefined) problems.push(`${name} is "${textOf(name)}". It must be ${wanted}.`);
    return value as V;
  };
  problems.push(
    ...connectionProblems(environment, data.connections),
    ...registryProblems(environment, data.registries),
  );
  const application = checked('SLUICE_APPLICATION_ID', applicationId, 'letters, digits, ".", "_" and "-", 100 at most');
  const start = checked('SLUICE_START', (text) => startOf(text, application, data.name), startForms);
  if (textOf('SLUICE_MEMORY') !== '') checked('SLUICE_MEMORY', positive, 'a number of megabytes, like 2048');
  if (textOf('SLUICE_DATA_DIR') !== '') checked('SLUICE_DATA_DIR', folder, 'a folder that is there');
  const httpPort = checked('SLUICE_HTTP_PORT', port, 'a port from 0 to 65535, or off');
  const configuration: Configuration = {
    application,
    stateDirectory: resolve(textOf('SLUICE_STATE_DIR'), application ?? ''),
    savepoint: start?.savepoint,
    startFrom: start?.from,
    dataDirectory: textOf('SLUICE_DATA_DIR') || undefined,
    checkpointMillis: 1000 * checked('SLUICE_CHECKPOINT_SECONDS', positive, 'a number of seconds above 0'),
    graceMillis: 1000 * checked('SLUICE_GRACE_SECONDS', positive, 'a number of seconds above 0'),
    logLevel: checked('SLUICE_LOG_LEVEL', level, `${levels.slice(0, -1).join(', ')} or ${levels.at(-1)}`),
    http: httpPort === 'off' ? undefined : { port: httpPort, host: textOf('SLUICE_HTTP_HOST') },
    params: paramsOf(environment, data, problems),
  };
  const warnings = unknownVariables(environment, data);
  return problems.length > 0 ? { problems, warnings } : { configuration, problems, warnings };
}

function connectionProblems(environment: Environment, names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    try {
      connectionNamed(name === '' ? undefined : name, environment);
      return [];
    } catch (error) {
      if (!isSluiceError(error) || error.code !== 'kafka-no-connection') return [messageOf(error)];
      const variable = name === '' ? 'SLUICE_BROKERS' : connectionVariable(name);
      const what = name === '' ? 'The job uses Kafka' : `The job uses the Kafka connection "${name}"`;
      return [
        `${variable} is not set. ${what}: set it to host:port of a broker, or define the connection in SLUICE_CONNECTIONS.`,
      ];
    }
  });
}

function registryProblems(environment: Environment, { names, isUsed }: JobData['registries']): readonly string[] {
  return [...names, ...(isUsed ? [undefined] : [])].flatMap((registry) => {
    const variable = registry === undefined ? 'SLUICE_REGISTRY' : registryVariable(registry);
    if (!environment[variable]?.trim())
      return registry === undefined
        ? []
        : [`${variable} is not set. The job uses the schema registry "${registry}": set it to its URL.`];
    try {
      registryIn(variable, environment);
      return [];
    } catch (error) {
      return [messageOf(error)];
    }
  });
}

function applicationId(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text) ? text : undefined;
}
function positive(text: string): number | undefined {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) && value > 0 ? value : undefined;
}
function folder(text: string): string | undefined {
  return statSync(text, { throwIfNoEntry: false })?.isDirectory() === true ? text : undefined;
}
function level(text: string): Level | undefined {
  return levels.find((one) => one === text);
}
function port(text: string): number | 'off' | undefined {
  if (text === 'off') return 'off';
  const value = Number(text);
  return text !== '' && Number.isInteger(value) && value >= 0 && value <= 65_535 ? value : undefined;
}

const startForms = 'savepoint:PATH, committed, earliest, latest, or a time in ISO 8601 with a zone';
interface Start {
  readonly savepoint?: string;
  readonly from?: StartFrom;
}
/** Another application id than that of the notebook reprocesses from the beginning. */
function startOf(text: string, application: string | undefined, name: string): Start | undefined {
  if (text === '') return application === undefined || application === name ? {} : { from: 'earliest' };
  if (text === 'earliest' || text === 'latest') return { from: text };
  if (text === 'committed') return { from: { committed: application ?? name } };
  const savepoint = /^savepoint:(.+)$/s.exec(text)?.[1];
  if (savepoint !== undefined) return { savepoint: resolve(savepoint) };
  if (!/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(text)) return undefined;
  const timestamp = Date.parse(text);
  return Number.isNaN(timestamp) ? undefined : { from: { timestamp } };
}

function paramsOf(
  environment: Environment,
  { params, paramDefaults }: JobData,
  problems: string[],
): Readonly<Record<string, string>> {
  const given = Object.entries(environment).flatMap(([variable, value]) =>
    variable.startsWith(paramPrefix) && value !== undefined
      ? [[variable.slice(paramPrefix.length), value] as const]
      : [],
  );
  for (const [name] of given) {
    if (!params || params.includes(name)) continue;
    const closest = closestName(name, params);
    const known = params.length === 0 ? 'No cell reads any parameter.' : `The cells read ${params.join(', ')}.`;
    problems.push(
      `${paramPrefix}${name} is set, and no cell reads the parameter "${name}". ${closest === undefined ? known : `Closest: "${closest}".`}`,
    );
  }
  for (const [name, value] of given) {
    const wanted = wantedOf(paramDefaults[name]?.type, value);
    if (wanted !== undefined)
      problems.push(`${paramPrefix}${name} is "${value}". It must be ${wanted}, as its default in the notebook is.`);
  }
  return Object.fromEntries(given);
}

/** As param() reads it. undefined: the value is of that type. */
function wantedOf(type: ParamDefault['type'] | undefined, value: string): string | undefined {
  if (type === 'number') return value.trim() !== '' && Number.isFinite(Number(value)) ? undefined : 'a number';
  if (type === 'boolean') return value === 'true' || value === 'false' ? undefined : 'true or false';
  return undefined;
}

/** A typing mistake would go unnoticed. Other programs may have variables of that name too. */
function unknownVariables(environment: Environment, data: JobData): readonly string[] {
  const known = [
    ...variablesOf(data).map(({ name }) => name),
    ...['SLUICE_CONNECTIONS', 'SLUICE_BROKERS', 'SLUICE_TRACE'],
  ];
  const isKnown = (name: string): boolean => known.includes(name) || /^SLUICE_(?:PARAM|CONNECTION|REGISTRY)/.test(name);
  return Object.keys(environment).flatMap((name) => {
    if (!name.startsWith('SLUICE_') || isKnown(name)) return [];
    const closest = closestName(name, known);
    return closest === undefined ? [] : [`${name} is set, and the job does not read it. Closest: ${closest}.`];
  });
}
