// What an export puts into a job besides the engine: the cells that run, the modules that they
// import, and what the job needs from its environment.
import type { ModuleSource } from '../cells/module-files.ts';
import type { CellText } from '../protocol/messages.ts';
import type { Compiled } from '../session/state.ts';

export interface JobData {
  /** The application id by default. */
  readonly name: string;
  /** The version of Sluice that made the job. */
  readonly build: string;
  /** The file name of the notebook. */
  readonly notebook: string;
  readonly cells: readonly JobCell[];
  /** Paths are relative to the notebook's folder, with slashes. */
  readonly modules: readonly JobModule[];
  /** Relative specifiers of the cells → paths. */
  readonly resolved: Readonly<Record<string, string>>;
  /** Packages by their place in the bundle: `specifier` as a file of the notebook imports it. */
  readonly packages: readonly JobPackage[];
  /** The texts of schema files, by path: see `schema-files.ts` of the export. */
  readonly schemas?: Readonly<Record<string, string>>;
  /** Kafka connections by name; '' is the default one. */
  readonly connections: readonly string[];
  readonly registries: Registries;
  /** Parameters that cells read. Absent: they are not known from the texts. */
  readonly params?: readonly string[];
  /** The defaults of parameters by name, as far as they are known. */
  readonly paramDefaults: Readonly<Record<string, ParamDefault>>;
}
export interface JobPackage {
  readonly specifier: string;
  readonly from: string;
  /** Absent: it says none. */
  readonly version?: string;
}
export interface ParamDefault {
  readonly type: 'string' | 'number' | 'boolean';
  /** Absent: it is computed. */
  readonly text?: string;
}
/** Schema registries. */
export interface Registries {
  /** Those that a cell names. */
  readonly names: readonly string[];
  /** Records may have a schema id of the default registry, or of that of a connection. */
  readonly isUsed: boolean;
}
export interface JobCell extends CellText {
  readonly compiled: Compiled;
  /** Values of its variables that the export has evaluated, as texts of `constant-text.ts`. */
  readonly constants?: Readonly<Record<string, string>>;
}
export interface JobModule extends ModuleSource {
  /** Relative specifiers of its text → paths. */
  readonly resolved: Readonly<Record<string, string>>;
}
