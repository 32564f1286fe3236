// `npm run advisories`: asks npm for known advisories on the packages whose code is in a shipped
// bundle. Fails if there is one. If the advisory service cannot be reached, it says so.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageFolders } from './build/bundled-packages.ts';
import { rendererOptions } from './build/bundle-renderer.ts';
import { bundled, bundleOptions, bundles } from './build/bundles.ts';

const root = path.dirname(import.meta.dirname);

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
}
export type Advisories =
  | { readonly kind: 'checked'; readonly found: readonly string[] }
  | { readonly kind: 'not-reachable'; readonly reason: string };

export async function shippedPackages(): Promise<readonly BundledPackage[]> {
  const options = [...bundles.map(bundleOptions), rendererOptions];
  const metafiles = await Promise.all(options.map((bundle) => bundled(root, { ...bundle, write: false })));
  return packageFolders(metafiles).map((folder) => {
    const file = path.join(root, folder, 'package.json');
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as BundledPackage;
    return { name, version };
  });
}

/** What `npm audit --json` prints, as far as it is read. */
interface AuditReport {
  readonly auditReportVersion?: number;
  readonly message?: string;
  readonly vulnerabilities?: Readonly<
    Record<
      string,
      {
        readonly via: readonly (string | { readonly title?: string; readonly range?: string; readonly url?: string })[];
      }
    >
  >;
}

export function readReport(text: string): Advisories {
  let report: AuditReport;
  try {
    report = JSON.parse(text) as AuditReport;
  } catch {
    return { kind: 'not-reachable', reason: text.trim().split('\n', 1)[0] || 'npm audit printed nothing' };
  }
  if (report.auditReportVersion === undefined || report.vulnerabilities === undefined)
    return { kind: 'not-reachable', reason: withoutAddress(report.message ?? 'npm audit gave no report') };
  const found = Object.entries(report.vulnerabilities).flatMap(([name, { via }]) =>
    // A text names another package of the list, which has an entry of its own.
    via.flatMap((one) =>
      typeof one === 'string' ? [] : [`${name} ${one.range ?? ''}: ${one.title ?? ''} ${one.url ?? ''}`.trim()],
    ),
  );
  return { kind: 'checked', found };
}

/** The place of the service is a setting of this machine. */
function withoutAddress(message: string): string {
  return message.replace(/\s*https?:\/\/\S+/g, '');
}

/** A lock file of exactly these packages, so that npm asks about them and about nothing else. */
export function lockOf(packages: readonly BundledPackage[]): unknown {
  const inFolders = packages.map(({ name, version }, i) => {
    const isSecond = packages.findIndex((one) => one.name === name) < i;
    // Another version of the same package lies in a folder of its own.
    return [`node_modules/${isSecond ? `other-${i}/node_modules/` : ''}${name}`, { version }] as const;
  });
  const dependencies = Object.fromEntries(packages.map(({ name, version }) => [name, version]));
  return {
    name: 'shipped',
    version: '0.0.0',
    lockfileVersion: 3,
    packages: { '': { name: 'shipped', version: '0.0.0', dependencies }, ...Object.fromEntries(inFolders) },
  };
}

export function askNpm(packages: readonly BundledPackage[]): Advisories {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-advisories-'));
  try {
    const lock = lockOf(packages) as { readonly packages: Readonly<Record<string, unknown>> };
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify(lock.packages['']));
    writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify(lock));
    const isWindows = process.platform === 'win32';
    const { stdout, error } = spawnSync(
      isWindows ? 'npm.cmd' : 'npm',
      ['audit', '--audit=true', '--json', '--package-lock-only'],
      { cwd: folder, encoding: 'utf8', shell: isWindows, timeout: 120_000 },
    );
    return error ? { kind: 'not-reachable', reason: error.message } : readReport(stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives the exit code. */
export function report(packages: readonly BundledPackage[], advisories: Advisories): number {
  const what = `${packages.length} packages in the shipped bundles`;
  if (advisories.kind === 'not-reachable') {
    console.log(packages.map(({ name, version }) => `${name}@${version}`).join('\n'));
    console.log(`NOT CHECKED: the advisory service is not reachable (${advisories.reason}). ${what}`);
    return 0;
  }
  for (const line of advisories.found) console.log(`✖ ${line}`);
  console.log(`${what}, ${advisories.found.length} known advisories`);
  return advisories.found.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const packages = await shippedPackages();
  process.exitCode = report(packages, askNpm(packages));
}
