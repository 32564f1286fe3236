// The files of an exported job by their names. They depend on the notebook and on the version of
// Sluice alone: no clock, no network, no path of this machine.
import { variablesOf } from '../job/configuration.ts';
import type { JobData } from '../job/job-data.ts';
import type { BuiltJob } from './build-job.ts';
import type { Exportability } from './exportability.ts';
import { readmeText } from './job-readme.ts';
import { kubernetesText } from './kubernetes.ts';

export function jobFiles(
  { data, code, map, packages }: BuiltJob,
  exported: Exportability,
): ReadonlyMap<string, string> {
  const isAlone = Object.keys(packages.dependencies).length === 0;
  return new Map([
    ['.dockerignore', '.env\nstate\nnode_modules\nkubernetes\n'],
    ['.env.example', environmentText(data)],
    ['Dockerfile', isAlone ? dockerText : installingText(dockerText)],
    ['README.md', readmeText(data, exported, packages)],
    ['job.cjs', code],
    ['job.cjs.map', map],
    ['kubernetes/job.yaml', kubernetesText(data)],
    ['package-lock.json', jsonText(lockOf(data, packages))],
    ['package.json', jsonText(packageOf(data, packages))],
  ]);
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

const node = '>=24';
/** In a container there is no .env: its platform gives the variables. */
const start = 'node --env-file-if-exists=.env --enable-source-maps --disable-warning=ExperimentalWarning job.cjs';

type Packages = BuiltJob['packages'];

function packageOf({ name, notebook }: JobData, { dependencies }: Packages): object {
  return {
    name,
    version: '1.0.0',
    description: `The job of the notebook ${notebook}`,
    private: true,
    main: 'job.cjs',
    scripts: { start },
    engines: { node },
    ...dependenciesOf(dependencies),
  };
}
/** Everything is in job.cjs but packages that cannot be bundled. */
function lockOf({ name }: JobData, { dependencies, locked }: Packages): object {
  const own = { name, version: '1.0.0', ...dependenciesOf(dependencies), engines: { node } };
  return {
    ...{ name, version: '1.0.0', lockfileVersion: 3, requires: true },
    packages: { '': own, ...sorted(locked) },
  };
}
function dependenciesOf(dependencies: Packages['dependencies']): object {
  return Object.keys(dependencies).length === 0 ? {} : { dependencies: sorted(dependencies) };
}
function sorted<V>(byName: Readonly<Record<string, V>>): Readonly<Record<string, V>> {
  return Object.fromEntries(Object.entries(byName).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Defaults are comments: the image of the Dockerfile has others. */
function environmentText(data: JobData): string {
  const variables = variablesOf(data).map(
    ({ name, byDefault, meaning, isNeeded }) => `# ${meaning}\n${isNeeded ? '' : '# '}${name}=${byDefault}\n`,
  );
  const params = (data.params ?? []).map(
    (name) =>
      `# The parameter ${name} of the notebook.\n# SLUICE_PARAM_${name}=${onOneLine(data.paramDefaults[name]?.text ?? '')}\n`,
  );
  return [...variables, ...params].join('\n');
}
/** Node reads the escapes of a quoted value. */
function onOneLine(value: string): string {
  return /[\r\n]/.test(value) ? JSON.stringify(value) : value;
}

const aloneStage = '# The job needs no package, so the first stage only checks the lock file.';
const dockerText = `${aloneStage}
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && mkdir -p node_modules

FROM node:24-slim
ENV NODE_ENV=production SLUICE_STATE_DIR=/state SLUICE_HTTP_HOST=0.0.0.0 SLUICE_HTTP_PORT=8080
WORKDIR /app
# 1000 is the user "node" of the image. As a number, a platform sees that it is not root.
RUN mkdir /state && chown 1000:1000 /state
COPY --from=build /app/node_modules ./node_modules
COPY package.json job.cjs job.cjs.map ./
USER 1000:1000
VOLUME /state
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \\
  CMD ["node", "-e", "const p=process.env.SLUICE_HTTP_PORT;p==='off'||fetch('http://127.0.0.1:'+p+'/health').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
STOPSIGNAL SIGTERM
CMD [${start
  .replace(' --env-file-if-exists=.env', '')
  .split(' ')
  .map((word) => JSON.stringify(word))
  .join(', ')}]
`;

/** Packages with native parts may bring scripts that fetch or build them. */
function installingText(text: string): string {
  return text
    .replace(aloneStage, '# The first stage installs the packages that cannot be in job.cjs.')
    .replace(' --ignore-scripts', '');
}
