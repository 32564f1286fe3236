// kcat, a client of Kafka on librdkafka, which the bench runs as a process.
import { spawnSync } from 'node:child_process';

let noKcat: { readonly reason: string | undefined } | undefined;
/** The reason why it cannot run here; undefined: it can. */
export function whyNoKcat(): string | undefined {
  return (noKcat ??= { reason: findKcat() }).reason;
}
/** As root on Debian or Ubuntu it is installed, as Chromium and Java are by .ci/run. */
function findKcat(): string | undefined {
  if (runs('kcat', ['-V'])) return undefined;
  if (process.getuid?.() === 0 && runs('apt-get', ['--version'])) {
    console.log('  Installing kcat …');
    const install = ['install', '-y', '-qq', '--no-install-recommends', 'kcat'];
    if (
      (runs('apt-get', install) || (runs('apt-get', ['update', '-qq']) && runs('apt-get', install))) &&
      runs('kcat', ['-V'])
    )
      return undefined;
  }
  return 'kcat is not on this machine, and this bench could not install it. Install it: apt-get install kcat, or brew install kcat.';
}
function runs(command: string, parameters: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync(command, parameters, { stdio: 'ignore', env }).status === 0;
}
