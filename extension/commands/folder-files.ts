// The files with which `import 'sluice'` means something to tsc and to other editors in a folder without npm.
//
// Never written over: the folder's own tsconfig.json and package.json. Always: .sluice/sluice.d.ts, which is ours.
export interface Folder {
  readonly hasTsconfig: boolean;
  /** The text of package.json, if there is one. */
  readonly packageJson: string | undefined;
}
export interface FolderSetUp {
  readonly files: Readonly<Record<string, string>>;
  /** What the user has to do, for files of theirs that we leave alone. */
  readonly advice: readonly string[];
}

export function folderFiles(folder: Folder, declarations: string): FolderSetUp {
  const files: Record<string, string> = { '.sluice/sluice.d.ts': declarations };
  const advice: string[] = [];
  if (folder.hasTsconfig)
    advice.push('Add ".sluice/*.d.ts" to "include" in tsconfig.json: folders with a dot are left out otherwise.');
  else files['tsconfig.json'] = `${JSON.stringify(tsconfig, null, 2)}\n`;
  // To TypeScript and Node a .ts file is an ES module, with `await` at its top level, only below such a package.json.
  if (folder.packageJson === undefined)
    files['package.json'] = `${JSON.stringify({ private: true, type: 'module' }, null, 2)}\n`;
  else if (!isEsModules(folder.packageJson))
    advice.push('Add "type": "module" to package.json: a notebook is an ES module, with await at its top level.');
  return { files, advice };
}

const tsconfig = {
  compilerOptions: {
    target: 'es2024',
    // Without @types/node, what Node shares with browsers (console, timers, URL, AbortSignal) is only declared there.
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
