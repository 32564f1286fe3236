// The one file of a job: the runtime, and behind it a call that starts it with the notebook's
// cells, modules and packages.
import { readFileSync } from 'node:fs';
import { basename, dirname, relative, sep } from 'node:path';
import { type EncodedSourceMap, encodedMap, FlattenMap } from '@jridgewell/trace-mapping';
import { compiledSource, diskModules } from '../cells/disk-modules.ts';
import { readParams } from '../cells/read-params.ts';
import { isRelative, resolveRelative } from '../cells/specifiers.ts';
import type { JobData, JobModule } from '../job/job-data.ts';
import { build } from '../protocol/version.ts';
import { notebookCompiler } from '../server/compiler.ts';
import type { BundledPackages } from './bundle-packages.ts';
import type { CheckedExport } from './check-export.ts';
import type { ConstantValues } from './constant-values.ts';
import type { Exportability } from './exportability.ts';
import { jobRuntime } from './job-runtime.ts';

export interface BuiltJob {
  readonly data: JobData;
  readonly code: string;
  readonly map: string;
  /** Packages that npm installs beside the job. */
  readonly packages: Pick<BundledPackages, 'dependencies' | 'locked' | 'reasons'>;
}

/** Error: `no-bundler`, only where the runtime is no bundle of the build. */
export async function buildJob(
  notebook: string,
  { exported, packages, constants }: NonNullable<CheckedExport['ready']>,
): Promise<BuiltJob> {
  const data = await jobData(notebook, exported, constants.byCell);
  const { code, map } = await jobRuntime();
  const body = code.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n');
  const whole = `${body}${startText(data, packages.code)}`;
  return {
    data,
    packages,
    code: `${whole}//# sourceMappingURL=job.cjs.map\n`,
    map: packages.code === '' ? map : joinedMaps(map, packages.map, linesBefore(packages.code, whole)),
  };
}

function linesBefore(part: string, whole: string): number {
  return whole.slice(0, whole.lastIndexOf(part)).split('\n').length - 1;
}
/**
 * The map of the engine, and behind it that of the packages, whose text begins at this line. It has
 * no sections: Node does not read them.
 */
function joinedMaps(engine: string, packages: string, line: number): string {
  const joined = new FlattenMap({
    version: 3,
    sections: [
      { offset: { line: 0, column: 0 }, map: JSON.parse(engine) as EncodedSourceMap },
      { offset: { line, column: 0 }, map: JSON.parse(packages) as EncodedSourceMap },
    ],
  });
  const { names, sources, mappings } = encodedMap(joined);
  return JSON.stringify({ version: 3, file: 'job.cjs', names, sources, mappings });
}

function startText(data: JobData, packages: string): string {
  const load =
    packages === ''
      ? '() => Promise.reject(new Error("The job has no packages."))'
      : `(() => {
let packages;
const load = (exports, module, sluicePackagesUrl) => {
${packages}
};
return (index) => {
if (!packages) load((packages = { exports: {} }).exports, packages, require("node:url").pathToFileURL(__filename).href);
return packages.exports.load[index]();
};
})()`;
  // As a text, the data are parsed faster than as an object, and only once in each thread.
  return `module.exports.start(JSON.parse(${JSON.stringify(JSON.stringify(data))}), ${load});\n`;
}

async function jobData(
  notebook: string,
  { cells, modules, connections, registries, schemas, paramDefaults }: Exportability,
  constants: ConstantValues['byCell'],
): Promise<JobData> {
  const folder = dirname(notebook);
  const nameOf = (path: string): string => relative(folder, path).replaceAll(sep, '/');
  const resolvedFrom = (from: string, specifiers: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      specifiers.flatMap((specifier) => {
        const path = isRelative(specifier) ? resolveRelative(specifier, from) : undefined;
        return path === undefined ? [] : [[specifier, nameOf(path)]];
      }),
    );
  const disk = diskModules(notebook);
  const compiler = notebookCompiler(() => notebook);
  const compiledCells: JobData['cells'][number][] = [];
  for (const { id, text } of cells) {
    const compiled = await compiler.compile(cells, id);
    if ('error' in compiled) throw new Error(compiled.error.message);
    const texts = constants.get(id) ?? {};
    const isConstant = Object.keys(texts).length > 0;
    compiledCells.push({
      ...{ id, kind: 'code', text, compiled: { ...compiled, modules: [] } },
      ...(isConstant && { constants: texts }),
    });
  }
  const sources: JobModule[] = [];
  for (const path of modules.files) {
    const source = await compiledSource(path, readFileSync(path, 'utf8'));
    sources.push({
      ...source,
      path: nameOf(path),
      resolved: resolvedFrom(path, [...source.specifiers, ...(source.later ?? [])]),
    });
  }
  const params = readParams(
    cells.map(({ text }) => text),
    folder,
  );
  return {
    ...{ name: jobName(notebook), build, notebook: basename(notebook) },
    cells: compiledCells,
    modules: sources.sort((a, b) => (a.path < b.path ? -1 : 1)),
    resolved: resolvedFrom(notebook, modules.specifiers),
    packages: modules.bundled.map(({ specifier, from }) => {
      const version = disk.versionOf(specifier, from);
      return { specifier, from: nameOf(from), ...(version !== undefined && { version }) };
    }),
    connections,
    registries,
    ...(Object.keys(schemas).length > 0 && { schemas }),
    paramDefaults,
    ...(params && { params: [...params].sort() }),
  };
}

/** Letters, digits and "-": it is a name for npm, for Kubernetes and for an application id. */
export function jobName(notebook: string): string {
  const name = basename(notebook)
    .replace(/\.sluice\.ts$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50);
  return name === '' ? 'sluice-job' : name;
}
