// The files that make `import 'sluice'` known to tsc and to other editors in a folder without npm.
//
// The folder's own tsconfig.json and package.json are never overwritten. .sluice/sluice.d.ts is
// generated and is always written.
export interface Folder {
  readonly hasTsconfig: boolean;
  /** The text of package.json, if there is one. */
  readonly packageJson: string | undefined;
}
export interface FolderSetUp {
  readonly files: Readonly<Record<string, string>>;
  /** Changes that the user has to make in existing files, which are never overwritten. */
  readonly advice: readonly string[];
}

export function folderFiles(folder: Folder, declarations: string): FolderSetUp {
  const files: Record<string, string> = { '.sluice/sluice.d.ts': declarations };
  const advice: string[] = [];
  if (folder.hasTsconfig)
    advice.push(
      'Add ".sluice/*.d.ts" to "include" in tsconfig.json: without it, TypeScript omits folders whose name begins with a dot.',
    );
  else files['tsconfig.json'] = `${JSON.stringify(tsconfig, null, 2)}\n`;
  // TypeScript and Node treat a .ts file as an ES module, with `await` at its top level, only if
  // package.json says so.
  if (folder.packageJson === undefined)
    files['package.json'] = `${JSON.stringify({ private: true, type: 'module' }, null, 2)}\n`;
  else if (!isEsModules(folder.packageJson))
    advice.push('Add "type": "module" to package.json: a notebook is an ES module, with await at its top level.');
  return { files, advice };
}

const tsconfig = {
  compilerOptions: {
    target: 'es2024',
    // Without @types/node, only the declarations of browsers contain the globals that Node shares
    // with them (console, timers, URL, AbortSignal).
    lib: ['es2024', 'esnext.iterator', 'dom'],
    module: 'nodenext',
    moduleDetection: 'force',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  },
  include: ['**/*.ts', '.sluice/*.d.ts'],
};

function isEsModules(packageJson: string): boolean {
  try {
    return (JSON.parse(packageJson) as { type?: unknown }).type === 'module';
  } catch {
    return false;
  }
}
