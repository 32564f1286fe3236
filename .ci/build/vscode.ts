// `npm run vscode`: packs what was built and installs it into the user's own VS Code.
import { spawnSync } from 'node:child_process';
import { packExtension } from './package.ts';

// On Windows the command is a batch file, which only a shell starts.
const shell = process.platform === 'win32';
const code = ['code', 'code-insiders', 'codium'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore', shell }).status === 0,
);
const packed = await packExtension();
if (code === undefined) {
  console.error(
    `There is no "code" command on the PATH, so nothing was installed. The extension is packed in ${packed}.\n` +
      'In VS Code: Extensions view, "…", "Install from VSIX…". Or put "code" on the PATH (macOS: "Shell Command: Install \'code\' command in PATH") and run this again.',
  );
  process.exit(1);
}
const installed = spawnSync(code, ['--install-extension', packed, '--force'], { stdio: 'inherit', shell });
process.exit(installed.status ?? 1);
