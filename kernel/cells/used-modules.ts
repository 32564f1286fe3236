// What the modules of a cell were when it ran. A restart gives the cell the same ones.
//
// Paths are relative to the notebook's folder, with slashes, because the folder may be moved.

export interface UsedModules {
  /** Relative specifiers of the cell → paths. */
  readonly resolved: Readonly<Record<string, string>>;
  readonly modules: readonly UsedModule[];
  readonly packages: readonly UsedPackage[];
}

/** A module of the user's own, as `module-compile.ts` has compiled it. */
export interface UsedModule {
  readonly path: string;
  /** Of its text. */
  readonly hash: string;
  /** Its script in UTF-8. As bytes, it is written once and not into each checkpoint. */
  readonly code: Uint8Array;
  readonly specifiers: readonly string[];
  /** See `ModuleSource`. */
  readonly later?: readonly string[];
  /** Relative specifiers of its text → paths. */
  readonly resolved: Readonly<Record<string, string>>;
}

/** It is not copied: a package, or a file beside the notebook that Node loads itself. */
export interface UsedPackage {
  readonly specifier: string;
  /** The path of the file that imports it. */
  readonly from: string;
  /** For people: "zod", "lib/native.cjs". */
  readonly name: string;
  /** Of a file: the hash of its content. */
  readonly version: string;
}

/** What a cell that is evaluated again would get, if it ran now. */
export interface ModuleNews {
  /** They have another text now, or are gone. */
  readonly files: readonly ChangedFile[];
  readonly packages: readonly ChangedPackage[];
}
export interface ChangedFile {
  /** Relative, for people. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}
export interface ChangedPackage {
  readonly name: string;
  /** undefined: a file, whose content is another one. */
  readonly versions: { readonly former: string; readonly now: string } | undefined;
}

export const noModules: UsedModules = { resolved: {}, modules: [], packages: [] };
