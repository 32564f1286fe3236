// The first step of `npm start`, `npm test`, `npm run package`, `npm run vscode` and `npm run
// kafka`: installs a fresh clone with the Node at hand, then starts the Node of the installed
// packages. It is plain JavaScript, because it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === 'win32';
const node = join(root, 'node_modules', 'node', 'bin', windows ? 'node.exe' : 'node');
const targets = {
  start: [join('dist', 'cli.js'), 'serve', join('samples', '01-first-chart.sluice.ts')],
  test: [join('.ci', 'test.ts')],
  package: [join('.ci', 'build', 'package.ts')],
  vscode: [join('.ci', 'build', 'vscode.ts')],
  kafka: [join('engine', 'test', 'kafka', 'orders-broker.ts')],
};
const [target, ...more] = process.argv.slice(2);
const command = targets[target];
if (!command) throw new Error(`bootstrap.js knows ${Object.keys(targets).join(' and ')}, not "${target}".`);

install();
run('build', ['run', '--silent', 'build']);
handOver([...command, ...more]);

/**
 * Only if the installed packages differ from the lock file, because a start must not wait for a
 * package manager.
 */
function install() {
  if (isInstalled()) return;
  run('install', ['ci', '--loglevel=error']);
}

function isInstalled() {
  const written = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(written) || !existsSync(node)) return false;
  const present = JSON.parse(readFileSync(written, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || present[path]?.version === version,
  );
}

function run(step, parameters) {
  console.log(`sluice: ${step} …`);
  const began = Date.now();
  const { status } = spawnSync(windows ? 'npm.cmd' : 'npm', parameters, {
    cwd: root,
    stdio: 'inherit',
    shell: windows,
  });
  if (status !== 0) {
    console.error(`sluice: ${step} failed.`);
    process.exit(status ?? 1);
  }
  console.log(`sluice: ${step} done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/**
 * Ctrl-C reaches the child by itself, because it shares our terminal. This process only waits for
 * its end.
 */
function handOver(parameters) {
  const child = spawn(node, parameters, { cwd: root, stdio: 'inherit' });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
