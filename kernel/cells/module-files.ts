// Where the modules that cells import come from: the disk of the notebook, or an exported job that
// has them inside.
export type Namespace = Readonly<Record<string, unknown>>;

/** A module of the user's own, compiled as `module-compile.ts` does. */
export interface ModuleSource {
  readonly path: string;
  /** Of its text. */
  readonly hash: string;
  readonly code: string;
  readonly specifiers: readonly string[];
  /** Modules beside it that it may import later. Absent in what an older version has saved. */
  readonly later?: readonly string[];
}

export interface ModuleFiles {
  /** The path of a relative specifier. undefined: there is no such file. */
  resolve(specifier: string, from: string): string | undefined;
  /** Errors: `syntax`, and those of the disk. */
  source(path: string): Promise<ModuleSource>;
  /** A package, or a file beside the notebook that Node loads itself. Error: `missing-module`. */
  load(specifier: string, from: string): Promise<Namespace>;
  /**
   * Of what `load` gives: the version of the package, or the hash of the file. undefined: unknown.
   */
  versionOf(specifier: string, from: string): string | undefined;
  /** The text of a schema file that a job has inside, by its absolute path. */
  schemaText?(this: void, path: string): string | undefined;
}
